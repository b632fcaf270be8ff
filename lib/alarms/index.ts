export { DataLayerAlarms } from './alarms';
export { AlarmsProps, AlarmThresholds } from './props';
