// What other rooms may use, and users of the package may not.
export { TABLE_BUCKET_NAME } from './analytics/s3-tables';
export { requireName, SECRET_ARN } from './context';
export { entryCommand } from './entry';
export { databaseEnvironment, databaseSecrets, targetEnvironment, targetSecrets } from './relational/postgres';
export { PRINCIPAL_ARN } from './search/open-search-serverless';
export { SearchAccess } from './search/search-choice';
export { WHY_NOT_QDRANT_ON_EFS } from './vectors/qdrant';
