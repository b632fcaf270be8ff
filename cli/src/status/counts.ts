import { ageText, bytesText, numberText } from './format';
import { CountAt } from './keeper';
import { Point } from './meters';
import { Status, WorkloadStatus } from './status';
import { Reading } from './triggers';

/** The triggers that only a database, or the evidence itself, can answer: read from what the keeper counted in copies. */

type Known = Omit<Status, 'gauges'>;
type Counted = 'users' | 'activeUsers' | 'embeddings';

const DAY = 24 * 3_600_000;

const NO_NUMBER = 'No number decides';

/** Where to ask once Open WebUI's vectors have left the volume, by its setting VECTOR_DB. */
const ASK_VECTORS: { readonly [store: string]: string } = {
  pgvector: 'ask PostgreSQL: SELECT count(*) FROM document_chunk',
  s3vector: 'list them: aws s3vectors list-vectors, index by index',
  qdrant: 'ask Qdrant: points_count of GET /collections/<name>',
};

/** The newest count of each store, and their sum by day. */
class Counts {
  public readonly newest: CountAt[];
  public readonly days: Point[];

  constructor(
    workloads: WorkloadStatus[],
    private readonly what: 'users' | 'embeddings',
  ) {
    const latest = new Map<string, CountAt>();
    const days = new Map<number, Point>();
    const all = workloads
      .flatMap(({ name, keeper }) =>
        (keeper?.value?.counts ?? []).map((count) => ({ key: `${name}/${count.store}`, count })),
      )
      .filter(({ count }) => count[what] !== undefined)
      .sort((a, b) => a.count.at - b.count.at);
    for (const { key, count } of all) {
      latest.set(key, count);
      days.set(Math.floor(count.at / DAY), { at: count.at, value: sumOf([...latest.values()], what) });
    }
    this.newest = [...latest.values()];
    this.days = [...days.values()];
  }

  public get value(): number | undefined {
    return this.newest.length === 0 ? undefined : sumOf(this.newest, this.what);
  }

  /** The oldest of what was summed up: no part of the sum is older. */
  public snapshot(now: number): string {
    const at = Math.min(...this.newest.map((one) => one.at));
    const time = new Date(at).toISOString().slice(0, 16).replace('T', ' ');
    return `counted in the snapshot of ${time} UTC (${ageText((now - at) / 1000)} ago)`;
  }
}

function sumOf(counts: CountAt[], what: Counted): number {
  return counts.reduce((sum, count) => sum + (count[what] ?? 0), 0);
}

/** Why there is no count of something that is on the volume. */
function uncounted({ workloads }: Known): string {
  const denied = workloads.problem ?? workloads.value.find(({ keeper }) => keeper?.problem)?.keeper?.problem;
  return denied === undefined ? 'no snapshot of the last 30 days counted them' : `nothing to read it from (${denied})`;
}

/** Accounts of Open WebUI. `told` is how many there are by whoever asks. */
export function usersReading(status: Known, told: number | undefined): Reading {
  const workloads = status.workloads.value ?? [];
  const moved = workloads.find(({ usersIn }) => usersIn !== undefined)?.usersIn;
  const counts = new Counts(moved === undefined ? workloads : [], 'users');
  const counted =
    counts.value === undefined ? undefined : `${numberText(counts.value)} were ${counts.snapshot(status.now)}`;
  if (told !== undefined) {
    return { value: told, measured: `As passed with --users${counted ? `; ${counted}` : ''}.` };
  }
  if (counts.value === undefined) {
    const why =
      moved === undefined
        ? uncounted(status)
        : `the application keeps them in ${moved}, where nothing counts them. Ask it: SELECT count(*) FROM "user"`;
    return { measured: `Not measured: ${why}. Pass their number with --users.` };
  }
  const active = counts.newest.every((one) => one.activeUsers !== undefined)
    ? sumOf(counts.newest, 'activeUsers')
    : undefined;
  return {
    value: counts.value,
    beside: active === undefined ? undefined : `${numberText(active)} of them active in 30 days`,
    measured: `Accounts in Open WebUI’s database, ${counts.snapshot(status.now)}.`,
    days: counts.days,
  };
}

/** Records in Chroma. */
export function embeddingsReading(status: Known): Reading {
  const workloads = status.workloads.value ?? [];
  const moved = workloads.find(({ vectorsIn }) => vectorsIn !== undefined);
  const counts = new Counts(
    workloads.filter((one) => one !== moved),
    'embeddings',
  );
  const decide = `${NO_NUMBER}: ask whether one query has to see SQL and vectors.`;
  const elsewhere =
    moved === undefined
      ? ''
      : ` Those of ${moved.name} are in ${moved.vectorsIn} and not measured here; ${ASK_VECTORS[moved.vectorsIn!] ?? 'ask it'}.`;
  if (counts.value === undefined) {
    return { measured: `${moved ? '' : `Embeddings are not measured: ${uncounted(status)}. `}${decide}${elsewhere}` };
  }
  const bytes = counts.newest.reduce((sum, one) => sum + one.bytes, 0);
  return {
    value: counts.value,
    beside: `${bytesText(bytes)} of Chroma`,
    measured: `Records of all collections, ${counts.snapshot(status.now)}; the bytes are without indexes that Chroma can build anew. ${decide}${elsewhere}`,
    days: counts.days,
  };
}

/** Queries of evidence, and the text that a search would be over. */
export function searchReading({ evidence, search }: Known): Reading {
  const { scans, text } = evidence.value ?? {};
  const decide = `${NO_NUMBER}: ask whether people look for words in evidence.`;
  const deployed = search
    ? ' There is a collection in the stack: its searches are in CloudWatch (AWS/AOSS, SearchRequestRate), not here.'
    : '';
  if (!scans) {
    return { measured: `Not measured: the evidence could not be read. ${decide}${deployed}` };
  }
  const size = text ? '' : ' Pass --evidence with the mounted directory for the size of their text.';
  return {
    value: scans.queries,
    beside: text && `${bytesText(text.bytes)} of text in ${numberText(text.files)} reports and findings`,
    measured: `Queries ${scans.from}: the most that look for words, which is not recorded. ${decide}${size}${deployed}`,
    days: scans.days.queries,
  };
}
