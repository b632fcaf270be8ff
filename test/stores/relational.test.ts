import { App, Stack } from 'aws-cdk-lib';
import { Match, Template } from 'aws-cdk-lib/assertions';
import * as ec2 from 'aws-cdk-lib/aws-ec2';
import * as ecs from 'aws-cdk-lib/aws-ecs';
import * as rds from 'aws-cdk-lib/aws-rds';
import { AwsSolutionsChecks } from 'cdk-nag';
import {
  EfsDataLayer,
  EfsDataLayerProps,
  EfsSafetyChecks,
  MigrationPhase,
  PostgresTls,
  RelationalStore,
  VectorStore,
} from '../../lib';
import { RDS_POSTGRES_VERSION } from '../../lib/stores/relational/rds-postgres';
import { AURORA_POSTGRES_VERSION } from '../../lib/stores/relational/aurora-serverless-v2';
import { entryScript, MAX_ENTRY_BYTES } from '../../lib/stores/entry';
import { dataLayer, importedVpc } from '../helpers';
import { containerNamed, openWebUi } from './helpers';

const SECRET = 'arn:aws:secretsmanager:us-east-1:123456789012:secret:db-AbCdEf';

/** The newest of the versions that the CDK knows, by number; two-digit majors, so that text does not decide. */
function newest(engine: object, property: string): string {
  const versions = Object.entries(engine)
    .filter(([name]) => /^VER_\d/.test(name))
    .map(([, version]) => (version as unknown as Record<string, string>)[property]);
  const key = (version: string) => version.split('.').reduce((sum, part, at) => sum + Number(part) / 1000 ** at, 0);
  return versions.reduce((best, version) => (key(version) > key(best) ? version : best));
}

describe('rdsPostgres', () => {
  const { template } = dataLayer({ relational: RelationalStore.rdsPostgres() });
  test('small, encrypted, backed up, protected, not public, the newest PostgreSQL', () => {
    template.hasResource('AWS::RDS::DBInstance', {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        Engine: 'postgres',
        EngineVersion: newest(rds.PostgresEngineVersion, 'postgresFullVersion'),
        DBInstanceClass: 'db.t4g.micro',
        AllocatedStorage: '20',
        StorageType: 'gp3',
        StorageEncrypted: true,
        BackupRetentionPeriod: 7,
        DeletionProtection: true,
        DeleteAutomatedBackups: false,
        PubliclyAccessible: false,
        DBName: 'openwebui',
      },
    });
  });
  test('the server refuses a connection without TLS', () => {
    template.hasResourceProperties('AWS::RDS::DBParameterGroup', {
      Family: `postgres${RDS_POSTGRES_VERSION.postgresMajorVersion}`,
      Parameters: { 'rds.force_ssl': '1' },
    });
  });
  test('its password is generated, needs no quoting in a URL, and is in no template', () => {
    template.hasResource('AWS::SecretsManager::Secret', {
      DeletionPolicy: 'Retain',
      Properties: { GenerateSecretString: { ExcludePunctuation: true, PasswordLength: 32 } },
    });
    const [database] = Object.values(template.findResources('AWS::RDS::DBInstance'));
    expect(JSON.stringify(database.Properties.MasterUserPassword)).toContain('{{resolve:secretsmanager:');
  });
  test('nobody is let in until a service is made, then that service alone', () => {
    template.resourceCountIs('AWS::EC2::SecurityGroupIngress', 0);
    const stack = new Stack(new App(), 'Test');
    const data = new EfsDataLayer(stack, 'Data', { relational: RelationalStore.rdsPostgres() });
    data.openWebUi.runOn(new ecs.Cluster(stack, 'Cluster', { vpc: data.vpc }));
    const rules = Object.values(Template.fromStack(stack).findResources('AWS::EC2::SecurityGroupIngress'));
    const toDatabase = rules.filter(({ Properties }) => Properties.FromPort === 5432);
    expect(toDatabase).toHaveLength(1);
    expect(JSON.stringify(toDatabase[0].Properties.SourceSecurityGroupId)).toContain('OpenWebUi');
    expect(toDatabase[0].Properties.CidrIp).toBeUndefined();
  });
  test('what keeps a database reachable stays with it when the stack goes', () => {
    for (const type of ['AWS::RDS::DBSubnetGroup', 'AWS::RDS::DBParameterGroup']) {
      template.allResources(type, { DeletionPolicy: 'Retain', UpdateReplacePolicy: 'Retain' });
    }
    const groups = template.findResources('AWS::EC2::SecurityGroup', {
      Properties: { GroupDescription: Match.stringLikeRegexp('^PostgreSQL') },
    });
    expect(Object.values(groups).map(({ DeletionPolicy }) => DeletionPolicy)).toEqual(['Retain']);
  });
  test('its size is a prop', () => {
    const { template: larger } = dataLayer({
      relational: RelationalStore.rdsPostgres({
        instanceType: ec2.InstanceType.of(ec2.InstanceClass.T4G, ec2.InstanceSize.SMALL),
        allocatedStorageGiB: 50,
        databaseName: 'chats',
      }),
    });
    larger.hasResourceProperties('AWS::RDS::DBInstance', {
      DBInstanceClass: 'db.t4g.small',
      AllocatedStorage: '50',
      MaxAllocatedStorage: 250,
      DBName: 'chats',
    });
  });
});

describe('auroraServerlessV2', () => {
  test('scales to nothing, and no higher than it is told', () => {
    const { template } = dataLayer({ relational: RelationalStore.auroraServerlessV2({ maxCapacity: 4 }) });
    template.hasResource('AWS::RDS::DBCluster', {
      DeletionPolicy: 'Retain',
      UpdateReplacePolicy: 'Retain',
      Properties: {
        EngineVersion: newest(rds.AuroraPostgresEngineVersion, 'auroraPostgresFullVersion'),
        ServerlessV2ScalingConfiguration: { MinCapacity: 0, MaxCapacity: 4, SecondsUntilAutoPause: 300 },
        StorageEncrypted: true,
        BackupRetentionPeriod: 7,
        DeletionProtection: true,
      },
    });
    template.hasResourceProperties('AWS::RDS::DBInstance', {
      DBInstanceClass: 'db.serverless',
      PubliclyAccessible: false,
    });
    template.hasResourceProperties('AWS::RDS::DBClusterParameterGroup', {
      Family: `aurora-postgresql${AURORA_POSTGRES_VERSION.auroraPostgresMajorVersion}`,
      Parameters: { 'rds.force_ssl': '1' },
    });
  });
  test('one that never pauses has no pause', () => {
    const { template } = dataLayer({ relational: RelationalStore.auroraServerlessV2({ minCapacity: 0.5 }) });
    template.hasResourceProperties('AWS::RDS::DBCluster', {
      ServerlessV2ScalingConfiguration: { MinCapacity: 0.5, MaxCapacity: 1, SecondsUntilAutoPause: Match.absent() },
    });
  });
});

describe('external', () => {
  const store = (tls?: PostgresTls) =>
    RelationalStore.external({ host: 'db.example.com', port: 6432, databaseName: 'chats', secretArn: SECRET, tls });
  test('makes nothing and verifies the server', () => {
    const { template } = dataLayer({ relational: store() });
    expect(JSON.stringify(template.toJSON())).not.toContain('AWS::RDS');
    expect(openWebUi(template).environment).toMatchObject({
      DATABASE_HOST: 'db.example.com',
      DATABASE_PORT: '6432',
      DATABASE_NAME: 'chats',
      PGSSLMODE: 'verify-full',
      PGSSLROOTCERT: '/etc/ssl/certs/ca-certificates.crt',
    });
  });
  test('never goes below encryption', () => {
    expect(openWebUi(dataLayer({ relational: store(PostgresTls.REQUIRE) }).template).environment).toMatchObject({
      PGSSLMODE: 'require',
    });
  });
});

describe('connect', () => {
  test('a container of one’s own is told where PostgreSQL is, and its service let in', () => {
    const stack = new Stack(new App(), 'Test');
    const image = ecs.ContainerImage.fromRegistry('example/crew:1.0');
    const data = new EfsDataLayer(stack, 'Data', {
      relational: RelationalStore.rdsPostgres(),
      knowledge: { image, command: ['python', 'crew.py'] },
    });
    const { service } = data.knowledge.runOn(new ecs.Cluster(stack, 'Cluster', { vpc: data.vpc }));
    data.stores.connect(data.knowledge.container, service);
    const template = Template.fromStack(stack);
    const { environment, secrets } = containerNamed(template, 'knowledge');
    expect(environment).toMatchObject({
      PGHOST: { 'Fn::GetAtt': [expect.any(String), 'Endpoint.Address'] },
      PGDATABASE: 'openwebui',
      PGSSLMODE: 'require',
    });
    expect(secrets).toEqual(['PGPASSWORD', 'PGUSER']);
    const rules = Object.values(template.findResources('AWS::EC2::SecurityGroupIngress'));
    expect(rules.filter(({ Properties }) => Properties.FromPort === 5432)).toHaveLength(1);
  });
  test('without PostgreSQL it says so', () => {
    const { data } = dataLayer();
    expect(() => data.stores.connect(data.knowledge.container, { connections: new ec2.Connections() })).toThrow(
      /relational is sqlite-on-efs, which is no PostgreSQL.*rdsPostgres/s,
    );
  });
});

describe('phases', () => {
  const at = (phase: MigrationPhase) =>
    openWebUi(dataLayer({ relational: RelationalStore.rdsPostgres({ phase }) }).template);
  const sqlite = openWebUi(dataLayer().template);

  /** What is for the mover alone: `efs-data-layer migrate` reads it from the task definition. */
  const ofTheMover = (name: string) => name.startsWith('DATA_LAYER_TARGET_');
  test('PREPARE: the application is exactly as it was, and the mover is told the target beside it', () => {
    const { environment, secrets, ...rest } = at(MigrationPhase.PREPARE);
    const own = Object.fromEntries(Object.entries(environment).filter(([name]) => !ofTheMover(name)));
    expect({ environment: own, secrets: secrets.filter((name) => !ofTheMover(name)), ...rest }).toEqual(sqlite);
    expect(environment).toMatchObject({
      DATA_LAYER_TARGET_HOST: { 'Fn::GetAtt': [expect.any(String), 'Endpoint.Address'] },
      DATA_LAYER_TARGET_PORT: { 'Fn::GetAtt': [expect.any(String), 'Endpoint.Port'] },
      DATA_LAYER_TARGET_NAME: 'openwebui',
      DATA_LAYER_TARGET_SSLMODE: 'require',
    });
    expect(secrets).toEqual(['DATA_LAYER_TARGET_PASSWORD', 'DATA_LAYER_TARGET_USER']);
  });
  test('PREPARE with a database that exists: its certificate is verified by the mover as by the application', () => {
    const relational = RelationalStore.external({
      host: 'db.example.com',
      secretArn: SECRET,
      phase: MigrationPhase.PREPARE,
    });
    expect(openWebUi(dataLayer({ relational }).template).environment).toMatchObject({
      DATA_LAYER_TARGET_HOST: 'db.example.com',
      DATA_LAYER_TARGET_SSLMODE: 'verify-full',
      DATA_LAYER_TARGET_SSLROOTCERT: '/etc/ssl/certs/ca-certificates.crt',
    });
  });
  test.each(Object.values(MigrationPhase))(
    '%s: the one-off task gets to the database, by the service’s network and its execution role',
    (phase) => {
      const stack = new Stack(new App(), 'Test');
      const data = new EfsDataLayer(stack, 'Data', { relational: RelationalStore.rdsPostgres({ phase }) });
      data.openWebUi.runOn(new ecs.Cluster(stack, 'Cluster', { vpc: data.vpc }));
      const template = Template.fromStack(stack);
      const rules = Object.values(template.findResources('AWS::EC2::SecurityGroupIngress'));
      expect(rules.filter(({ Properties }) => Properties.FromPort === 5432)).toHaveLength(1);
      const [secret] = Object.keys(template.findResources('AWS::SecretsManager::Secret'));
      const task = Object.values(template.findResources('AWS::ECS::TaskDefinition')).find(({ Properties }) =>
        JSON.stringify(Properties).includes(secret),
      )!;
      const role = task.Properties.ExecutionRoleArn['Fn::GetAtt'][0] as string;
      template.hasResourceProperties('AWS::IAM::Policy', {
        Roles: [{ Ref: role }],
        PolicyDocument: Match.objectLike({
          Statement: Match.arrayWith([
            Match.objectLike({
              Action: Match.arrayWith(['secretsmanager:GetSecretValue']),
              Resource: { Ref: secret },
            }),
          ]),
        }),
      });
    },
  );
  test.each([MigrationPhase.CUTOVER, MigrationPhase.COMPLETE])(
    '%s: the application is on the database, asked for before it starts, and SQLite is out of the keeper’s hands',
    (phase) => {
      const { environment, secrets, command } = at(phase);
      expect(environment).toMatchObject({
        DATA_DIR: '/mnt/open-webui',
        DATABASE_TYPE: 'postgresql',
        DATABASE_NAME: 'openwebui',
        PGSSLMODE: 'require',
        DATA_LAYER_PHASE: phase.toLowerCase(),
        DATA_LAYER_DIR: '/mnt/open-webui',
        KEEPER_STORES: 'vector_db/',
      });
      expect(environment).not.toHaveProperty('DATABASE_URL');
      expect(Object.keys(environment).filter(ofTheMover)).toEqual([]);
      expect(secrets).toEqual(['DATABASE_PASSWORD', 'DATABASE_USER']);
      expect(command).toEqual(['run', '--', 'python3', '-c', entryScript(), 'bash', 'start.sh']);
    },
  );
  test('without a phase it is the one of a new installation', () => {
    expect(openWebUi(dataLayer({ relational: RelationalStore.rdsPostgres() }).template).environment).toMatchObject({
      DATA_LAYER_PHASE: 'cutover',
    });
  });
  test('with the vectors elsewhere too, the keeper passes through', () => {
    const { template } = dataLayer({ relational: RelationalStore.rdsPostgres(), vectors: VectorStore.pgvector() });
    const { environment, entryPoint, command } = openWebUi(template);
    expect(entryPoint).toEqual(['python3', '-c', entryScript()]);
    expect(command).toEqual(['bash', 'start.sh']);
    expect(Object.keys(environment).filter((name) => name.startsWith('KEEPER_'))).toEqual([]);
    template.hasResourceProperties('AWS::EFS::AccessPoint', {
      RootDirectory: { Path: '/open-webui' },
      AccessPointTags: Match.arrayWith([{ Key: 'data-layer:writers', Value: 'many' }]),
    });
  });
  test('the entry program leaves room for the keeper in a task definition', () => {
    expect(Buffer.byteLength(entryScript())).toBeLessThan(MAX_ENTRY_BYTES);
    const { template } = dataLayer({ relational: RelationalStore.rdsPostgres() });
    const tasks = Object.values(template.findResources('AWS::ECS::TaskDefinition'));
    for (const task of tasks) {
      expect(Buffer.byteLength(JSON.stringify(task.Properties))).toBeLessThan(65536 - 4096);
    }
  });
});

test.each<[string, EfsDataLayerProps]>([
  ['RDS', { relational: RelationalStore.rdsPostgres() }],
  ['Aurora', { relational: RelationalStore.auroraServerlessV2() }],
  ['external', { relational: RelationalStore.external({ host: 'db.example.com', secretArn: SECRET }) }],
])('%s passes cdk-nag and the safety checks', (_name, props) => {
  const app = new App();
  const stack = new Stack(app, 'Test');
  const data = new EfsDataLayer(stack, 'Data', { vectors: VectorStore.pgvector(), ...props });
  data.openWebUi.runOn(
    new ecs.Cluster(stack, 'Cluster', { vpc: data.vpc, containerInsightsV2: ecs.ContainerInsights.ENABLED }),
  );
  for (const checks of [new AwsSolutionsChecks(), new EfsSafetyChecks()]) {
    expect(checks.validateScope(app).violations.map(({ ruleName }) => ruleName)).toEqual([]);
  }
});

describe('refuses', () => {
  const external = { host: 'db.example.com', secretArn: SECRET };
  const cases: [() => RelationalStore, RegExp][] = [
    [
      () => RelationalStore.rdsPostgres({ phase: 'cutover' as never }),
      /phase is "cutover".*PREPARE, CUTOVER, COMPLETE/s,
    ],
    [() => RelationalStore.rdsPostgres({ allocatedStorageGiB: 10 }), /allocatedStorageGiB is 10.*20 to 65536/s],
    [
      () => RelationalStore.rdsPostgres({ instanceType: 't4g.micro' as never }),
      /instanceType is "t4g.micro".*InstanceType.of/s,
    ],
    [
      () => RelationalStore.rdsPostgres({ engineVersion: '18' as never }),
      /engineVersion is not a version of PostgreSQL/,
    ],
    [() => RelationalStore.rdsPostgres({ databaseName: 'open-webui' }), /databaseName is "open-webui"/],
    [() => RelationalStore.rdsPostgres({ databaseName: 'postgres' }), /databaseName is "postgres".*are taken/s],
    [() => RelationalStore.auroraServerlessV2({ maxCapacity: 0.5 }), /maxCapacity is 0.5.*from 1 to 256/s],
    [() => RelationalStore.auroraServerlessV2({ minCapacity: 2 }), /minCapacity is 2.*from 0 to 1/s],
    [() => RelationalStore.auroraServerlessV2({ minCapacity: 0.3 }), /minCapacity is 0.3.*steps of 0.5/s],
    [
      () => RelationalStore.external({ ...external, host: 'postgresql://db' }),
      /host is "postgresql:\/\/db".*host name alone/s,
    ],
    [
      () => RelationalStore.external({ ...external, secretArn: 'my-secret' }),
      /secretArn is "my-secret".*complete ARN/s,
    ],
    [() => RelationalStore.external({ ...external, port: 0 }), /port is 0/],
    [
      () => RelationalStore.external({ ...external, tls: 'NONE' as never }),
      /tls is "NONE".*VERIFY or PostgresTls.REQUIRE/s,
    ],
    [() => RelationalStore.external(undefined as never), /external\(\) is null.*host, secretArn/s],
  ];
  test.each(cases)('%#', (make, message) => {
    expect(() => dataLayer({ relational: make() })).toThrow(message);
  });
  test('a VPC that has no two zones for it', () => {
    expect(() =>
      dataLayer((stack) => ({
        vpc: importedVpc(stack, ['us-east-1a', 'us-east-1b'], {
          isolatedSubnetIds: undefined,
          isolatedSubnetRouteTableIds: undefined,
          publicSubnetIds: ['subnet-0000000a', 'subnet-0000000b'],
          publicSubnetRouteTableIds: ['rtb-0000000a', 'rtb-0000000b'],
        }),
        relational: RelationalStore.rdsPostgres(),
      })),
    ).toThrow(/RDS needs two/);
  });
  test('a store that is none', () => {
    expect(() => dataLayer({ relational: 'rds-postgres' as never })).toThrow(/relational is "rds-postgres"/);
  });
  test.each(['DATABASE_URL', 'DATABASE_PASSWORD', 'DATABASE_HOST'])('secrets that set %s', (name) => {
    expect(() =>
      dataLayer({ relational: RelationalStore.rdsPostgres(), openWebUi: { secrets: { [name]: secretNamed() } } }),
    ).toThrow(new RegExp(`secrets sets ${name}`));
  });
});

function secretNamed(): ecs.Secret {
  return { arn: SECRET, grantRead: () => undefined as never } as unknown as ecs.Secret;
}
