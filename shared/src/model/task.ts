import * as z from 'zod/mini';
import { instant } from './instant.ts';

export const taskStatus = z.enum([
  'running',
  'completed',
  'failed',
  'killed',
  'killed_oom',
  'timed_out',
  'lost',
  'unknown',
]);
export type TaskStatus = z.infer<typeof taskStatus>;

/** Where a run of work was seen: on its node, or, where no agent sees it, only by the words of its scheduler or its own. */
export const taskSource = z.enum(['systemd', 'docker', 'podman', 'run', 'hakuriver', 'kohakuriver', 'ping']);
export type TaskSource = z.infer<typeof taskSource>;

export const cause = z.enum([
  'success',
  'exit_code',
  'signal',
  'oom_limit',
  'oom_host',
  'oom_child',
  'timeout',
  'stopped_by_user',
  'stopped_by_system',
  'start_failed',
  'node_lost',
  'gpu_fault',
  'disk_full',
  'unknown',
]);
export type Cause = z.infer<typeof cause>;

export const confidence = z.enum(['proven', 'likely', 'unknown']);
export type Confidence = z.infer<typeof confidence>;

/** One observed fact a verdict rests on. `source` says who saw it: `kernel`, `systemd`, `docker`, `cgroup`, `journal`, `run`, `collector`. */
export const evidence = z.object({ source: z.string(), at: instant, fact: z.string() });
export type Evidence = z.infer<typeof evidence>;

export const verdict = z.object({
  cause,
  confidence,
  summary: z.string(),
  evidence: z.array(evidence),
  advice: z.array(z.string()),
});
export type Verdict = z.infer<typeof verdict>;

const rank: Readonly<Record<Confidence, number>> = { unknown: 0, likely: 1, proven: 2 };
/** They say how it ended, and leave open why. */
export const bareCauses: readonly Cause[] = ['exit_code', 'signal'];

/**
 * Whether a later verdict on the same end replaces an earlier one: a better proven one, or one as good that has seen more and
 * says another cause. A likely reason replaces a bare exit status, and never the other way round. Equals do not: the first
 * one told has been heard.
 */
export function replacesVerdict(later: Verdict, earlier: Verdict): boolean {
  const gained = rank[later.confidence] - rank[earlier.confidence];
  const isReasonLost = earlier.confidence === 'likely' && !bareCauses.includes(earlier.cause);
  if (gained > 0) return !(isReasonLost && bareCauses.includes(later.cause));
  const isNews = later.cause !== earlier.cause && later.evidence.length > earlier.evidence.length;
  const isReasonFound = later.confidence === 'likely' && bareCauses.includes(earlier.cause);
  return isNews && (gained === 0 || (isReasonFound && !bareCauses.includes(later.cause)));
}

/** Whether it is more certain, whatever it says. */
export function isBetterProven(later: Verdict, earlier: Verdict): boolean {
  return rank[later.confidence] > rank[earlier.confidence];
}

/** What a scheduler says of a task of its own: kept beside what the node proved, never mixed with it. */
export const schedulerWord = z.object({
  /** As the configuration calls it. */
  name: z.string(),
  /** In its own words: `killed_oom`, `stopped`, `paused`, … */
  status: z.string(),
  exit_code: z.nullable(z.int()),
  message: z.nullable(z.string()),
  batch_id: z.nullable(z.string()),
});
export type SchedulerWord = z.infer<typeof schedulerWord>;

/** Whose run of work it is, known from its start on. Absent knowledge is null. */
export const taskIdentity = z.object({
  /** Unique in the fleet and derivable again after a crash: a digest of node, source and the source's own run id. */
  id: z.string(),
  /** What its scheduler calls it; `id` when it has no scheduler. */
  task_id: z.string(),
  name: z.string(),
  job: z.nullable(z.string()),
  project: z.nullable(z.string()),
  owner: z.nullable(z.string()),
  source: taskSource,
  unit: z.nullable(z.string()),
  container_id: z.nullable(z.string()),
  command: z.nullable(z.string()),
  started_at: z.nullable(instant),
});
export type TaskIdentity = z.infer<typeof taskIdentity>;

/** How a run of work ended. */
export const taskEnding = z.object({
  status: taskStatus,
  exit_code: z.nullable(z.int()),
  /** `SIGKILL`, `SIGSEGV`, … */
  signal: z.nullable(z.string()),
  ended_at: instant,
  /** True when the end was found out afterwards and its instant is a bound, not a reading. */
  ended_at_approximate: z.boolean(),
  duration_ms: z.nullable(z.number()),
  cpu_ms: z.nullable(z.number()),
  memory_peak_bytes: z.nullable(z.number()),
  memory_limit_bytes: z.nullable(z.number()),
  error_message: z.nullable(z.string()),
  verdict,
});
export type TaskEnding = z.infer<typeof taskEnding>;

/** Statuses that count as a failure for people and for `check tasks` (R3 of the founding documents, and an unseen end). */
export const failureStatuses: readonly TaskStatus[] = [
  'failed',
  'killed',
  'killed_oom',
  'timed_out',
  'lost',
  'unknown',
];
