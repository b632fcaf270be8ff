import { RemovalPolicy, Tags, Validations } from 'aws-cdk-lib';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as rds from 'aws-cdk-lib/aws-rds';
import * as secretsmanager from 'aws-cdk-lib/aws-secretsmanager';
import { Construct } from 'constructs';
import { allowInto, BACKUP_RETENTION_DAYS } from '../../storage/internal';
import { requireName, serviceSubnets, StoreContext } from '../context';

export const POSTGRES_PORT = 5432;

/** The database and its owner, unless another name is asked for. `postgres` and `admin` are reserved or refused by RDS. */
export const DATABASE_NAME = 'openwebui';
export const DATABASE_USER = 'openwebui';

/** How libpq, below both of Open WebUI's drivers, secures a connection: its own environment variables. */
export type LibpqTls = { readonly PGSSLMODE: string; readonly PGSSLROOTCERT?: string };

/** A PostgreSQL that an application may be connected to. */
export interface PostgresDatabase {
  readonly host: string;
  readonly port: string;
  readonly databaseName: string;
  /** Holds username and password; the password consists of characters that need no quoting in a URL. */
  readonly secret: secretsmanager.ISecret;
  readonly tls: LibpqTls;
  /** Lets a service in. Nothing to do for a database that is not in this stack. */
  allowFrom(peer: ec2.IConnectable): void;
}

/**
 * The names Open WebUI and its drivers read (open_webui/env.py, 0.12.4: DATABASE_URL is put together from these parts;
 * psycopg and psycopg2 hand PGSSLMODE to libpq).
 */
export function databaseEnvironment(database: PostgresDatabase): { [name: string]: string } {
  return {
    DATABASE_TYPE: 'postgresql',
    DATABASE_HOST: database.host,
    DATABASE_PORT: database.port,
    DATABASE_NAME: database.databaseName,
    ...database.tls,
  };
}

/** The two parts of the address that are secret. */
export function databaseSecrets({ secret }: PostgresDatabase): { [name: string]: ecs.Secret } {
  return {
    DATABASE_USER: ecs.Secret.fromSecretsManager(secret, 'username'),
    DATABASE_PASSWORD: ecs.Secret.fromSecretsManager(secret, 'password'),
  };
}

/**
 * The database that a move is prepared to, under names that no application reads: `efs-data-layer migrate` hands them to
 * its one-off task, while the application stays on SQLite.
 */
export function targetEnvironment(database: PostgresDatabase): { [name: string]: string } {
  const { PGSSLMODE, PGSSLROOTCERT } = database.tls;
  return {
    DATA_LAYER_TARGET_HOST: database.host,
    DATA_LAYER_TARGET_PORT: database.port,
    DATA_LAYER_TARGET_NAME: database.databaseName,
    DATA_LAYER_TARGET_SSLMODE: PGSSLMODE,
    ...(PGSSLROOTCERT && { DATA_LAYER_TARGET_SSLROOTCERT: PGSSLROOTCERT }),
  };
}

/** Its two secret parts. ECS takes a secret only where the execution role may read it: the one-off task needs that too. */
export function targetSecrets({ secret }: PostgresDatabase): { [name: string]: ecs.Secret } {
  return {
    DATA_LAYER_TARGET_USER: ecs.Secret.fromSecretsManager(secret, 'username'),
    DATA_LAYER_TARGET_PASSWORD: ecs.Secret.fromSecretsManager(secret, 'password'),
  };
}

/** What RDS and Aurora have in common: where they stand, who gets in, and how they are entered. */
export class PostgresFoundation extends Construct {
  public readonly secret: secretsmanager.Secret;
  public readonly subnetGroup: rds.CfnDBSubnetGroup;
  public readonly securityGroup: ec2.SecurityGroup;

  constructor(scope: Construct, id: string, context: StoreContext, what: string) {
    super(scope, id);
    this.securityGroup = new ec2.SecurityGroup(this, 'SecurityGroup', {
      vpc: context.vpc,
      description: `PostgreSQL (${what}), from the services of the data layer only`,
      allowAllOutbound: false,
    });
    this.subnetGroup = new rds.CfnDBSubnetGroup(this, 'Subnets', {
      dbSubnetGroupDescription: `Subnets of ${this.node.path}`,
      subnetIds: serviceSubnets(this, context.vpc, what),
    });
    this.secret = new secretsmanager.Secret(this, 'Secret', {
      description: `Owner of the database of ${this.node.path}`,
      generateSecretString: {
        secretStringTemplate: JSON.stringify({ username: DATABASE_USER }),
        generateStringKey: 'password',
        // Open WebUI puts the password into a URL as it is: letters and digits only, 190 bits.
        passwordLength: 32,
        excludePunctuation: true,
      },
    });
    Validations.of(this.secret).acknowledge({
      id: 'AwsSolutions-SMG4',
      reason:
        'ECS reads the secret when a task starts and the application keeps its pool: a rotation by schedule would cut it off until the next deployment. The password is generated, never shown, and valid only from the security group of the service.',
    });
    // What a database that outlives its stack needs: its subnet group and security group are in use, and without the
    // secret nobody gets in.
    for (const kept of [this.secret, this.securityGroup]) {
      kept.applyRemovalPolicy(context.removalPolicy);
    }
    this.subnetGroup.applyRemovalPolicy(context.removalPolicy);
  }

  /** What an application needs to connect. */
  public database(host: string, port: string, databaseName: string): PostgresDatabase {
    return {
      host,
      port,
      databaseName,
      secret: this.secret,
      // TLS is forced on the server's side. The server's certificate is not verified: it is issued by an authority of
      // RDS that no image carries, and its bundle does not fit into a task definition.
      tls: { PGSSLMODE: 'require' },
      allowFrom: (peer) => allowInto(peer, this.securityGroup, POSTGRES_PORT, 'PostgreSQL of the data layer'),
    };
  }

  /** The owner's password as RDS takes it: a reference that CloudFormation resolves, in no template and no log. */
  public get masterCredentials(): { masterUsername: string; masterUserPassword: string } {
    return {
      masterUsername: DATABASE_USER,
      masterUserPassword: this.secret.secretValueFromJson('password').unsafeUnwrap(),
    };
  }
}

/** Settings that hold for an instance and for a cluster. */
export const COMMON_SETTINGS = {
  storageEncrypted: true,
  backupRetentionPeriod: BACKUP_RETENTION_DAYS,
  // Apart from AWS Backup's hour for the volume, and before the maintenance window.
  preferredBackupWindow: '14:00-15:00',
  copyTagsToSnapshot: true,
  enableIamDatabaseAuthentication: true,
};

/** Parameters that every PostgreSQL of the data layer gets. */
export const PARAMETERS = {
  // The default since PostgreSQL 15 on RDS; said here so that no default decides it.
  'rds.force_ssl': '1',
};

/** What a database with both keys turned, and only then, lets go of. */
export function deletionProtection(removalPolicy: RemovalPolicy): boolean {
  return removalPolicy !== RemovalPolicy.DESTROY;
}

/** Checks the name of a database (RDS API, CreateDBInstance: letters, digits, underscores, a letter first, 63). */
export function requireDatabaseName(scope: Construct, name: unknown = DATABASE_NAME): string {
  return requireName(
    scope,
    'databaseName',
    name,
    /^(?!(?:postgres|rdsadmin|template[01])$)[A-Za-z][A-Za-z0-9_]{0,62}$/,
    'Pass up to 63 letters, digits and underscores, a letter first; postgres, rdsadmin and template0/1 are taken.',
  );
}

/** Names the database where people look for it. */
export function nameForPeople(resource: Construct): void {
  Tags.of(resource).add('Name', resource.node.path);
}

/** A finding that holds for every PostgreSQL of RDS here. */
export function acknowledgePort(resource: Construct): void {
  Validations.of(resource).acknowledge({
    id: 'AwsSolutions-RDS11',
    reason:
      'The default port is what every client expects, and another one hides nothing: only the security groups of the services get in, and the database has no public address.',
  });
}
