import * as fs from 'fs';
import { Collection } from '../search/collection';
import { DOCUMENTS, evidence, FILES, search, write } from '../search/helpers';
import { OpenSearch } from './node';

jest.setTimeout(300_000);

let server: OpenSearch;
let collection: Collection;
let root: string;
beforeAll(async () => {
  server = await OpenSearch.start();
  collection = await Collection.open(server.backend);
  root = evidence(FILES);
});
afterAll(async () => {
  expect(collection?.refusedSignatures).toEqual([]);
  await collection?.close();
  await server?.stop();
  fs.rmSync(root, { recursive: true, force: true });
});

const index = () => search([root, '--endpoint', collection.endpoint]);

interface Found {
  hits: { total: { value: number }; hits: { _source: { path: string; line: number; title?: string } }[] };
}

/** What people find. */
async function find(query: object): Promise<Found['hits']> {
  await server.call('POST', '/evidence/_refresh');
  const { body } = await server.call(
    'POST',
    '/evidence/_search',
    JSON.stringify({ size: 100, track_total_hits: true, query }),
  );
  return (body as Found).hits;
}
const documents = () => find({ term: { kind: 'document' } }).then(({ total }) => total.value);

test('what is indexed is found by its words, with the file and the line', async () => {
  expect(await index()).toMatchObject({ code: 0, notes: [] });
  expect(await documents()).toBe(DOCUMENTS);
  const { hits } = await find({ match: { text: 'database idle' } });
  expect(hits[0]._source).toMatchObject({
    path: 'findings/rightsizing/MONTH=2026-10/findings.json',
    line: 2,
    title: 'Idle database',
  });
  const filtered = await find({ bool: { must: { match: { text: 'nodes' } }, filter: { term: { month: '2026-10' } } } });
  expect(filtered.hits.map(({ _source }) => _source.line)).toEqual([2]);
});

test('again: nothing is sent, and nothing is there twice', async () => {
  const before = collection.requests.length;
  expect((await index()).said[0]).toMatch(/^0 file\(s\) indexed/);
  expect(collection.requests.slice(before).filter(({ path }) => path.endsWith('_bulk'))).toEqual([]);
  expect(await documents()).toBe(DOCUMENTS);
});

test('a changed file: what it does not say any more is not found any more', async () => {
  write(root, { 'findings/stream.jsonl': '{"title":"second","n":2}\n{"title":"third","n":3}\n' });
  expect((await index()).said[0]).toMatch(/2 document\(s\) of earlier contents/);
  expect((await find({ match: { title: 'first' } })).total.value).toBe(0);
  expect((await find({ match: { title: 'third' } })).total.value).toBe(1);
  expect(await documents()).toBe(DOCUMENTS);
});

test('a column of any name and type becomes no field: two reports cannot disagree', async () => {
  write(root, {
    'findings/a.jsonl': '{"value": 1, "text": {"deep": true}, "line": "none"}\n',
    'findings/b.jsonl': '{"value": {"is": "an object"}, "text": [1, 2], "line": {}}\n',
  });
  expect(await index()).toMatchObject({ code: 0, notes: [] });
  expect((await find({ match: { text: 'object' } })).hits[0]._source.path).toBe('findings/b.jsonl');
});

test('20 000 findings, with requests refused on the way, are there once each', async () => {
  const many = Array.from({ length: 20_000 }, (_, n) =>
    JSON.stringify({ title: `finding ${n}`, resource: `i-${n}`, text: 'an instance that nobody uses '.repeat(5) }),
  );
  write(root, { 'findings/many.jsonl': many.join('\n') });
  let asked = 0;
  collection.fault = (_method, place) =>
    place.endsWith('_bulk')
      ? ([{ status: 429, body: {} }, 'later', undefined, undefined] as const)[asked++ % 4]
      : undefined;
  const began = Date.now();
  expect(await index()).toMatchObject({ code: 0 });
  const seconds = (Date.now() - began) / 1000;
  collection.fault = () => undefined;
  expect((await find({ term: { path: 'findings/many.jsonl' } })).total.value).toBe(20_000 + 1);
  console.log(
    `20000 documents in ${seconds.toFixed(1)} s, every second request refused or lost: ${(20_000 / seconds).toFixed(0)} a second`,
  );
});
