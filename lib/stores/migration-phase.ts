/**
 * How far a move of data from the volume into a database has come. Each step is one deployment, no step replaces or
 * deletes anything that holds data, and every step but the last goes back the way it came.
 */
export enum MigrationPhase {
  /** The database exists and is empty; the application still runs on SQLite. Now run `efs-data-layer migrate`. */
  PREPARE = 'PREPARE',
  /** The application runs on the database. The SQLite file stays on the volume, untouched. */
  CUTOVER = 'CUTOVER',
  /** The same, and the SQLite file has been archived by `efs-data-layer migrate --complete`. */
  COMPLETE = 'COMPLETE',
}
