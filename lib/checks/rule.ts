import { SingleWriterDirectories } from './single-writer-directories';
import { AppTemplate, Resource } from './template';

/** What a rule sees. */
export interface Checked {
  /** The resources. */
  readonly app: AppTemplate;
  /** Which directories take one writer. */
  readonly directories: SingleWriterDirectories;
}

/** One thing that is wrong. */
export interface Finding {
  /** The resource to change, and where an acknowledgement counts. */
  readonly resource: Resource;
  /** What is wrong, in a sentence that names the part of the resource. */
  readonly problem: string;
  /** The property, for example Properties.Volumes. */
  readonly location: string;
}

/** A rule: what it finds, why that matters, who says so, and the way out. */
export interface Rule {
  /** Named for its finding. The pack puts its own name before it. */
  readonly name: string;
  /** The finding, for the table in the documentation. */
  readonly finding: string;
  readonly why: string;
  /** Where that is written down. */
  readonly source: string;
  readonly wayOut: string;
  readonly check: (checked: Checked) => Finding[];
}
