/** Something wrong with one file. The other files, and its other lines, are used. */
export interface Problem {
  /** As the user sees it. */
  readonly file: string;
  /** From 1, the header among them. */
  readonly line?: number;
  readonly text: string;
}

/** What was found of one file. */
export interface Report {
  /** Lines, rows or values that are not in the result, or whole files. Any makes the command end with 65. */
  readonly problems: Problem[];
  /** How many lines were left out: problems has the first of them. */
  readonly leftOut: number;
  /** What differs from FOCUS. Nothing is left out for it. */
  readonly differences: string[];
}

/** So many problems of one file are kept and shown; the rest is counted. */
export const SHOWN = 20;

/** file:line: text */
export function problemLine({ file, line, text }: Problem): string {
  return `${file}${line === undefined ? '' : `:${line}`}: ${text}`;
}
