export { AnalyticsStore } from './analytics-store';
export { FocusExport, FocusExportProps } from './focus-export';
export { IS3Tables, S3TablesProps } from './s3-tables';
