import { brokenRules, SINGLE_WRITER_RULES } from '../single-writer';
import { asScalars } from './json';
import { Checked, Finding } from './rule';
import { runners } from './tasks';
import { Resource } from './template';

/** A service and, for people, the single-writer directories it can write into. */
export interface SingleWriterServiceFound {
  readonly resource: Resource;
  readonly directories: string;
}

/** The services whose tasks write into a single-writer directory. */
export function singleWriterServices({ app, directories }: Checked): SingleWriterServiceFound[] {
  return runners(app)
    .filter(({ resource }) => resource.type === 'AWS::ECS::Service')
    .map(({ resource, taskDefinition }) => ({ resource, written: directories.writtenBy(taskDefinition) }))
    .filter(({ written }) => written.length > 0)
    .map(({ resource, written }) => ({ resource, directories: written.map(({ text }) => text).join(', and ') }));
}

/** Holds such services against the settings of the single-writer service, those below one property or all others. */
export function brokenServiceSettings(checked: Checked, choose: (property: string) => boolean): Finding[] {
  const rules = SINGLE_WRITER_RULES.filter(({ path }) => choose(path[0]));
  return singleWriterServices(checked).flatMap(({ resource, directories }) => {
    const broken = brokenRules(asScalars(resource.properties), rules);
    const problem = `${broken.join(' ')} The service writes into ${directories}.`;
    return broken.length > 0 ? [{ resource, problem, location: 'Properties' }] : [];
  });
}
