import { WHY_ONE_WRITER } from '../../single-writer';
import { asRecords, asScalars, show } from '../json';
import { Checked, Finding, Rule } from '../rule';
import { SingleWriterDirectory } from '../single-writer-directories';
import { runners } from '../tasks';
import { Resource } from '../template';

export const TWO_WRITERS: Rule = {
  name: 'TwoWriters',
  finding: 'Two services, or a service and a schedule, write into one single-writer directory.',
  why: WHY_ONE_WRITER,
  source: 'louislam/uptime-kuma #5915; chroma-core/chroma #1609',
  wayOut:
    'Keep one writer, and let the others reach the data through it (its HTTP API); give them a directory of their own; or mount it ReadOnly for files that are never changed in place.',
  check: (checked) => [...shared(checked), ...severalAtOnce(checked)],
};

interface Writer {
  readonly resource: Resource;
  readonly written: SingleWriterDirectory[];
}

function writers({ app, directories }: Checked): Writer[] {
  const tasks = runners(app).map(({ resource, taskDefinition }) => ({
    resource,
    written: directories.writtenBy(taskDefinition),
  }));
  const functions = app.ofType('AWS::Lambda::Function').map((resource) => ({
    resource,
    written: asRecords(resource.properties.FileSystemConfigs).flatMap(({ Arn }) => directories.writtenThrough(Arn)),
  }));
  return [...tasks, ...functions];
}

function shared(checked: Checked): Finding[] {
  const all = writers(checked);
  return all.flatMap(({ resource, written }) =>
    written.flatMap((directory) => {
      const others = all
        .filter((other) => other.resource.key !== resource.key && other.written.some(({ id }) => id === directory.id))
        .map((other) => other.resource.construct.node.path);
      return others.length === 0
        ? []
        : [
            {
              resource,
              problem: `It writes into ${directory.text}, and so does ${[...new Set(others)].join(', ')}.`,
              location: 'Properties',
            },
          ];
    }),
  );
}

/** A schedule may start several tasks in one run. */
function severalAtOnce({ app, directories }: Checked): Finding[] {
  return runners(app)
    .filter(({ taskCount }) => taskCount !== undefined && asScalars(taskCount) !== 1)
    .flatMap(({ resource, taskDefinition, taskCount }) =>
      directories.writtenBy(taskDefinition).map(({ text }) => ({
        resource,
        problem: `TaskCount is ${show(taskCount)}, and each task writes into ${text}.`,
        location: 'Properties',
      })),
    );
}
