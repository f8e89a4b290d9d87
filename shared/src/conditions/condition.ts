import type { ConditionStatus, ConditionType, Severity } from '../model/condition.ts';
import type { NodeReading } from './reading.ts';
import type { ConditionSettings, Level } from './settings.ts';

/** A named statement that can be judged of a node or of one of our own processes. */
export interface Condition {
  readonly type: ConditionType;
  /** What the statement rests on now, for each of its subjects. The same settings always give the same subjects. */
  measure(reading: NodeReading, settings: ConditionSettings): Measurement[];
}

/** The values behind one condition on one subject. The largest decides; each above the level is named. */
export interface Measurement {
  /** '' for the node itself, or a process rule's match. */
  readonly subject: string;
  readonly level: Level;
  /** Above this it is critical, not a warning. */
  readonly criticalAbove: number;
  /** Up to this it is information, not a warning; absent: it is a warning at least. */
  readonly warningAbove?: number;
  readonly items: readonly MeasuredItem[];
  /** What could not be read, in words; with something missing nothing can be called well. */
  readonly missing: readonly string[];
  /** What to say when there is nothing to measure and nothing missing. */
  readonly absent: string;
  /** The level in words: `threshold 90%`. */
  readonly limit: string;
}

export interface MeasuredItem {
  readonly value: number;
  /** `/data 97% used`. */
  readonly text: string;
}

/** What is remembered of one condition on one subject from one judgment to the next. */
export interface ConditionState {
  readonly status: ConditionStatus;
  /** Whether it fires; an unknown status leaves this as it was, so that the end is told when the reading is back. */
  readonly isFiring: boolean;
  /** Monotonic time since which the value is above the threshold without a break; null when it is not. */
  readonly aboveSinceMs: number | null;
  /** When the status began, in milliseconds since the epoch. */
  readonly sinceMs: number;
  readonly severity: Severity;
  readonly reason: string;
  readonly value: number | null;
  readonly threshold: number;
}

/** The tick's own time: durations by the clock that nobody can step, instants by the wall clock. */
export interface Now {
  readonly wallMs: number;
  readonly monotonicMs: number;
}

export interface Judgment {
  readonly measurement: Measurement;
  readonly previous: ConditionState | null;
  readonly now: Now;
}

/**
 * Quiet, then above the threshold (strictly), then, if it stays so for `forMs`, firing until it is at the clear level
 * or below. A missing reading makes it unknown: it breaks a wait, and neither fires nor ends anything.
 */
export function judge({ measurement, previous, now }: Judgment): ConditionState {
  const wasFiring = previous?.isFiring ?? false;
  const { level, items, missing } = measurement;
  const offenders = above(items, level, wasFiring);
  const aboveSinceMs = offenders.length > 0 ? (previous?.aboveSinceMs ?? now.monotonicMs) : null;
  const hasLasted = aboveSinceMs !== null && now.monotonicMs - aboveSinceMs >= level.forMs;
  const status: ConditionStatus =
    aboveSinceMs !== null ? (wasFiring || hasLasted ? 'true' : 'false') : missing.length > 0 ? 'unknown' : 'false';
  const isFiring = status === 'unknown' ? wasFiring : status === 'true';
  return {
    status,
    isFiring,
    aboveSinceMs,
    sinceMs: previous?.status === status ? previous.sinceMs : now.wallMs,
    severity: severityOf(measurement, offenders, previous),
    reason: reasonOf(measurement, status, offenders),
    value: status === 'unknown' ? null : largest(items),
    threshold: level.threshold,
  };
}

/** What keeps it firing, or would start it: first of all what is above the threshold, else, once firing, what has not yet come down to the clear level. */
function above(items: readonly MeasuredItem[], level: Level, wasFiring: boolean): MeasuredItem[] {
  const over = items.filter((item) => item.value > level.threshold);
  const still = over.length === 0 && wasFiring ? items.filter((item) => item.value > level.clear) : over;
  return still.toSorted((a, b) => b.value - a.value);
}

/** While it fires the severity only rises, so that a value about the second level is not told again and again; its end is told to whoever heard of it. */
function severityOf(
  measurement: Measurement,
  offenders: readonly MeasuredItem[],
  previous: ConditionState | null,
): Severity {
  const { criticalAbove, warningAbove } = measurement;
  const worst = largest(offenders) ?? Number.NEGATIVE_INFINITY;
  const isInformation = warningAbove !== undefined && worst <= warningAbove;
  const severity = worst > criticalAbove ? 'critical' : isInformation ? 'info' : 'warning';
  return previous?.isFiring === true && rank[previous.severity] > rank[severity] ? previous.severity : severity;
}

const rank: Readonly<Record<Severity, number>> = { info: 0, warning: 1, critical: 2 };

function reasonOf(measurement: Measurement, status: ConditionStatus, offenders: readonly MeasuredItem[]): string {
  const { items, missing, absent, limit } = measurement;
  if (status === 'unknown') return `cannot be read: ${missing.join(', ')}`;
  if (offenders.length > 0) return `${named(offenders)} (${limit})`;
  const top = items.toSorted((a, b) => b.value - a.value)[0];
  return top === undefined ? absent : `${top.text} (${limit})`;
}

const MAX_NAMED = 20;

function named(items: readonly MeasuredItem[]): string {
  const texts = items.slice(0, MAX_NAMED).map((item) => item.text);
  const rest = items.length - texts.length;
  return texts.join(', ') + (rest > 0 ? ` and ${rest} more` : '');
}

function largest(items: readonly MeasuredItem[]): number | null {
  return items.length === 0 ? null : Math.max(...items.map((item) => item.value));
}
