/** A task as its scheduler tells it: cleaned, bounded, and without its environment. */
export interface SchedulerTask {
  /** A 64-bit number in decimal digits; never a number of ours. */
  readonly taskId: string;
  readonly batchId: string | null;
  readonly name: string | null;
  readonly owner: string | null;
  readonly command: string | null;
  /** The scheduler's name of the node it was given to. */
  readonly nodeName: string | null;
  /** In the scheduler's words. */
  readonly status: string;
  readonly exitCode: number | null;
  readonly message: string | null;
  /** The scheduler has an instant for its start. The instant itself is of another clock, in a zone that it does not tell. */
  readonly hasStarted: boolean;
}

export type PollOutcome =
  | {
      readonly kind: 'read';
      /** Whatever was listed; not everything there is where the scheduler tells its history in pages. */
      readonly tasks: readonly SchedulerTask[];
      /** Open tasks that the scheduler does not know any more. */
      readonly gone: readonly string[];
    }
  | { readonly kind: 'failed'; readonly reason: string };

/** What was read before, so that a long history is not read again. */
export interface KnownTasks {
  isKnown(taskId: string): boolean;
  /** Those that were not over. */
  open(): readonly string[];
}

/** Code that reads one kind of scheduler, set up for one of them. */
export interface Scheduler {
  /** As the source of tasks that nobody else has seen. */
  readonly type: 'hakuriver' | 'kohakuriver';
  /** What its tasks run in on a node: whoever cannot see one of them cannot say that a task is not there. */
  readonly runsIn: readonly ('systemd' | 'containers')[];
  /** One look. Never rejects, and ends within its own limits. */
  poll(known: KnownTasks, options: { readonly signal: AbortSignal }): Promise<PollOutcome>;
}

const finals: ReadonlySet<string> = new Set([
  'completed',
  'failed',
  'killed',
  'killed_oom',
  'lost',
  'stopped',
  'rejected',
]);

/** Over, as far as the scheduler knows; it may still think again (lost → completed). */
export function isFinal({ status }: Pick<SchedulerTask, 'status'>): boolean {
  return finals.has(status);
}

/** Of two ids the later one: they are snowflakes, numbers that grow with time. */
export function isLaterId(id: string, than: string): boolean {
  return id.length === than.length ? id > than : id.length > than.length;
}
