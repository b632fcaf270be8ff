import * as fs from 'fs';
import * as os from 'os';
import * as path from 'path';
import { Bill, billOfResources, BillOptions, TemplateResources, Usage } from '../../lib/bill';

export interface Body {
  Type: string;
  Properties?: object;
  Condition?: string;
  Metadata?: object;
}
export type Bodies = Record<string, Body>;

/** The resources of a template given as an object. */
export function resourcesOf(Resources: Bodies, rest: object = {}, region?: string): TemplateResources {
  return new TemplateResources([
    { name: 'Test', stackName: 'Test', templateFile: 'Test.template.json', template: { Resources, ...rest }, region },
  ]);
}

/** Its bill. */
export function bill(Resources: Bodies, usage: object = {}, options: BillOptions & { rest?: object } = {}): Bill {
  return billOfResources(resourcesOf(Resources, options.rest), { ...options, usage: Usage.from(usage) });
}

/** The lines as "name: quantity" for whoever counts. */
export function quantities(Resources: Bodies, usage: object = {}): Record<string, number> {
  const lines = bill(Resources, usage).resources.flatMap((resource) => resource.lines);
  return Object.fromEntries(lines.filter(({ quantity }) => quantity > 0).map(({ name, quantity }) => [name, quantity]));
}

/** Writes files into a folder of their own. */
export function folder(files: Record<string, unknown>): string {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), 'bill-'));
  for (const [name, content] of Object.entries(files)) {
    fs.mkdirSync(path.dirname(path.join(directory, name)), { recursive: true });
    fs.writeFileSync(path.join(directory, name), typeof content === 'string' ? content : JSON.stringify(content));
  }
  return directory;
}
