import { completed, factors, FlagSet, runbookSets, templateOf } from './flag-sets';

/** A small generator of pseudo-random numbers from 0 to 1 (a multiplicative congruential one): the same at every run. */
function random(seed: number): () => number {
  let state = seed;
  return () => (state = (state * 48271) % 2147483647) / 2147483647;
}

/** Every two values of two flags that the set holds together. */
function pairsOf(flags: FlagSet, names: string[]): string[] {
  const values = names.map((name) => `${name}=${flags[name] ?? ''}`);
  return values.flatMap((one, at) => values.slice(at + 1).map((other) => `${one} ${other}`));
}

/**
 * Flag sets such that every two values of two flags that can be deployed together are in one of them. Which can is
 * found by trying: of many random sets those are taken that show the most pairs not seen so far, and that the app takes.
 */
export function pairwise(outdir: string, candidates = 1500): FlagSet[] {
  const values = factors();
  const names = [...values.keys()];
  const next = random(1);
  const drawn = Array.from({ length: candidates }, () => {
    const flags: Record<string, string> = {};
    for (const [name, choices] of values) {
      const value = choices[Math.floor(next() * choices.length)];
      if (value !== undefined) {
        flags[name] = value;
      }
    }
    return completed(flags);
  });
  let pool = drawn.filter((flags) => flags !== undefined).map((flags) => ({ flags, pairs: pairsOf(flags, names) }));
  const seen = new Set<string>();
  const taken: FlagSet[] = [];
  const take = (flags: FlagSet) => {
    taken.push(flags);
    pairsOf(flags, names).forEach((pair) => seen.add(pair));
  };
  [{}, ...runbookSets()].forEach(take);
  for (;;) {
    const scored = pool
      .map((candidate) => ({ candidate, fresh: candidate.pairs.filter((pair) => !seen.has(pair)).length }))
      .filter(({ fresh }) => fresh > 0)
      .sort((one, other) => other.fresh - one.fresh);
    if (scored.length === 0) {
      return taken;
    }
    const [{ candidate }] = scored;
    pool = scored.slice(1).map((one) => one.candidate);
    if (templateOf(candidate.flags, outdir)) {
      take(candidate.flags);
    }
  }
}
