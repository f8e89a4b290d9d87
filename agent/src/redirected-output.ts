import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Logger } from 'pino';
import { namedLogFiles, readLogFiles } from './logs/file-tail.ts';
import { findOutputFiles, lastWrittenAt, type OutputFile } from './proc/output-files.ts';

export interface RedirectedOutputOptions {
  /** `/`, or where a captured machine lies. */
  readonly root: string;
  readonly lines: number;
  /** `tasks.log_files` of the configuration. */
  readonly templates: readonly string[];
  readonly clock: Clock;
  readonly log: Logger;
}

/** Files that tasks write their output to themselves, as schedulers have it done on shared disks. */
export class RedirectedOutput {
  readonly #root: string;
  readonly #lines: number;
  readonly #templates: readonly string[];
  readonly #gate: OneAtATime;

  constructor({ root, lines, templates, clock, log }: RedirectedOutputOptions) {
    this.#root = root;
    this.#lines = lines;
    this.#templates = templates;
    this.#gate = new OneAtATime({ clock, log });
  }

  /** Where the process writes to; empty when nowhere that outlives it, or when nobody answers. */
  async find(pid: number): Promise<readonly OutputFile[]> {
    return (await this.#gate.ask(() => findOutputFiles(this.#root, pid))) ?? [];
  }

  /** Where a scheduler is known to put the output of this task, which began then. */
  async named(taskId: string, startedAt: number): Promise<readonly OutputFile[]> {
    if (this.#templates.length === 0) return [];
    const of = { taskId, sinceMs: startedAt - clockSlackMs };
    return (await this.#gate.ask(() => namedLogFiles(this.#templates, of))) ?? [];
  }

  /** When one of the processes last wrote something out, in milliseconds since the epoch; null when that is not to be seen. */
  async lastWrittenAt(pids: readonly number[]): Promise<number | null> {
    return this.#gate.ask(() => lastWrittenAt(this.#root, pids));
  }

  /** The last lines; null when they cannot be read. */
  async read(files: readonly OutputFile[]): Promise<readonly string[] | null> {
    return files.length === 0 ? null : this.#gate.ask(() => readLogFiles(files, this.#lines));
  }
}

/** A file server has a clock of its own. */
const clockSlackMs = 5000;
/** A file system that does not answer is given up on after this. */
const answerMs = 3000;

/**
 * A network file system that hangs holds the thread that asks it, and the spool needs those threads too: so there is one
 * question at a time, and while it hangs every other is answered with null at once.
 */
export class OneAtATime {
  readonly #clock: Clock;
  readonly #log: Logger;
  #last: Promise<unknown> = Promise.resolve();
  #isHanging = false;

  constructor({ clock, log }: Pick<RedirectedOutputOptions, 'clock' | 'log'>) {
    this.#clock = clock;
    this.#log = log;
  }

  /** Null also when the question failed. */
  async ask<T>(question: () => Promise<T>): Promise<T | null> {
    if (this.#isHanging) return null;
    const answer = this.#last.then(question).catch(() => null);
    this.#last = answer;
    const answered = new AbortController();
    const late = this.#clock.sleep(answerMs, answered.signal).then(() => {
      if (!answered.signal.aborted) this.#hang();
      return null;
    });
    const said = await Promise.race([answer, late]);
    answered.abort();
    return said;
  }

  #hang(): void {
    if (this.#isHanging) return;
    this.#isHanging = true;
    this.#log.warn({}, 'a file system with the output of tasks does not answer; none is read until it does');
    void this.#last.then(() => {
      this.#isHanging = false;
      this.#log.info({}, 'the file system with the output of tasks answers again');
    });
  }
}
