import { Interpreter, Outcome } from './state-machine';
import { resources } from './template';
import { Answer, Trino } from './trino';

interface Column {
  readonly Name: string;
  readonly Type: string;
}

/** The types of Glue and of Iceberg in Trino's words. */
const TYPES: { [type: string]: string } = {
  string: 'varchar',
  double: 'double',
  timestamp: 'timestamp(6)',
  long: 'bigint',
  'map<string,string>': 'map(varchar, varchar)',
  'map<string,double>': 'map(varchar, double)',
};
const trinoType = (type: string) => TYPES[type] ?? type;

/**
 * What the template makes, with Trino in the place of Athena: the tables with the columns of the template, and the
 * state machine of the template, whose calls of Athena are answered here.
 */
export class Account {
  public static async make(): Promise<Account> {
    const tables = resources('AWS::S3Tables::Table') as {
      TableName: string;
      IcebergMetadata: { IcebergSchema: { SchemaFieldList: Column[] } };
    }[];
    const [{ Name: workGroup }] = resources('AWS::Athena::WorkGroup') as { Name: string }[];
    const [{ TableBucketName }] = resources('AWS::S3Tables::TableBucket') as { TableBucketName: string }[];
    const [{ DatabaseName, TableInput }] = resources('AWS::Glue::Table') as {
      DatabaseName: string;
      TableInput: { Name: string; PartitionKeys: Column[]; StorageDescriptor: { Columns: Column[] } };
    }[];
    const [{ DefinitionString }] = resources('AWS::StepFunctions::StateMachine') as { DefinitionString: string }[];
    const catalog = `s3tablescatalog/${TableBucketName}`;
    const trino = await Trino.start(catalog, 'awsdatacatalog');

    const create = (table: string, columns: Column[]) =>
      trino.query(
        `CREATE TABLE ${table} AS SELECT ${columns.map(({ Name, Type }) => `CAST(NULL AS ${trinoType(Type)}) AS "${Name}"`).join(', ')} WHERE false`,
      );
    await trino.query(`CREATE SCHEMA "${catalog}"."focus"`);
    for (const { TableName, IcebergMetadata } of tables) {
      await create(`"${catalog}"."focus"."${TableName}"`, IcebergMetadata.IcebergSchema.SchemaFieldList);
    }
    await trino.query(`CREATE SCHEMA "awsdatacatalog"."${DatabaseName}"`);
    const source = `"awsdatacatalog"."${DatabaseName}"."${TableInput.Name}"`;
    const columns = [...TableInput.StorageDescriptor.Columns, ...TableInput.PartitionKeys];
    await create(source, columns);
    return new Account(trino, workGroup, source, `"${catalog}"."focus"`, columns, JSON.parse(DefinitionString));
  }

  /** Statements that Athena was given since the last look. */
  public statements: string[] = [];
  /** Answers an Athena call in place of Trino: for what goes wrong. */
  public interrupt?: (sql: string) => Promise<void> | void;
  private readonly answers = new Map<string, Answer>();

  private constructor(
    public readonly trino: Trino,
    private readonly workGroup: string,
    public readonly source: string,
    private readonly schema: string,
    private readonly columns: Column[],
    private readonly definition: ConstructorParameters<typeof Interpreter>[0],
  ) {}

  public get costs(): string {
    return `${this.schema}."cost_and_usage_v1_2"`;
  }

  public get loads(): string {
    return `${this.schema}."month_loads"`;
  }

  /** Runs the state machine. */
  public async load(input: unknown, startTime: string, name = 'run'): Promise<Outcome> {
    this.statements = [];
    const context = { Execution: { Name: name, StartTime: startTime } };
    return new Interpreter(this.definition, context, (resource, args) => this.athena(resource, args)).execute(input);
  }

  /** Rows of an export for a month, the same for the same numbers. */
  public async deliver(month: string, from: number, to: number, period = month): Promise<void> {
    const start = `TIMESTAMP '${month}-01 00:00:00'`;
    const value = ({ Name, Type }: Column): string => {
      const special: { [name: string]: string } = {
        billing_period: `'${period}'`,
        billingperiodstart: start,
        billingperiodend: `date_add('month', 1, ${start})`,
        servicename: `'Service ' || CAST(i % 7 AS varchar)`,
        subaccountid: `lpad(CAST(i % 3 AS varchar), 12, '0')`,
        billingcurrency: `'USD'`,
        chargecategory: `CASE i % 10 WHEN 9 THEN 'Tax' ELSE 'Usage' END`,
        commitmentdiscountstatus: `CASE i % 4 WHEN 0 THEN 'Used' WHEN 1 THEN 'Unused' END`,
        tags: `CASE i % 5 WHEN 0 THEN NULL ELSE map(ARRAY['team', 'env'], ARRAY['t' || CAST(i % 2 AS varchar), 'prod']) END`,
      };
      const byType: { [type: string]: string } = {
        string: `CASE i % 11 WHEN 0 THEN NULL ELSE '${Name} O''Brien ' || CAST(i % 13 AS varchar) END`,
        double: 'CASE i % 17 WHEN 0 THEN NULL ELSE CAST(i AS double) * 0.1e0 / 3e0 END',
        timestamp: `date_add('day', i % 28, ${start})`,
        'map<string,string>': `map(ARRAY['b', 'a'], ARRAY[CAST(i AS varchar), '"'])`,
        'map<string,double>': `map(ARRAY['x'], ARRAY[CAST(i AS double)])`,
      };
      return `CAST(${special[Name] ?? byType[Type]} AS ${trinoType(Type)})`;
    };
    await this.trino.query(
      `INSERT INTO ${this.source} SELECT ${this.columns.map(value).join(', ')} FROM UNNEST(sequence(${from}, ${to})) AS t (i)`,
    );
  }

  /** The state of each month, as the last mark has it. */
  public async states(): Promise<{ [month: string]: string }> {
    const { rows } = await this.trino.query(
      `SELECT "billing_period", max_by("state", "marked_at") FROM ${this.loads} GROUP BY 1 ORDER BY 1`,
    );
    return Object.fromEntries(rows) as { [month: string]: string };
  }

  private async athena(resource: string, args: Record<string, unknown>): Promise<unknown> {
    switch (resource) {
      case 'arn:aws:states:::athena:startQueryExecution.sync': {
        expect(args).toEqual({ QueryString: expect.any(String), WorkGroup: this.workGroup });
        const sql = args.QueryString as string;
        // The longest statement that Athena takes (Amazon Athena service quotas, read 2026-11).
        expect(Buffer.byteLength(sql)).toBeLessThan(262144);
        this.statements.push(sql);
        await this.interrupt?.(sql);
        const QueryExecutionId = `query-${this.answers.size}`;
        this.answers.set(QueryExecutionId, await this.trino.query(sql));
        return { QueryExecution: { QueryExecutionId, Status: { State: 'SUCCEEDED' } } };
      }
      case 'arn:aws:states:::athena:getQueryResults': {
        const { columns, rows } = this.answers.get(args.QueryExecutionId as string)!;
        const data = (values: (string | null)[]) => ({
          Data: values.map((value) => (value === null ? {} : { VarCharValue: value })),
        });
        return { ResultSet: { Rows: [data(columns), ...rows.map(data)] } };
      }
      default:
        throw new Error(`${resource} is not Athena`);
    }
  }
}
