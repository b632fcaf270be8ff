import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { completed, factors, FlagSet, Template, templateOf, withFlag } from './flag-sets';
import { essence, readRelease, ReleasedTemplate, releases } from './release';
import { unsafeChanges } from './update';

const outdir = fs.mkdtempSync(path.join(os.tmpdir(), 'upgrade-safety-'));
afterAll(() => fs.rmSync(outdir, { recursive: true, force: true }));

const made = new Map<string, Template | undefined>();

/** What the code of today makes of a flag set, made once. */
function today(flags: FlagSet): Template | undefined {
  const key = JSON.stringify(Object.entries(flags).sort());
  if (!made.has(key)) {
    const template = templateOf(flags, outdir);
    made.set(key, template && essence(template));
  }
  return made.get(key);
}

/** How often a change of one flag is tried, each time among other flags. */
const CONTEXTS = 2;

/** Flag sets that differ in one flag from one that was deployed (and in what this one needs), and what that changes. */
function* neighbours(all: Iterable<ReleasedTemplate>): Generator<[ReleasedTemplate, FlagSet, string]> {
  const tried = new Map<string, number>();
  for (const released of all) {
    for (const [name, values] of factors()) {
      for (const value of values.filter((one) => one !== released.flags[name])) {
        const change = `${name}: ${released.flags[name] ?? 'default'} -> ${value ?? 'default'}`;
        const flags = completed(withFlag(released.flags, name, value));
        const another = flags?.[name] !== value || flags?.stage !== released.flags.stage;
        if (another || (tried.get(change) ?? 0) >= CONTEXTS || !today(flags!)) {
          continue;
        }
        tried.set(change, (tried.get(change) ?? 0) + 1);
        yield [released, flags!, change];
      }
    }
  }
}

test('the templates of at least one release are kept, every choice of its time among them', () => {
  expect(releases().length).toBeGreaterThan(0);
  for (const version of releases()) {
    const sets = [...readRelease(version).values()].map(({ flags }) => flags);
    expect(sets).toContainEqual({});
    expect(sets.length).toBeGreaterThan(20);
  }
});

describe.each(releases())('from %s', (version) => {
  const released = readRelease(version);

  test.each([...released.keys()])('%s: the same flags keep all data where it is', (name) => {
    const { flags, template } = released.get(name)!;
    const now = today(flags);
    // A flag set that could be deployed is taken by every later release of the same major version.
    expect(now).toBeDefined();
    expect(unsafeChanges(template, now!)).toEqual([]);
  });

  test('a changed flag keeps all data too, there and back', () => {
    const problems: string[] = [];
    let changes = 0;
    for (const [{ flags, template }, other, change] of neighbours(released.values())) {
      const allowed = { stores: true, destroy: (flags.allowDestroy ?? other.allowDestroy) === 'true' };
      const now = today(other)!;
      changes += 1;
      for (const problem of [...unsafeChanges(template, now, allowed), ...unsafeChanges(now, today(flags)!, allowed)]) {
        problems.push(`${change}: ${problem} [${JSON.stringify(flags)}]`);
      }
    }
    expect(problems).toEqual([]);
    expect(changes).toBeGreaterThan(2 * [...factors().values()].flat().length - 10);
  });
});
