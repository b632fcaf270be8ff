import { embeddedDatabases } from '../../lib/checks/embedded-databases';

const paths = (container: Record<string, unknown>) => embeddedDatabases(container).map(({ path }) => path);
const env = (Name: string, Value: unknown) => ({ Environment: [{ Name, Value }] });

test.each<[string, string | undefined]>([
  ['sqlite:////mnt/app/app.db', '/mnt/app/app.db'],
  ['sqlite+aiosqlite:////mnt/app/app.db', '/mnt/app/app.db'],
  ['sqlite:///file:/mnt/app/app.db?vfs=unix-excl&uri=true', '/mnt/app/app.db'],
  ['sqlite:///data/app.db', undefined],
])('a URL: %s', (url, path) => {
  expect(paths(env('ANY_NAME', url))).toStrictEqual([path]);
});
test.each([['sqlite://'], ['sqlite:///:memory:'], ['postgresql://db/app'], ['/mnt/app/app.db.txt']])(
  'no file: %s',
  (url) => {
    expect(paths(env('DATABASE_URL', url))).toStrictEqual([]);
  },
);
test('values that are no text', () => {
  expect(paths(env('DATABASE_URL', null))).toStrictEqual([]);
  expect(paths(env('DATABASE_URL', { 'Fn::Sub': 'sqlite:///${Path}/app.db' }))).toStrictEqual([undefined]);
});
test('a URL that is put together at deployment may be on any mount', () => {
  const value = { 'Fn::Join': ['', [{ 'Fn::Join': ['', ['sqlite:///', { Ref: 'Path' }]] }, '/app.db']] };
  expect(paths(env('DATABASE_URL', value))).toStrictEqual([undefined]);
});
test.each(['CHROMA_PERSIST_PATH', 'CREWAI_STORAGE_DIR'])('%s', (name) => {
  expect(paths(env(name, '/mnt/app/store'))).toStrictEqual(['/mnt/app/store']);
  expect(paths(env(name, { Ref: 'Path' }))).toStrictEqual([undefined]);
  // Not absolute: below the home directory of the image.
  expect(paths(env(name, 'my-crew'))).toStrictEqual([]);
});
describe('Open WebUI', () => {
  const Image = 'ghcr.io/open-webui/open-webui:v0.12.4';
  test('keeps its data in DATA_DIR, or in the image’s directory', () => {
    expect(paths({ Image, ...env('DATA_DIR', '/mnt/app') })).toStrictEqual(['/mnt/app']);
    expect(paths({ Image })).toStrictEqual(['/app/backend/data']);
    expect(paths({ Image: { 'Fn::Sub': '${Account}.dkr.ecr/open-webui:1' } })).toStrictEqual(['/app/backend/data']);
  });
  const variables = (values: Record<string, string>) =>
    Object.entries(values).map(([Name, Value]) => ({ Name, Value }));
  const named = (container: Record<string, unknown>) => embeddedDatabases(container).map((database) => database.named);
  const PARTS = { DATABASE_TYPE: 'postgresql', DATABASE_HOST: 'db', DATABASE_PORT: '5432', DATABASE_NAME: 'webui' };
  test.each<[string, Record<string, unknown>]>([
    ['as a URL', env('DATABASE_URL', 'postgresql://db/webui')],
    ['in a secret', { Secrets: [{ Name: 'DATABASE_URL', ValueFrom: 'arn' }] }],
    ['in parts', { Environment: variables(PARTS) }],
  ])('with another database, %s, its Chroma is still there', (_name, container) => {
    expect(named({ Image, ...container })).toEqual(['Open WebUI keeps its Chroma in DATA_DIR']);
  });
  test.each<Record<string, string>>([{ VECTOR_DB: 'pgvector' }, { CHROMA_HTTP_HOST: 'chroma' }])(
    'keeps none with %p as well',
    (more) => {
      expect(paths({ Image, Environment: variables({ ...PARTS, ...more }) })).toStrictEqual([]);
    },
  );
  test('a part that is missing leaves it with SQLite', () => {
    const rest = Object.fromEntries(Object.entries(PARTS).filter(([name]) => name !== 'DATABASE_HOST'));
    expect(named({ Image, Environment: variables(rest) })).toEqual([
      'Open WebUI keeps its SQLite database in DATA_DIR',
    ]);
  });
  test('DATA_DIR of another image says nothing', () => {
    expect(paths({ Image: 'example/app', ...env('DATA_DIR', '/mnt/app') })).toStrictEqual([]);
  });
});
test('the Chroma server keeps its data in the image’s directory unless told otherwise', () => {
  const Image = 'ghcr.io/chroma-core/chroma:1.5.9';
  expect(paths({ Image })).toStrictEqual(['/data', '/chroma/chroma']);
  expect(paths({ Image, ...env('CHROMA_PERSIST_PATH', '/mnt/x') })).toStrictEqual(['/mnt/x']);
});
test.each<[string[], (string | undefined)[]]>([
  [['app', '--db', '/mnt/app/app.sqlite3'], ['/mnt/app/app.sqlite3']],
  [['sh', '-c', "exec app --db='/mnt/app/app.db'"], ['/mnt/app/app.db']],
  [['app', '--url', 'sqlite:////mnt/app/app.db'], ['/mnt/app/app.db']],
  [['chroma', 'run', '--path', '/mnt/app'], ['/mnt/app']],
  [['app', '--path', '/mnt/app'], []],
  [['python', '-c', "import sqlite3\nopen('/mnt/app/app.db')"], []],
])('a command: %p', (Command, expected) => {
  expect(paths({ Command })).toStrictEqual(expected);
});
test('the text names the variable, never its value', () => {
  const [{ named }] = embeddedDatabases(env('DATABASE_URL', 'sqlite:////mnt/app/secret.db'));
  expect(named).toBe('the variable DATABASE_URL names a SQLite database');
});
