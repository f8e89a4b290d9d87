import { taskIdentity } from '@runnerwatch/shared/model/task.ts';
import * as z from 'zod/mini';
import { openRun, type Run } from './run.ts';

const nullableNumber = z.nullable(z.number());

const storedRun = z.object({
  key: z.string(),
  handle: z.string(),
  is_scope: z.boolean(),
  identity: taskIdentity,
  cgroup: z.nullable(z.string()),
  started_at: nullableNumber,
  runtime_max_ms: nullableNumber,
  timeout_ms: nullableNumber,
  memory_limit_bytes: nullableNumber,
});

/** What survives the agent's own death: the runs that had not ended, as last known. Instants are milliseconds since the epoch. */
export const ledgerState = z.object({
  boot_id: z.nullable(z.string()),
  saved_at: z.number(),
  runs: z.array(storedRun),
});
export type LedgerState = z.infer<typeof ledgerState>;

export function storeRuns(runs: Iterable<Run>, { bootId, now }: { bootId: string | null; now: number }): LedgerState {
  return {
    boot_id: bootId,
    saved_at: now,
    runs: [...runs].map((run) => ({
      key: run.key,
      handle: run.handle,
      is_scope: run.isScope,
      identity: run.identity,
      cgroup: run.cgroup,
      started_at: run.startedAt,
      runtime_max_ms: run.runtimeMaxMs,
      timeout_ms: run.timeoutMs,
      memory_limit_bytes: run.memoryLimitBytes,
    })),
  };
}

/** The runs of an earlier life, believed to go on until something says otherwise. */
export function believedRuns({ runs }: LedgerState): Run[] {
  return runs.map((stored) => ({
    ...openRun({
      key: stored.key,
      source: stored.identity.source,
      identity: stored.identity,
      handle: stored.handle,
      isScope: stored.is_scope,
      startedAt: stored.started_at,
    }),
    cgroup: stored.cgroup,
    runtimeMaxMs: stored.runtime_max_ms,
    timeoutMs: stored.timeout_ms,
    memoryLimitBytes: stored.memory_limit_bytes,
    isBelieved: true,
  }));
}
