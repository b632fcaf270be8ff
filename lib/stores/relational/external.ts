import { Construct } from 'constructs';
import { requireWholeNumber } from '../../errors';
import { requireObject } from '../../inputs';
import { existingSecret, requireName, requirePhase } from '../context';
import { MigrationPhase } from '../migration-phase';
import { DATABASE_NAME, LibpqTls, POSTGRES_PORT } from './postgres';
import type { RelationalChoice } from './relational-store';

/** How the server of an external database is known to be the right one. */
export enum PostgresTls {
  /** Its certificate must be issued for the host by an authority that the image trusts. */
  VERIFY = 'VERIFY',
  /** Encrypted, but whoever answers is believed: for a server in a network of your own with a private certificate. */
  REQUIRE = 'REQUIRE',
}

/** A PostgreSQL that exists. */
export interface ExternalPostgresProps {
  /**
   * How far the move from SQLite has come.
   *
   * @default MigrationPhase.CUTOVER - right when nothing is to be moved
   */
  readonly phase?: MigrationPhase;

  /** The host name, without a scheme and a port. The service must be able to reach it. */
  readonly host: string;

  /**
   * The port.
   *
   * @default 5432
   */
  readonly port?: number;

  /**
   * The name of the database. It must exist and belong to the user.
   *
   * @default openwebui
   */
  readonly databaseName?: string;

  /**
   * The complete ARN of a secret with the JSON keys username and password, of letters, digits and - . _ ~ only: Open
   * WebUI puts both into a URL as they are. A secret with a customer managed key needs kms:Decrypt on it for the
   * execution role.
   */
  readonly secretArn: string;

  /**
   * How the connection is secured. It is always encrypted.
   *
   * @default PostgresTls.VERIFY
   */
  readonly tls?: PostgresTls;
}

const TLS: { [tls in PostgresTls]: LibpqTls } = {
  // Where Debian, from which the image is made, keeps the authorities it trusts.
  VERIFY: { PGSSLMODE: 'verify-full', PGSSLROOTCERT: '/etc/ssl/certs/ca-certificates.crt' },
  REQUIRE: { PGSSLMODE: 'require' },
};

export function externalPostgres(props: ExternalPostgresProps): RelationalChoice {
  return {
    name: 'external',
    phase: (scope) => requirePhase(scope, props?.phase),
    create: (scope) => {
      const checked = new Construct(scope, 'External');
      requireObject(checked, 'RelationalStore.external()', props ?? null, [], 'Pass { host, secretArn }.');
      const host = requireName(
        checked,
        'host',
        props.host,
        /^[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?$/,
        'Pass the host name alone, for example db.example.com, without a scheme, a user and a port.',
      );
      return {
        host,
        port: `${requireWholeNumber(checked, 'port', props.port ?? POSTGRES_PORT, 1, 65535)}`,
        databaseName: requireName(
          checked,
          'databaseName',
          props.databaseName ?? DATABASE_NAME,
          /^[A-Za-z0-9_-]{1,63}$/,
          'Pass up to 63 letters, digits, underscores and hyphens.',
        ),
        secret: existingSecret(checked, 'secretArn', props.secretArn),
        tls: requireTls(checked, props.tls ?? PostgresTls.VERIFY),
        allowFrom: () => undefined,
      };
    },
  };
}

function requireTls(scope: Construct, tls: PostgresTls): LibpqTls {
  requireName(scope, 'tls', tls, /^(VERIFY|REQUIRE)$/, 'Pass PostgresTls.VERIFY or PostgresTls.REQUIRE.');
  return TLS[tls];
}
