import { processIo } from '../io';
import { EvidenceRequest, runEvidence } from './verbs';

/** The program of a one-off task: its one argument is the request, as JSON. */
void runEvidence(JSON.parse(process.argv[process.argv.length - 1]) as EvidenceRequest, processIo, new Date()).then(
  (code) => {
    process.exitCode = code;
  },
  (error: Error & { exitCode?: number }) => {
    processIo.note(error.exitCode === undefined ? `${error.stack}` : error.message);
    process.exitCode = error.exitCode ?? 1;
  },
);
