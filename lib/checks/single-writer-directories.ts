import { IConstruct } from 'constructs';
import { embeddedDatabases } from './embedded-databases';
import { asRecord, asRecords } from './json';
import { EfsMount, efsMounts, taskDefinitions } from './tasks';
import { AppTemplate, Resource } from './template';

/** The tag of an access point that says how many tasks may write below it: "one" or "many". */
export const WRITERS_TAG = 'data-layer:writers';

/** A directory of a file system, as far as the template knows it. */
interface Directory {
  /** The file system, or the access point when that belongs to another app. */
  readonly volume: string;
  readonly path: string;
  /** For people. */
  readonly name: string;
}

/** A directory that takes one writer, and what says so. */
export interface SingleWriterDirectory extends Directory {
  /** Equal for equal directories. */
  readonly id: string;
  /** For people: the directory and the reason. */
  readonly text: string;
}

function inside(path: string, directory: string): boolean {
  return `${path}/`.startsWith(directory.endsWith('/') ? directory : `${directory}/`);
}

function overlap(a: Directory, b: Directory): boolean {
  return a.volume === b.volume && (inside(a.path, b.path) || inside(b.path, a.path));
}

function behind({ properties }: Resource): Directory {
  const { Path } = asRecord(properties.RootDirectory);
  const path = typeof Path === 'string' ? Path : '/';
  return { volume: JSON.stringify(properties.FileSystemId), path, name: path };
}

function writersOf(accessPoint: Resource): string | undefined {
  const tag = asRecords(accessPoint.properties.AccessPointTags).find(({ Key }) => Key === WRITERS_TAG);
  return typeof tag?.Value === 'string' ? tag.Value.toLowerCase() : undefined;
}

/** Knows which directories of an app take one writer: declared, tagged, or seen to hold SQLite or Chroma. */
export class SingleWriterDirectories {
  private readonly found = new Map<string, SingleWriterDirectory>();
  private readonly app: AppTemplate;

  constructor(app: AppTemplate, declared: { scope: IConstruct; accessPointId: string }[]) {
    this.app = app;
    for (const { scope, accessPointId } of declared) {
      this.add(this.behindAccessPoint(app.valueOf(scope, accessPointId)), 'declared in singleWriterDirectories');
    }
    for (const accessPoint of app.ofType('AWS::EFS::AccessPoint')) {
      if (writersOf(accessPoint) === 'one') {
        this.add([behind(accessPoint)], `its access point is tagged ${WRITERS_TAG}=one`);
      }
    }
    for (const mount of taskDefinitions(app).flatMap(efsMounts)) {
      this.addSeen(mount);
    }
  }

  /** The single-writer directories a task definition can write into. A mount of a directory above one counts. */
  public writtenBy(taskDefinition: Resource): SingleWriterDirectory[] {
    return this.among(
      efsMounts(taskDefinition)
        .filter(({ readOnly }) => !readOnly)
        .flatMap((mount) => this.ofMount(mount)),
    );
  }

  /** The single-writer directories that can be written through an access point. */
  public writtenThrough(accessPoint: unknown): SingleWriterDirectory[] {
    return this.among(this.behindAccessPoint(accessPoint));
  }

  private among(directories: Directory[]): SingleWriterDirectory[] {
    return [...this.found.values()].filter((single) => directories.some((directory) => overlap(single, directory)));
  }

  private behindAccessPoint(accessPoint: unknown): Directory[] {
    const known = this.app.references(accessPoint).filter(({ type }) => type === 'AWS::EFS::AccessPoint');
    const text = JSON.stringify(accessPoint);
    return known.length > 0 ? known.map(behind) : [{ volume: text, path: '/', name: `access point ${text}` }];
  }

  private ofMount({ volume }: EfsMount): Directory[] {
    if (volume.accessPoint !== undefined) {
      return this.behindAccessPoint(volume.accessPoint);
    }
    const path = typeof volume.rootDirectory === 'string' ? volume.rootDirectory : '/';
    return [{ volume: JSON.stringify(volume.fileSystem), path, name: path }];
  }

  private addSeen(mount: EfsMount): void {
    const saidToBeMany = this.app.references(mount.volume.accessPoint).some((point) => writersOf(point) === 'many');
    if (mount.readOnly || saidToBeMany) {
      return;
    }
    const database = embeddedDatabases(mount.container).find(
      ({ path }) => path === undefined || inside(path, mount.path),
    );
    if (database) {
      this.add(this.ofMount(mount), `container ${JSON.stringify(mount.container.Name)}: ${database.named}`);
    }
  }

  private add(directories: Directory[], because: string): void {
    for (const directory of directories) {
      const id = `${directory.volume} ${directory.path}`;
      if (!this.found.has(id)) {
        this.found.set(id, { ...directory, id, text: `${directory.name}, which takes one writer (${because})` });
      }
    }
  }
}
