import * as fs from 'fs';
import { CloudFormationClient, DescribeStacksCommand } from '@aws-sdk/client-cloudformation';
import { mockClient } from 'aws-sdk-client-mock';
import { Collection, Fault, inMemory, Reply } from './collection';
import { DOCUMENTS, evidence, FILES, search, write } from './helpers';

const RUN = 'reports/monthly/MONTH=2026-10/run=20261101T060000Z';
type Doc = Record<string, unknown>;

let root = '';
let stored: Map<string, Doc>;
let collection: Collection;
const index = (...more: string[]) => search([root, '--endpoint', collection.endpoint, ...more]);
const docs = (kind = 'document') => [...stored.values()].filter((one) => one.kind === kind);
const bulks = () => collection.requests.filter(({ path }) => path.endsWith('_bulk'));
const lines = (name: string) =>
  docs()
    .filter(({ path }) => path === name)
    .map(({ line }) => line);

beforeEach(async () => {
  stored = new Map();
  collection = await Collection.open(inMemory(stored));
  root = evidence(FILES);
});
afterEach(async () => {
  expect(collection.refusedSignatures).toEqual([]);
  await collection.close();
  fs.rmSync(root, { recursive: true });
});

/** Answers the first bulk requests with these, then as the backend does. */
function faults(...given: (ReturnType<Fault> | ((body: string) => Reply))[]): Fault {
  return (_method, path, body) => {
    const next = path.endsWith('_bulk') ? given.shift() : undefined;
    return typeof next === 'function' ? next(body) : next;
  };
}

test('every piece of text is one document that says where it stands', async () => {
  expect(await index()).toMatchObject({ code: 0, notes: [] });
  expect(docs()).toHaveLength(DOCUMENTS);
  const of = (path: string) => docs().filter((one) => one.path === path);
  expect(of(`${RUN}/summary.md`).map(({ line, title }) => [line, title])).toEqual([
    [1, 'Spend in October'],
    [5, 'Storage'],
  ]);
  expect(of(`${RUN}/by-team.csv`)).toEqual([
    expect.objectContaining({
      dataset: 'reports/monthly',
      month: '2026-10',
      run: 'run=20261101T060000Z',
      line: 2,
      text: 'team: alpha\ncost: 10\nnote: new, bigger\nnodes',
    }),
    expect.objectContaining({ line: 4, text: 'team: beta\ncost: 20' }),
  ]);
  expect(of('findings/rightsizing/MONTH=2026-10/findings.json')).toEqual([
    expect.objectContaining({
      line: 2,
      title: 'Idle database',
      text: expect.stringContaining('resource.region: eu-west-1'),
    }),
    expect.objectContaining({ line: 10, title: 'Unattached volume' }),
  ]);
  expect(lines('findings/stream.jsonl')).toEqual([1, 3]);
  expect(of('findings/packed.tsv.gz')[0].text).toBe('name: zebra\nvalue: striped');
  expect(docs().some(({ path }) => String(path).startsWith('focus/'))).toBe(false);
});

test('a second run reads, and sends nothing; a third, of the changed file only', async () => {
  await index();
  const sent = bulks().length;
  expect((await index()).said[0]).toMatch(/^0 file\(s\) indexed with 0 document\(s\), 6 unchanged/);
  expect(bulks()).toHaveLength(sent);
  write(root, { 'findings/stream.jsonl': '{"title":"second","n":2}\n{"title":"third","n":3}\n' });
  expect((await index()).said[0]).toMatch(
    /^1 file\(s\) indexed with 2 document\(s\), 5 unchanged; 2 document\(s\) of earlier/,
  );
  expect(
    docs()
      .filter(({ path }) => path === 'findings/stream.jsonl')
      .map(({ title }) => title)
      .sort(),
  ).toEqual(['second', 'third']);
});

const busy = (status: number, headers?: Record<string, string>): Reply => ({
  status,
  body: { message: 'busy' },
  headers,
});
test.each<[string, Fault, number]>([
  [
    'too many requests, with a time to wait',
    faults(busy(429, { 'retry-after': '7' }), busy(429, { 'retry-after': '7' })),
    14_000,
  ],
  ['a collection that wakes up', faults(busy(503), busy(503), busy(503)), 3500],
  ['a gateway that has enough', faults(busy(504)), 500],
  ['a broken connection', faults('hang up'), 500],
  ['an answer that is lost after the work is done', faults('later', 'later'), 1500],
])('%s: it waits, sends again, and nothing is there twice', async (_name, fault, waited) => {
  collection.fault = fault;
  const done = await index();
  expect(done).toMatchObject({ code: 0 });
  expect(done.waited).toBeGreaterThanOrEqual(waited);
  expect(docs()).toHaveLength(DOCUMENTS);
});

test('of a batch only what was refused for being too many is sent again', async () => {
  write(root, {
    'findings/many.jsonl': Array.from({ length: 50 }, (_, n) => JSON.stringify({ title: `n${n}` })).join('\n'),
  });
  const backend = inMemory(stored);
  const sizes: number[] = [];
  collection.fault = (method, path, body) => {
    if (!path.endsWith('_bulk') || !body.includes('many.jsonl') || sizes.length > 1) {
      return undefined;
    }
    const pairs = body.trimEnd().match(/.*\n.*(\n|$)/g)!;
    sizes.push(pairs.length);
    // The first three are taken, the others are too many.
    const taken = backend(method, path, pairs.slice(0, 3).join('')) as { body: { items: object[] } };
    const items = [...taken.body.items, ...pairs.slice(3).map(() => ({ index: { status: 429 } }))];
    return { status: 200, body: { errors: true, items } };
  };
  expect(await index()).toMatchObject({ code: 0 });
  expect(sizes).toEqual([50, 47]);
  expect(docs()).toHaveLength(DOCUMENTS + 50);
});

test('a request that is too large is split; a document that is too large is said', async () => {
  const big = (word: string) => JSON.stringify({ title: word, text: `${word} `.repeat(3000) });
  write(root, { 'findings/big.jsonl': ['a', 'b', 'huge'].map(big).join('\n') });
  collection.fault = (_method, path, body) =>
    path.endsWith('_bulk') && (body.length > 14_000 || body.includes('huge huge'))
      ? { status: 413, body: {} }
      : undefined;
  const { code, notes } = await index();
  expect(code).toBe(65);
  expect(notes.join('\n')).toMatch(/findings\/big\.jsonl:3: it is too large for one request/);
  expect(lines('findings/big.jsonl')).toEqual([1, 2]);
});

test('what the service refuses is said with file and line, the rest is indexed', async () => {
  collection.fault = faults((body) => {
    const count = body.trimEnd().split('\n').length / 2;
    const item = { index: { status: 400, error: { type: 'mapper_parsing_exception', reason: 'failed to parse' } } };
    return { status: 200, body: { items: Array(count).fill(item) } };
  });
  const { code, notes } = await index();
  expect(code).toBe(65);
  expect(notes[0]).toMatch(/:\d+: it was refused with 400 mapper_parsing_exception: failed to parse$/);
  expect(docs().length).toBeGreaterThan(0);
  // Its file is read again, because it was not noted.
  expect(await index()).toMatchObject({ code: 0 });
  expect(docs()).toHaveLength(DOCUMENTS);
});

test('ended in the middle, the next run goes on where it was', async () => {
  let left = 3;
  collection.fault = (_method, path) =>
    path.endsWith('_bulk') && left-- <= 0 ? { status: 403, body: { message: 'Forbidden' } } : undefined;
  const failed = await index();
  expect(failed).toMatchObject({ code: 1 });
  expect(failed.all).toMatch(/answered with 403.*data access policy.*indexerArns/s);
  const noted = docs('file').length;
  expect(noted).toBeGreaterThan(0);
  collection.fault = () => undefined;
  expect((await index()).said[0]).toMatch(new RegExp(`, ${noted} unchanged`));
  expect(docs()).toHaveLength(DOCUMENTS);
});

test('a service that stays busy: it gives up after ten minutes and says that nothing is lost', async () => {
  collection.fault = (_method, path) => (path.endsWith('_bulk') ? busy(429) : undefined);
  const { code, all, waited } = await index();
  expect(code).toBe(1);
  expect(waited).toBeGreaterThanOrEqual(600_000);
  expect(all).toMatch(/for 10 minutes, at last with: 429.*run the command again later/s);
});

test('damaged files: each with its line, the others and their other lines are indexed', async () => {
  const packed = (FILES['findings/packed.tsv.gz'] as Uint8Array).slice(0, 20);
  write(root, {
    'findings/half.jsonl': '{"title":"good"}\n{"title":\n{"title":"good too"}',
    'findings/broken.json': '[\n {"a": 1},\n {"b": }\n]',
    'findings/quote.csv': 'a,b\n1,2\n3,"open\n5,6\n',
    'findings/fields.csv': 'a,b\n1,2,3\n4,5\n',
    'findings/latin1.txt': new Uint8Array([0x66, 0xfc, 0x72, 10, 0x6f, 0x6b]),
    'findings/cut.tsv.gz': packed,
    'findings/list.zip': 'PK',
    'findings/empty.csv': '',
  });
  const { code, notes, said } = await index();
  expect(code).toBe(65);
  const problems = notes.join('\n');
  expect(problems).toMatch(/findings\/half\.jsonl:2: it is no JSON/);
  expect(problems).toMatch(/findings\/broken\.json:3: it is no JSON/);
  expect(problems).toMatch(/findings\/quote\.csv:3: a quote is not closed/);
  expect(problems).toMatch(/findings\/fields\.csv:2: it has 3 fields, the first line has 2/);
  expect(problems).toMatch(/findings\/latin1\.txt:1: it is no UTF-8/);
  expect(problems).toMatch(/findings\/cut\.tsv\.gz: it cannot be read to its end: the \.gz is cut off/);
  expect(lines('findings/half.jsonl')).toEqual([1, 3]);
  expect(lines('findings/quote.csv')).toEqual([2, 4]);
  expect(lines('findings/fields.csv')).toEqual([3]);
  expect(docs().find(({ path }) => path === 'findings/latin1.txt')!.text).toBe('ok');
  expect(said.join('\n')).toMatch(/2 file\(s\) of other kinds were left out/);
});

test('a long text is several documents, none longer than people read', async () => {
  write(root, { 'reports/long.txt': 'word '.repeat(20_000) });
  await index();
  const texts = docs()
    .filter(({ path }) => path === 'reports/long.txt')
    .map(({ text }) => text as string);
  expect(texts.length).toBeGreaterThan(0);
  expect(Math.max(...texts.map((text) => text.length))).toBeLessThanOrEqual(32 << 10);
});

describe('bad input', () => {
  test('a key that is not the right one', async () => {
    const done = await search([root, '--endpoint', collection.endpoint], {
      keys: { accessKeyId: 'AKIDOTHER', secretAccessKey: 'x' },
    });
    expect(done).toMatchObject({ code: 1 });
    expect(done.all).toMatch(/403 .*aoss:APIAccessAll/s);
    expect(collection.refusedSignatures.splice(0)).toHaveLength(1);
  });
  test.each<[string[], RegExp]>([
    [['/nowhere', '--endpoint', 'https://x.aoss.amazonaws.com'], /\[\/nowhere\] It is no folder/],
    [['.', '--endpoint', 'https://x.aoss.amazonaws.com'], /neither reports\/ nor findings\//],
    [['.'], /--stack\] It is missing\. Pass --stack EfsDataLayer, or --endpoint/],
    [['.', '--stack', 'A', '--endpoint', 'https://x'], /They name the same twice/],
    [['.', '--endpoint', 'x.aoss'], /--endpoint x\.aoss\] It is no address\. Pass the output SearchEndpoint/],
    [['.', '--endpoint', 'http://x.aoss.amazonaws.com'], /It is not scheme https and a host alone/],
    [['.', '--endpoint', 'https://x.aoss.amazonaws.com/index'], /It is not scheme https and a host alone/],
    [['.', '--endpoint', 'https://x', '--index', 'Mine!'], /--index Mine!\] It is no name of an index/],
  ])('%p', async (args, message) => {
    const { code, all } = await search(args);
    expect(all).toMatch(message);
    expect(code).toBe(64);
  });
});

test('a stack names the collection and its index; a stack without one says how to get it', async () => {
  const mock = mockClient(CloudFormationClient);
  const outputs = (...pairs: [string, string][]) =>
    mock.on(DescribeStacksCommand).resolves({
      Stacks: [
        {
          StackName: 'S',
          CreationTime: new Date(),
          StackStatus: 'CREATE_COMPLETE',
          Outputs: pairs.map(([OutputKey, OutputValue]) => ({ OutputKey, OutputValue })),
        },
      ],
    });
  outputs(['DataLayerSearchEndpoint1A2B3C4D', collection.endpoint], ['DataLayerSearchIndex5E6F7A8B', 'ours']);
  expect(await search([root, '--stack', 'S', '--json'])).toMatchObject({ code: 0 });
  expect(collection.requests[0].path).toBe('/ours');
  outputs();
  expect((await search([root, '--stack', 'S'])).all).toMatch(
    /It has no search\. Deploy it with -c 'data-layer:search=/,
  );
  mock.restore();
});
