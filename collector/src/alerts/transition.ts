import type { ConditionStatus, Severity } from '@runnerwatch/shared/model/condition.ts';

/** The firing alert of a fingerprint, as the database remembers it. Instants are epoch milliseconds. */
export interface FiringAlert {
  readonly severity: Severity;
  readonly reason: string;
  readonly firedAt: number;
  /** When it was last told, at first or again. */
  readonly toldAt: number;
}

/** What is said about the condition now. */
export interface Report {
  readonly status: ConditionStatus;
  readonly severity: Severity;
  readonly reason: string;
}

export interface Situation {
  readonly previous: FiringAlert | null;
  readonly report: Report;
  readonly now: number;
  /** 0: never told again. */
  readonly renotifyIntervalMs: number;
}

/** What becomes of the alert, and why. */
export type Transition =
  | { readonly kind: 'fired'; readonly why: 'began_to_hold' }
  | { readonly kind: 'resolved'; readonly why: 'no_longer_holds' }
  | { readonly kind: 'renotified'; readonly why: 'interval_passed' | 'severity_rose' }
  | { readonly kind: 'updated'; readonly why: 'reason_changed' | 'severity_fell' }
  | { readonly kind: 'nothing'; readonly why: 'unknown' | 'not_firing' | 'still_firing' };

const rank: Readonly<Record<Severity, number>> = { info: 0, warning: 1, critical: 2 };

/**
 * Compares what is said now with what is remembered. Unknown changes nothing: a sensor that cannot be read neither fires nor resolves.
 * Nothing is remembered outside the arguments, so a restart between any two calls is not noticed.
 */
export function transition({ previous, report, now, renotifyIntervalMs }: Situation): Transition {
  if (report.status === 'unknown') return { kind: 'nothing', why: 'unknown' };
  if (report.status === 'false') {
    return previous === null ? { kind: 'nothing', why: 'not_firing' } : { kind: 'resolved', why: 'no_longer_holds' };
  }
  if (previous === null) return { kind: 'fired', why: 'began_to_hold' };
  if (rank[report.severity] > rank[previous.severity]) return { kind: 'renotified', why: 'severity_rose' };
  if (renotifyIntervalMs > 0 && now - previous.toldAt >= renotifyIntervalMs)
    return { kind: 'renotified', why: 'interval_passed' };
  if (report.severity !== previous.severity) return { kind: 'updated', why: 'severity_fell' };
  if (report.reason !== previous.reason) return { kind: 'updated', why: 'reason_changed' };
  return { kind: 'nothing', why: 'still_firing' };
}
