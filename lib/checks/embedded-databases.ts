import { asRecords, Json } from './json';

/** A database that lives in the files of one process, as a container's settings name it. */
export interface EmbeddedDatabase {
  /** What names it, for people. Never the value: it may hold a secret. */
  readonly named: string;
  /** Where it is. Undefined when that is known only inside the container: then it may be on any mount. */
  readonly path?: string;
}

/** Variables that hold the directory of a store of one writer. */
const DIRECTORY_VARIABLES = ['CHROMA_PERSIST_PATH', 'CREWAI_STORAGE_DIR'];

/** Open WebUI and Chroma keep data here when nothing else is set (Dockerfiles of both, read 2026-09). */
const OPEN_WEBUI_DATA = '/app/backend/data';
const CHROMA_DATA = ['/data', '/chroma/chroma'];

const SQLITE_URL = /^sqlite(\+\w+)?:\/\//;
const SQLITE_FILE = /^\/\S*\.(db3?|sqlite3?)$/;

/** Finds SQLite and Chroma in the environment, the command and the image of a container. */
export function embeddedDatabases(container: Json): EmbeddedDatabase[] {
  const image = JSON.stringify(container.Image ?? '');
  const variables = new Map(asRecords(container.Environment).map(({ Name, Value }) => [String(Name), Value]));
  const secrets = new Set(asRecords(container.Secrets).map(({ Name }) => String(Name)));
  const words = [container.EntryPoint, container.Command].flatMap(commandWords);
  const found: EmbeddedDatabase[] = [];
  const add = (named: string, path?: string) => found.push({ named, path });

  for (const [name, value] of variables) {
    if (SQLITE_URL.test(leadingText(value))) {
      addUrl(`the variable ${name} names a SQLite database`, value, add);
    } else if (DIRECTORY_VARIABLES.includes(name)) {
      addDirectory(`the variable ${name} names its directory`, value, add);
    }
  }
  if (/open-webui/i.test(image)) {
    const url = variables.get('DATABASE_URL');
    // Open WebUI puts an address together from these parts when all are set, and then heeds no other.
    const parts = ['DATABASE_TYPE', 'DATABASE_HOST', 'DATABASE_PORT', 'DATABASE_NAME'];
    const inParts = parts.every((name) => variables.has(name) || secrets.has(name));
    const elsewhere =
      inParts || secrets.has('DATABASE_URL') || (url !== undefined && !SQLITE_URL.test(leadingText(url)));
    const directory = variables.get('DATA_DIR') ?? OPEN_WEBUI_DATA;
    if (!elsewhere) {
      addDirectory('Open WebUI keeps its SQLite database in DATA_DIR', directory, add);
    } else if (!variables.has('CHROMA_HTTP_HOST') && [undefined, 'chroma'].includes(vectorStore(variables, secrets))) {
      addDirectory('Open WebUI keeps its Chroma in DATA_DIR', directory, add);
    }
  }
  if (/chroma/i.test(image) && !variables.has('CHROMA_PERSIST_PATH')) {
    CHROMA_DATA.forEach((path) => add('the Chroma server keeps its data there', path));
  }
  words.forEach((word, index) => {
    if (SQLITE_URL.test(word)) {
      addUrl('the command names a SQLite database', word, add);
    } else if (SQLITE_FILE.test(word)) {
      add('the command names a SQLite file', word);
    } else if (word === '--path' && words.some((other) => /(^|\/)chroma$/.test(other))) {
      addDirectory('the command of the Chroma server names its directory', words[index + 1], add);
    }
  });
  return found;
}

/** What Open WebUI keeps vectors in. Undefined: its default. A secret or a reference counts as another. */
function vectorStore(variables: Map<string, unknown>, secrets: Set<string>): string | undefined {
  const value = variables.get('VECTOR_DB');
  return value === undefined && !secrets.has('VECTOR_DB') ? undefined : String(value);
}

/** The words of a command line, a shell's included. A whole script in one argument is not searched. */
function commandWords(command: unknown): string[] {
  return (Array.isArray(command) ? command : [])
    .filter((part): part is string => typeof part === 'string' && !part.includes('\n'))
    .flatMap((part) => part.split(/[\s'"=;]+/))
    .filter((word) => word !== '');
}

/** A value that is put together at deployment is judged by how it starts. */
function leadingText(value: unknown): string {
  if (value !== null && typeof value === 'object') {
    const parts = (value as Json)['Fn::Join'] ?? (value as Json)['Fn::Sub'];
    return leadingText(Array.isArray(parts) && Array.isArray(parts[1]) ? parts[1][0] : parts);
  }
  return typeof value === 'string' ? value : '';
}

function addUrl(named: string, value: unknown, add: (named: string, path?: string) => void): void {
  if (typeof value !== 'string') {
    add(named);
    return;
  }
  const path = value
    .replace(SQLITE_URL, '')
    .replace(/^\/(file:)?/, '')
    .replace(/\?.*$/, '');
  if (path === '' || path.startsWith(':memory:')) {
    return;
  }
  // A relative path starts at the image's working directory, which the template does not know.
  add(named, path.startsWith('/') ? path : undefined);
}

function addDirectory(named: string, value: unknown, add: (named: string, path?: string) => void): void {
  if (typeof value !== 'string') {
    add(named);
  } else if (value.startsWith('/')) {
    add(named, value);
  }
}
