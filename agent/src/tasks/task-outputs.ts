import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { OutputFile, Run } from './run.ts';

export interface OutputReading {
  /** The files a run's main process writes its output to; empty when there are none. Never rejects. */
  find(of: { pid: number | null; cgroup: string | null }): Promise<readonly OutputFile[]>;
  /** Where the scheduler of a task is known to put its output. Never rejects. */
  named(taskId: string, startedAt: number): Promise<readonly OutputFile[]>;
  /** Their last lines; null when they cannot be read. Never rejects. */
  read(files: readonly OutputFile[]): Promise<readonly string[] | null>;
}

/** A shell redirects its output a moment after its start; on a node that is out of breath, later. The first but one needs no tick. */
const looksAfterMs = [100, 1000, 3000, 10_000, 30_000] as const;
const looksPerTick = 200;

/**
 * The output of tasks that write it into files themselves. Which files is learnt while a task lives, kept with what is known
 * of it, and read once when it has ended; its end waits for that a moment.
 */
export class TaskOutputs {
  readonly #reading: OutputReading;
  readonly #clock: Clock;
  readonly #known: (run: Run) => void;
  /** Not found yet: how often was looked, and when to look again. */
  readonly #sought = new Map<Run, { looks: number; dueAtMs: number }>();
  readonly #read = new WeakMap<Run, 'reading' | readonly string[] | null>();

  /** `known` is told when something was learnt of a run. */
  constructor({ reading, clock, known }: { reading: OutputReading; clock: Clock; known: (run: Run) => void }) {
    this.#reading = reading;
    this.#clock = clock;
    this.#known = known;
  }

  /** At its start. What `runnerwatch run` starts writes into its pipes. */
  async begin(run: Run): Promise<void> {
    if (run.source === 'run') return;
    this.#sought.set(run, { looks: 0, dueAtMs: Number.POSITIVE_INFINITY });
    await this.#look(run);
    if (!this.#sought.has(run)) return;
    await this.#clock.sleep(looksAfterMs[0]);
    await this.#look(run);
  }

  /** Once a second. */
  tick(): void {
    const nowMs = this.#clock.monotonicMs();
    const due = [...this.#sought].filter(([, { dueAtMs }]) => dueAtMs <= nowMs);
    for (const [run] of due.slice(0, looksPerTick)) void this.#look(run);
  }

  async #look(run: Run): Promise<void> {
    const sought = this.#sought.get(run);
    if (sought === undefined) return;
    sought.looks += 1;
    const waitMs = looksAfterMs[sought.looks];
    sought.dueAtMs = this.#clock.monotonicMs() + (waitMs ?? 0);
    if (waitMs === undefined) this.#sought.delete(run);
    const files = await this.#reading.find({ pid: run.mainPid, cgroup: run.cgroup });
    if (files.length === 0) return;
    // One alone may be all there is, or the first of two redirections.
    if (files.length > 1 || sought.looks > 2) this.#sought.delete(run);
    run.outputs = files;
    this.#known(run);
  }

  /** Begins to read at the first question; `done` is called when that is over. */
  isReading(run: Run, done: () => void): boolean {
    this.#sought.delete(run);
    if (run.outputs.length === 0 && !mayBeNamed(run)) return false;
    if (!this.#read.has(run)) {
      this.#read.set(run, 'reading');
      void this.#readAll(run, done);
    }
    return this.#read.get(run) === 'reading';
  }

  async #readAll(run: Run, done: () => void): Promise<void> {
    const { outputs, identity, startedAt } = run;
    const files = outputs.length > 0 ? outputs : await this.#reading.named(identity.task_id, startedAt ?? 0);
    this.#read.set(run, await this.#reading.read(files));
    done();
  }

  /** Null when there are none, or they were not read in time. */
  linesOf(run: Run): readonly string[] | null {
    const read = this.#read.get(run);
    return read === undefined || read === 'reading' || read?.length === 0 ? null : read;
  }
}

/** A scheduler has its own id for it. */
function mayBeNamed({ source, identity }: Run): boolean {
  return source !== 'run' && identity.task_id !== identity.id;
}
