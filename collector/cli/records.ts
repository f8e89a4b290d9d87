import type { ConditionReport } from '@runnerwatch/shared/model/condition.ts';
import type { Inventory, SourceState } from '@runnerwatch/shared/model/node.ts';
import type { RecordedSeries } from '@runnerwatch/shared/model/recording.ts';
import type { NodeSample } from '@runnerwatch/shared/model/sample.ts';
import type { Verdict } from '@runnerwatch/shared/model/task.ts';

/*
 * The API's records as the commands read them. A collector of another version may leave things out, so everything beside
 * identity is optional here.
 */

type Tolerant<T> = { readonly [K in keyof T]?: T[K] | null };

export interface NodeRecord extends Tolerant<NodeFields> {
  readonly id: string;
  readonly name: string;
  readonly status: string;
}

interface NodeFields {
  labels: Readonly<Record<string, string>>;
  inventory: Inventory;
  sources: readonly SourceState[];
  agent_version: string;
  remote_address: string;
  first_seen_at: string;
  last_heard_at: string;
  goodbye_reason: string;
  clock_skew_ms: number;
  conditions: readonly Tolerant<ConditionReport>[];
  sample: Tolerant<NodeSample>;
  running_tasks: number;
}

/** What an agent could not see or keep. */
export interface GapRecord {
  readonly at: string;
  readonly source: string;
  readonly cause: string;
  readonly lost: number | null;
  readonly at_most: number | null;
  readonly from: string | null;
  readonly to: string | null;
}

export interface TaskRecord extends Tolerant<TaskFields> {
  readonly id: string;
  readonly status: string;
}

interface TaskFields {
  task_id: string;
  name: string;
  job: string;
  project: string;
  owner: string;
  node: string;
  source: string;
  unit: string;
  container_id: string;
  command: string;
  exit_code: number;
  signal: string;
  started_at: string;
  ended_at: string;
  ended_at_approximate: boolean;
  duration_ms: number;
  cpu_ms: number;
  memory_peak_bytes: number;
  memory_limit_bytes: number;
  error_message: string;
  verdict: Verdict;
  scheduler: Tolerant<SchedulerFields>;
  log_tail: readonly string[];
  error_excerpt: readonly string[];
  amendments: number;
}

interface SchedulerFields {
  name: string;
  status: string;
  exit_code: number;
  message: string;
  batch_id: string;
  note: string;
}

export interface IncidentRecord extends Tolerant<IncidentFields> {
  readonly id: string;
  readonly title: string;
  readonly status: string;
}

interface IncidentFields {
  severity: string;
  opened_at: string;
  resolved_at: string;
  acknowledged_at: string;
  acknowledged_by: string;
  acknowledge_note: string;
  acknowledged_until: string;
  failures: number;
  finding: string;
  flapping: boolean;
  alerts: readonly AlertRecord[];
  alerts_total: number;
}

export interface AlertRecord {
  readonly id: string;
  readonly condition?: string;
  readonly component?: string;
  readonly node?: string | null;
  readonly subject?: string;
  readonly status?: string;
  readonly severity?: string;
  readonly reason?: string;
  readonly fired_at?: string;
  readonly resolved_at?: string | null;
  readonly renotifications?: number;
}

export interface RecordingRecord {
  readonly interval_ms: number;
  readonly until: string;
  readonly complete_until?: string | null;
  readonly task?: RecordedSeries;
  readonly node?: RecordedSeries;
}

export interface DeliveryRecord {
  readonly id: string;
  readonly type?: string;
  readonly transition?: string;
  readonly state?: string;
  readonly subscription?: string;
  readonly receiver?: string;
  readonly created_at?: string;
  readonly next_attempt_at?: string | null;
  readonly last_error?: string | null;
  readonly attempts?: readonly AttemptRecord[];
}

export interface AttemptRecord {
  readonly attempt?: number;
  readonly at?: string;
  readonly duration_ms?: number;
  readonly outcome?: string;
  readonly http_status?: number | null;
  readonly error?: string | null;
}

/** What happened to an alert or a task, who was asked, and what was delivered because of it. */
export interface TransitionRecord {
  readonly kind?: string;
  readonly at?: string;
  readonly reason?: string;
  readonly suppression?: string | null;
  readonly decisions?: readonly {
    readonly subscription: string;
    readonly receiver: string;
    readonly notified: boolean;
    readonly reason: string;
    readonly detail?: string | null;
  }[];
  readonly deliveries?: readonly DeliveryRecord[];
}

export interface ExplanationRecord {
  readonly incident?: IncidentRecord;
  readonly task?: {
    readonly id: string;
    readonly name?: string;
    readonly status: string;
    readonly summary?: string | null;
  };
  readonly transitions?: readonly TransitionRecord[];
  readonly transitions_total?: number;
  readonly conclusion?: string;
}

export interface SubscriptionRecord {
  readonly id: string;
  readonly name?: string;
  readonly matchers?: Readonly<Record<string, readonly string[]>>;
  readonly events?: readonly string[];
  readonly receiver?: string;
  readonly renotify_interval?: string;
  readonly origin?: string;
  readonly target?: string | null;
  readonly target_digest?: string | null;
  readonly max_alerts_per_job?: number | null;
  readonly group_window?: string | null;
  readonly digest?: string | null;
  readonly quiet_hours?: WindowRecord | null;
  readonly escalate?: readonly StepRecord[];
  readonly expires_at?: string | null;
  readonly active?: boolean;
}

export interface StepRecord {
  readonly after: string;
  readonly receiver: string;
}

export interface WindowRecord {
  readonly time_zone: string;
  readonly from: string;
  readonly to: string;
  readonly days?: readonly string[] | undefined;
}

/** A token that admits agents. */
export interface EnrollmentRecord {
  readonly id: string;
  readonly state?: string;
  readonly note?: string | null;
  readonly labels?: Readonly<Record<string, string>>;
  readonly uses?: number;
  readonly uses_max?: number;
  readonly expires_at?: string;
}

/** Someone with a token of his own. */
export interface PersonRecord {
  readonly id: string;
  readonly name: string;
  readonly role?: string;
  readonly state?: string;
  readonly created_at?: string;
  readonly last_used_at?: string | null;
  readonly expires_at?: string | null;
}

/** One line of the audit trail. */
export interface AuditRecord {
  readonly id: string;
  readonly at?: string;
  readonly person?: string | null;
  readonly role?: string | null;
  readonly address?: string | null;
  readonly method?: string;
  readonly route?: string;
  readonly subject?: string | null;
  readonly outcome?: string;
}

export interface SilenceRecord {
  readonly id: string;
  readonly origin?: string;
  readonly state?: string;
  readonly author?: string;
  readonly reason?: string;
  readonly matchers?: Readonly<Record<string, readonly string[]>>;
  readonly recurrence?: WindowRecord | null;
  readonly starts_at?: string;
  readonly ends_at?: string | null;
  readonly until?: string | null;
}

export interface WatchRecord {
  readonly id: string;
  readonly projects?: readonly string[];
  readonly only_failed?: boolean;
  readonly max_alerts_per_job?: number | null;
  readonly receiver?: string;
  readonly ends_at?: string | null;
  readonly active?: boolean;
  readonly alerts_sent?: number;
}

/** One line of `/analytics/failures`. */
export interface FailureGroupRecord
  extends Tolerant<{
    key: string;
    id: string;
    ends: number;
    failure_rate: number;
    causes: Readonly<Record<string, number>>;
    last_failed_at: string;
  }> {
  readonly failures: number;
}

/** What is expected of a job; durations as text. */
export type ExpectationRecord = Tolerant<{
  job_id: string;
  every: string;
  schedule: string;
  time_zone: string;
  next_at: string;
  grace: string;
  max_run: string;
  min_run: string;
  max_concurrent: number;
  set_at: string;
}>;
