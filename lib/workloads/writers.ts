/** How many tasks may write into a directory at the same time. */
export enum Writers {
  /** One: SQLite, Chroma, anything that locks or rewrites files in place. */
  ONE = 'ONE',
  /** Many: files written whole, by temporary name, fsync and rename, one writer per file. */
  MANY = 'MANY',
}
