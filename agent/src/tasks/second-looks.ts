import type { EventBody } from '@runnerwatch/shared/model/event.ts';
import type { TaskIdentity } from '@runnerwatch/shared/model/task.ts';
import type { LedgerOptions } from './ledger-options.ts';
import type { Opening } from './opening.ts';
import type { Run } from './run.ts';

export interface SecondLooksOptions extends Pick<LedgerOptions, 'mainPidOf' | 'directoryOf'> {
  readonly identify: (opening: Opening) => TaskIdentity;
  readonly isOpen: (run: Run) => boolean;
  /** Something of a run has changed. */
  readonly changed: () => void;
  readonly write: (body: EventBody) => void;
}

const mostPerTick = 100;

/**
 * systemd and engines tell of a start before the program is executed: until then its main process is another one, or has
 * another environment. So each run is looked at once more a moment after it has begun.
 */
export class SecondLooks {
  readonly #options: SecondLooksOptions;
  readonly #fresh = new Map<Run, Opening>();

  constructor(options: SecondLooksOptions) {
    this.#options = options;
  }

  begun(run: Run, opening: Opening): void {
    this.#fresh.set(run, opening);
  }

  tick(): void {
    for (const [run, opening] of [...this.#fresh].slice(0, mostPerTick)) {
      this.#fresh.delete(run);
      if (this.#options.isOpen(run)) this.#look(run, opening);
    }
  }

  #look(run: Run, opening: Opening): void {
    const { mainPidOf, directoryOf, identify, changed, write } = this.#options;
    if (run.cgroup !== null) run.mainPid ??= mainPidOf(run.cgroup);
    changed();
    run.directory = directoryOf({ pid: run.mainPid, cgroup: run.cgroup });
    // Known to a scheduler by its name: nothing in its environment is better.
    if (run.identity.task_id !== run.identity.id) return;
    const identity = identify(opening);
    if (JSON.stringify(identity) === JSON.stringify(run.identity)) return;
    run.identity = identity;
    write({ kind: 'task_started', task: identity });
  }
}
