// What other rooms may use, and users of the package may not.
export { requireName, SECRET_ARN } from './context';
export { entryCommand } from './entry';
export { databaseEnvironment, databaseSecrets } from './relational/postgres';
export { WHY_NOT_QDRANT_ON_EFS } from './vectors/qdrant';
