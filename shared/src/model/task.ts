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

export const taskSource = z.enum(['systemd', 'docker', 'podman', 'run']);
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
