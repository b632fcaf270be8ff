// What other rooms may use, and users of the package may not.
export { asRecord, asRecords, Json } from './json';
