import { type ConditionState, judge, type Measurement, type Now } from '@runnerwatch/shared/conditions/condition.ts';
import type { ConditionReport, ConditionType } from '@runnerwatch/shared/model/condition.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';

export interface Judged {
  readonly condition: ConditionType;
  readonly measurement: Measurement;
  /** The value and threshold as they are told, when that is not as they are judged. */
  readonly told?: { readonly value: number | null; readonly threshold: number } | undefined;
}

/** Least time between two reports of a firing condition of which only the reason changed, or that cannot be read. */
const againEveryMs = 60_000;
const unknownAfterMs = 2 * 60_000;

/**
 * Remembers the warnings from one judgment to the next. Told is what fires, what changes about it, and its end; a warning
 * that never fired is never spoken of, so that a thousand healthy tasks cost nothing.
 */
export class Judgments {
  readonly #memory = new Map<string, Remembered>();
  #changed: ConditionReport[] = [];

  /** `firedBefore`: what fired when the life before this one ended. It is told again if it still does, and ended only when it is read. */
  constructor(firedBefore: readonly ConditionReport[]) {
    for (const report of firedBefore) this.#memory.set(keyOf(report.condition, report.subject), restored(report));
  }

  take({ condition, measurement, told }: Judged, now: Now): void {
    const key = keyOf(condition, measurement.subject);
    const before = this.#memory.get(key) ?? null;
    const state = judge({ measurement, previous: before?.state ?? null, now });
    if (isWorthTelling(before, state, now)) {
      const report = toReport({ condition, measurement, told }, state);
      this.#memory.set(key, { state, reported: report, reportedMs: now.monotonicMs });
      this.#changed.push(report);
    } else {
      this.#memory.set(key, { state, reported: before?.reported ?? null, reportedMs: before?.reportedMs ?? 0 });
    }
    if (!state.isFiring && state.aboveSinceMs === null) this.#memory.delete(key);
  }

  /** Ends what is not judged any more, and tells it. */
  end(condition: ConditionType, subject: string, { reason, now }: { reason: string; now: Now }): void {
    const known = this.#memory.get(keyOf(condition, subject));
    this.#memory.delete(keyOf(condition, subject));
    if (!known?.state.isFiring || known.reported === null) return;
    const since = toInstant(now.wallMs);
    this.#changed.push({ ...known.reported, status: 'false', reason, value: null, since });
  }

  /** Forgets a subject that is gone; whoever told of its end has ended its warnings. Whether any of them fired. */
  forget(subject: string): boolean {
    let wasFiring = false;
    for (const [key, { state }] of this.#memory) {
      if (!key.endsWith(` ${subject}`)) continue;
      wasFiring ||= state.isFiring;
      this.#memory.delete(key);
    }
    return wasFiring;
  }

  isFiring(condition: ConditionType, subject: string): boolean {
    return this.#memory.get(keyOf(condition, subject))?.state.isFiring ?? false;
  }

  /** What fires, as last told. */
  firing(): ConditionReport[] {
    return [...this.#memory.values()].flatMap(({ state, reported }) =>
      state.isFiring && reported !== null ? [reported] : [],
    );
  }

  /** What is to be told since this was last asked. */
  changed(): ConditionReport[] {
    const changed = this.#changed;
    this.#changed = [];
    return changed;
  }
}

interface Remembered {
  readonly state: ConditionState;
  /** Null: never told. */
  readonly reported: ConditionReport | null;
  readonly reportedMs: number;
}

function keyOf(condition: ConditionType, subject: string): string {
  return `${condition} ${subject}`;
}

function isWorthTelling(before: Remembered | null, state: ConditionState, now: Now): boolean {
  const told = before?.reported ?? null;
  if (told === null) return state.status === 'true';
  if (state.status === 'unknown') return told.status === 'true' && now.wallMs - state.sinceMs >= unknownAfterMs;
  if (state.status !== told.status || state.status === 'false') return state.status !== told.status;
  const isDue = now.monotonicMs - (before?.reportedMs ?? 0) >= againEveryMs;
  return state.severity !== told.severity || (state.reason !== told.reason && isDue);
}

function toReport({ condition, measurement, told }: Judged, state: ConditionState): ConditionReport {
  return {
    condition,
    component: 'agent',
    subject: measurement.subject,
    status: state.status,
    severity: state.severity,
    reason: state.reason,
    value: state.status === 'unknown' ? null : told === undefined ? state.value : told.value,
    threshold: told?.threshold ?? state.threshold,
    since: toInstant(state.sinceMs),
  };
}

function restored(report: ConditionReport): Remembered {
  return {
    state: {
      status: 'true',
      isFiring: true,
      aboveSinceMs: null,
      sinceMs: Date.parse(report.since),
      severity: report.severity,
      reason: report.reason,
      value: report.value,
      threshold: report.threshold ?? 0,
    },
    reported: report,
    reportedMs: Number.NEGATIVE_INFINITY,
  };
}
