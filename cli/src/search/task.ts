import { processIo, realClock } from '../io';
import { IndexRequest, runIndex } from './request';
import { taskCredentials } from './task-credentials';

/** The program of a one-off task: its one argument is the request, as JSON; it signs as the task's role. */
void runIndex(
  JSON.parse(process.argv[process.argv.length - 1]) as IndexRequest,
  taskCredentials(process.env, realClock.now),
  processIo,
  realClock,
).then(
  (code) => {
    process.exitCode = code;
  },
  (error: Error & { exitCode?: number }) => {
    processIo.note(error.exitCode === undefined ? `${error.stack}` : error.message);
    process.exitCode = error.exitCode ?? 1;
  },
);
