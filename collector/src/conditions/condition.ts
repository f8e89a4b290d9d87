import type { Component, ConditionStatus, ConditionType, Severity } from '@runnerwatch/shared/model/condition.ts';

/** What one condition of the collector's own view says about one subject now. Pure values; instants are epoch milliseconds. */
export interface Judgment {
  readonly condition: ConditionType;
  readonly component: Component;
  /** '' for the node itself. */
  readonly subject: string;
  readonly status: ConditionStatus;
  readonly severity: Severity;
  /** One clause for people. */
  readonly reason: string;
  /** In the condition's own unit; null when unread. */
  readonly value: number | null;
  readonly threshold: number | null;
  /** When the status began. */
  readonly since: number;
}
