export { EvidenceProps, EvidenceScheduleOptions, EvidenceWorkload, FocusExportSource } from './evidence';
export { KnowledgeProps, KnowledgeWorkload } from './knowledge';
export { OpenWebUiProps, OpenWebUiWorkload } from './open-webui';
export { TaskSettings } from './task';
export {
  Mount,
  MountOptions,
  PosixIdentity,
  SingleWriterContainerOptions,
  Workload,
  WorkloadOptions,
  WorkloadProps,
} from './workload';
export { Writers } from './writers';
