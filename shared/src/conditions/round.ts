import type { Component, ConditionReport } from '../model/condition.ts';
import { toInstant } from '../model/instant.ts';
import { type Condition, type ConditionState, judge, type Measurement, type Now } from './condition.ts';
import type { NodeReading } from './reading.ts';
import type { ConditionSettings } from './settings.ts';

/** Least time between two reports of a firing condition of which only the reason changed. */
const REASON_EVERY_MS = 60_000;

/** What is remembered from one round to the next, by {@link conditionKey}. Begin with an empty map. */
export type ConditionMemory = ReadonlyMap<string, RememberedCondition>;

export interface RememberedCondition {
  readonly state: ConditionState;
  /** The last report of it, and when it was made by the monotonic clock. */
  readonly reported: ConditionReport;
  readonly reportedMs: number;
}

export interface Round {
  readonly component: Component;
  readonly conditions: readonly Condition[];
  readonly reading: NodeReading;
  readonly settings: ConditionSettings;
  readonly memory: ConditionMemory;
  readonly now: Now;
}

/**
 * Judges every condition on every subject once. Reported is the first judgment of each, every change of status, a rise
 * to critical, and at most once a minute the new reason of one that fires.
 */
export function judgeRound({ component, conditions, reading, settings, memory, now }: Round): {
  memory: ConditionMemory;
  changed: ConditionReport[];
} {
  const next = new Map<string, RememberedCondition>();
  const changed: ConditionReport[] = [];
  for (const condition of conditions) {
    for (const measurement of condition.measure(reading, settings)) {
      const key = conditionKey(condition, measurement);
      const before = memory.get(key) ?? null;
      const state = judge({ measurement, previous: before?.state ?? null, now });
      if (before !== null && !isWorthTelling(before, state, now)) {
        next.set(key, { ...before, state });
        continue;
      }
      const reported = toReport({ component, condition, subject: measurement.subject, state });
      next.set(key, { state, reported, reportedMs: now.monotonicMs });
      changed.push(reported);
    }
  }
  return { memory: next, changed };
}

function conditionKey(condition: Condition, measurement: Measurement): string {
  return `${condition.type} ${measurement.subject}`;
}

function isWorthTelling({ reported, reportedMs }: RememberedCondition, state: ConditionState, now: Now): boolean {
  if (state.status !== reported.status) return true;
  if (state.status !== 'true') return false;
  if (state.severity !== reported.severity) return true;
  return state.reason !== reported.reason && now.monotonicMs - reportedMs >= REASON_EVERY_MS;
}

function toReport(judged: {
  component: Component;
  condition: Condition;
  subject: string;
  state: ConditionState;
}): ConditionReport {
  const { component, condition, subject, state } = judged;
  return {
    condition: condition.type,
    component,
    subject,
    status: state.status,
    severity: state.severity,
    reason: state.reason,
    value: state.value,
    threshold: state.threshold,
    since: toInstant(state.sinceMs),
  };
}
