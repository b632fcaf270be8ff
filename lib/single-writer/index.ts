export { keptContainer, KeptStores, PYTHON_IMAGE } from './keeper';
export { placeTasks, Placement } from './placement';
export { acknowledgeEnvironment, brokenRules, SINGLE_WRITER_RULES, WHY_ONE_WRITER } from './rules';
export { SingleWriterService } from './single-writer-service';
export { StopFirstService, StopFirstServiceOptions, StopFirstServiceProps } from './stop-first-service';
