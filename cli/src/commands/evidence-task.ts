import { Command } from 'commander';
import { NODE_IMAGE } from '../aws/node-image';
import { nodeProgram } from '../aws/node-program';
import { DUCKDB } from '../evidence/engine';
import { bytesText } from '../evidence/output';
import { Scan, SCAN_EVENT, SCAN_LINE } from '../evidence/scans';
import { EvidenceRequest } from '../evidence/verbs';
import { Shell } from './shell';
import { addTaskOptions, onlyJson, runOnVolume, TaskOptions } from './volume-task';

const SIZE = { cpu: '1024', memory: '4096' };

export function addEvidenceTaskOptions(command: Command): Command {
  return addTaskOptions(
    command,
    'the CloudFormation stack of the data layer: ask the volume, with a one-off task',
    `an image with Node 20 or newer, with npm or with ${DUCKDB} (default: ${NODE_IMAGE})`,
    SIZE,
  );
}

/** Runs it on the volume, in a one-off task. */
export async function runInTask(shell: Shell, options: TaskOptions, request: (root: string) => EvidenceRequest) {
  let asked: EvidenceRequest;
  return runOnVolume(
    shell,
    options,
    { ...SIZE, image: NODE_IMAGE },
    (_session, { mountPath }) => {
      asked = request(mountPath);
      return {
        program: nodeProgram('evidence', asked),
        environment: [
          ...(asked.verb === 'verify' ? [] : [{ name: 'EFS_DATA_LAYER_DUCKDB', value: DUCKDB }]),
          { name: SCAN_LINE, value: '1' },
        ],
      };
    },
    (line) => render(shell, line, asked),
  );
}

function render(shell: Shell, line: string, request: EvidenceRequest): string | undefined {
  if (line.startsWith('{')) {
    try {
      const found = JSON.parse(line) as Scan & { event?: string };
      if (found.event === SCAN_EVENT) {
        shell.io.note(`It read ${bytesText(found.bytes)} in ${found.seconds.toFixed(1)} s.`);
        return undefined;
      }
    } catch {
      // A row of a table may begin with a brace.
    }
  }
  return onlyJson(shell, line, request.verb === 'query' ? request.format === 'json' : request.json);
}
