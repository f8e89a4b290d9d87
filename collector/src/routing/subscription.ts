import type { TaskStatus } from '@runnerwatch/shared/model/task.ts';
import type { Matcher } from './matcher.ts';
import type { Silence } from './silence.ts';
import type { DailyWindow } from './window.ts';

/**
 * What one may subscribe to. `all` stands for every end and every trouble; `begin` goes only to who names it.
 * `fail` is every failed end but a timeout, which is `timeout`, and a loop of restarts, which stands for its failures; `end` is
 * every end; `time_limit_80` a task that nears its own time limit.
 */
export const subscribableEvents = [
  'begin',
  'end',
  'fail',
  'timeout',
  'success',
  'time_limit_80',
  'condition',
  'unreachable',
  'all',
] as const;
export type SubscribableEvent = (typeof subscribableEvents)[number];

/** Heard by whoever says nothing else. */
export const defaultEvents: readonly SubscribableEvent[] = ['fail', 'timeout', 'condition', 'unreachable'];

/** So long after it was first told one more receiver hears of what nobody has acknowledged. */
export interface EscalationStep {
  readonly afterMs: number;
  readonly receiver: string;
}
export type Steps = readonly [EscalationStep, ...EscalationStep[]];

/** Of one subscription. */
export const stepsMax = 10;

/** In their order; undefined without any. */
export function stepsOf(written: readonly EscalationStep[]): Steps | undefined {
  const [first, ...others] = written.toSorted((a, b) => a.afterMs - b.afterMs);
  return first && [first, ...others];
}

export interface Subscription {
  /** Unique; its id in the API. */
  readonly name: string;
  readonly matchers: readonly Matcher[];
  /** Of a job alone, by its exact name: an alert of that job. */
  readonly job?: { readonly project: string | null; readonly name: string } | undefined;
  readonly events: readonly SubscribableEvent[];
  readonly receiver: string;
  /** How often a condition that still holds is told again; 0 never. */
  readonly renotifyIntervalMs: number;
  /** How often it may tell of one job (of a task without one: of its name) until a run of that ends well. */
  readonly maxAlertsPerJob?: number | undefined;
  /** Failures of one kind that follow one another this closely are told together; 0 or none: each for itself. */
  readonly groupWindowMs?: number | undefined;
  /** Failures wait so long, of whatever kind, and are told in one message; 0 or none: as `groupWindowMs` says. */
  readonly digestMs?: number | undefined;
  /** Epoch milliseconds. */
  readonly expiresAt?: number | undefined;
  /** What matches within is told afterwards, if it is still true. */
  readonly quietHours?: DailyWindow | undefined;
  /** Who else is told while nobody acknowledges; the soonest step first, one at least. */
  readonly escalate?: Steps | undefined;
}

/** Who hears what, as a whole. */
export interface Policy {
  readonly enabled: boolean;
  readonly subscriptions: readonly Subscription[];
  /** Every receiver there is; a promise to another one cannot be kept. */
  readonly receivers: ReadonlySet<string>;
  readonly silences: readonly Silence[];
  /** Of subscriptions beside those of the file that name none of their own; 0 or none: each failure is told for itself. */
  readonly groupWindowMs?: number;
  /** Of subscriptions that are made without one of their own; 0 or none: never. */
  readonly renotifyIntervalMs?: number;
}

/** The words a task's end goes by. */
export function eventsOfEnd(status: TaskStatus): readonly SubscribableEvent[] {
  switch (status) {
    case 'running':
      return [];
    case 'completed':
      return ['success', 'end'];
    case 'timed_out':
      return ['timeout', 'end'];
    case 'failed':
    case 'killed':
    case 'killed_oom':
    case 'lost':
    case 'unknown':
      return ['fail', 'end'];
    default:
      return status satisfies never;
  }
}
