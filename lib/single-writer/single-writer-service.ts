import { ServiceKind, SINGLE_WRITER } from './rules';
import { StopFirstService } from './stop-first-service';

/**
 * A Fargate service that cannot run two writers: at most one task, the old one stopped before the new one starts, no
 * rebalancing, no auto scaling, no rollback onto a migrated database. Overrides that would undo this fail the synth.
 *
 * ECS itself does not promise that only one task runs (aws/containers-roadmap #959): these settings close the
 * usual ways to an overlap, they are not a lock.
 */
export class SingleWriterService extends StopFirstService {
  /** @internal */
  protected _kind(): ServiceKind {
    return SINGLE_WRITER;
  }
}
