import { compareMonth, deleteMonth, insertMonth, markMonth, Month, TableNames } from './sql';

/** How often a month is loaded anew in one run before it is called different. */
const LOADS = 3;

/** A DML query of Athena ends after 30 minutes by default (Amazon Athena service quotas, read 2026-11). */
const QUERY_SECONDS = 3600;

/** A place in a statement that the state machine fills. */
const place = (expression: string) => `<<${expression}>>`;

/** The statement as a JSONata expression: text, and what is put between. */
function jsonata(sql: string): string {
  const parts = sql.split(/<<(.+?)>>/).map((part, at) => (at % 2 === 0 ? JSON.stringify(part) : part));
  return `{% ${parts.join(' & ')} %}`;
}

const MONTH: Month = { name: place('$month.name'), start: place('$month.start'), end: place('$month.end') };

/** Athena refuses for a while, S3 answers slowly: such things pass. */
const RETRY = [{ ErrorEquals: ['States.ALL'], IntervalSeconds: 30, MaxAttempts: 3, BackoffRate: 3 }];

/** What is told of a month, by the name of its state. */
const told = (state: string, month = '$month.name', more = '') =>
  `{% {"month": ${month}, "state": "${state}"${more}} %}`;
const COMPARED = ', "compared": $compared';

/** The month before and the current one: the one before changes for about two weeks after it closed. */
const RECENT = [
  '$start := $states.context.Execution.StartTime',
  '$year := $number($substring($start, 0, 4))',
  '$current := $number($substring($start, 5, 2))',
  '$name := function($y, $m) { $string($y) & "-" & ($m < 10 ? "0" : "") & $string($m) }',
  '[$current = 1 ? $name($year - 1, 12) : $name($year, $current - 1), $name($year, $current)]',
].join('; ');

const BOUNDS = [
  '$year := $number($substring($states.input, 0, 4))',
  '$current := $number($substring($states.input, 5, 2))',
  '$next := $current = 12 ? 1 : $current + 1',
  '{"name": $states.input, "start": $states.input & "-01 00:00:00", "end": $string($current = 12 ? $year + 1 : $year) & "-" & ($next < 10 ? "0" : "") & $string($next) & "-01 00:00:00"}',
].join('; ');

/** The one row of a result, as an object of its columns. */
const ROW =
  '{% ($rows := $states.result.ResultSet.Rows; $merge($map($rows[0].Data, function($cell, $at) { {$cell.VarCharValue: $rows[1].Data[$at].VarCharValue} }))) %}';

function query(
  workGroup: string,
  sql: string,
  next: { Next: string } | { End: true; Output: string },
  assign?: object,
) {
  return {
    Type: 'Task',
    Resource: 'arn:aws:states:::athena:startQueryExecution.sync',
    Arguments: { QueryString: jsonata(sql), WorkGroup: workGroup },
    TimeoutSeconds: QUERY_SECONDS,
    Retry: RETRY,
    ...(assign && { Assign: assign }),
    ...next,
  };
}

/**
 * The state machine that loads months. Each month is compared first: what is the same already is left alone, so that a
 * run costs little and a second run changes nothing. What differs is deleted and inserted, at most three times, and is
 * marked loaded only when count, sums and fingerprint match the export's.
 */
export function loadDefinition(workGroup: string, tables: TableNames): object {
  const mark = (state: string) =>
    markMonth(tables, {
      name: MONTH.name,
      state,
      rows: place('$compared.source_row_count'),
      billedCost: place('$compared.source_billed_cost'),
      effectiveCost: place('$compared.source_effective_cost'),
      fingerprint: place('$compared.source_fingerprint'),
      execution: place('$execution'),
    });
  return {
    Comment: 'Loads months of the FOCUS export into the table. Input: {} or {"months": ["2026-09"]}.',
    QueryLanguage: 'JSONata',
    StartAt: 'Months',
    States: {
      Months: {
        Type: 'Pass',
        Assign: {
          execution: '{% $states.context.Execution.Name %}',
          months: `{% $exists($states.input.months) ? $states.input.months : (${RECENT}) %}`,
        },
        Next: 'Check months',
      },
      'Check months': {
        Type: 'Choice',
        Choices: [
          {
            Condition:
              '{% $type($months) = "array" ? $count($months) > 0 and $count($filter($months, function($m) { $type($m) = "string" ? $not($contains($m, /^20[0-9][0-9]-(0[1-9]|1[0-2])$/)) : true })) = 0 : false %}',
            Next: 'Each month',
          },
        ],
        Default: 'No months',
      },
      'No months': {
        Type: 'Fail',
        Error: 'NoMonths',
        Cause:
          '{% "months is " & $string($months) & ". Pass a list of months, for example {\\"months\\": [\\"2026-09\\"]}, or {} for the current month and the one before." %}',
      },
      'Each month': {
        Type: 'Map',
        Items: '{% $months %}',
        MaxConcurrency: 1,
        ItemProcessor: {
          ProcessorConfig: { Mode: 'INLINE' },
          StartAt: 'Bounds',
          States: monthStates(workGroup, tables, mark),
        },
        Next: 'Verdict',
      },
      Verdict: {
        Type: 'Choice',
        Choices: [{ Condition: '{% $count($states.input[state = "different"]) > 0 %}', Next: 'Months differ' }],
        Default: 'Done',
      },
      'Months differ': {
        Type: 'Fail',
        Error: 'MonthsDiffer',
        Cause:
          '{% "The table differs from the export after three loads: " & $string($states.input[state = "different"]) & ". Look for rows of another month in the export, or for a run beside this one, then start the state machine again with these months." %}',
      },
      Done: { Type: 'Succeed' },
    },
  };
}

function monthStates(workGroup: string, tables: TableNames, mark: (state: string) => string): object {
  return {
    Bounds: { Type: 'Pass', Assign: { month: `{% (${BOUNDS}) %}`, loads: 0 }, Next: 'Compare' },
    Compare: query(
      workGroup,
      compareMonth(tables, MONTH),
      { Next: 'Read the comparison' },
      {
        query: '{% $states.result.QueryExecution.QueryExecutionId %}',
      },
    ),
    'Read the comparison': {
      Type: 'Task',
      Resource: 'arn:aws:states:::athena:getQueryResults',
      Arguments: { QueryExecutionId: '{% $query %}' },
      TimeoutSeconds: 60,
      Retry: RETRY,
      Assign: { compared: ROW },
      Next: 'Decide',
    },
    Decide: {
      Type: 'Choice',
      Choices: [
        // What was loaded stays when the export is gone or has not come yet.
        { Condition: '{% $compared.source_row_count = "0" and $loads = 0 %}', Next: 'Nothing delivered' },
        { Condition: '{% $compared.source_row_count = "0" %}', Next: 'Mark different' },
        { Condition: '{% $compared.verdict = "same" and $compared.state = "loaded" %}', Next: 'Loaded already' },
        { Condition: '{% $compared.verdict = "same" %}', Next: 'Mark loaded' },
        { Condition: `{% $loads < ${LOADS} %}`, Next: 'Mark loading' },
      ],
      Default: 'Mark different',
    },
    'Mark loading': query(workGroup, mark('loading'), { Next: 'Delete the month' }, { loads: '{% $loads + 1 %}' }),
    'Delete the month': query(workGroup, deleteMonth(tables, MONTH), { Next: 'Insert the month' }),
    // Tried again it may insert twice, which the comparison finds and the next load repairs.
    'Insert the month': query(workGroup, insertMonth(tables, MONTH), { Next: 'Compare' }),
    'Mark loaded': query(workGroup, mark('loaded'), {
      End: true,
      Output: told('loaded', undefined, COMPARED),
    }),
    'Mark different': query(workGroup, mark('different'), {
      End: true,
      Output: told('different', undefined, COMPARED),
    }),
    'Loaded already': { Type: 'Pass', Output: told('unchanged'), End: true },
    'Nothing delivered': { Type: 'Pass', Output: told('not delivered'), End: true },
  };
}
