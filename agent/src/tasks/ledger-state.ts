import { type TaskIdentity, taskIdentity } from '@runnerwatch/shared/model/task.ts';
import * as z from 'zod/mini';
import { type KnownGpuFault, knownGpuFault } from './gpu-faults.ts';
import { keyOf } from './opening.ts';
import { openRun, type Run } from './run.ts';

const nullableNumber = z.nullable(z.number());

const outputFile = z.object({ is_stderr: z.boolean(), path: z.string(), dev: z.string(), ino: z.string() });

const storedRun = z.object({
  key: z.string(),
  handle: z.string(),
  is_scope: z.boolean(),
  identity: taskIdentity,
  socket_path: z._default(z.nullable(z.string()), null),
  cgroup: z.nullable(z.string()),
  main_pid: z._default(nullableNumber, null),
  started_at: nullableNumber,
  runtime_max_ms: nullableNumber,
  timeout_ms: nullableNumber,
  memory_limit_bytes: nullableNumber,
  oom_kills_told: z._default(nullableNumber, null),
  is_oom_warned: z._default(z.boolean(), false),
  outputs: z._default(z.array(outputFile), []),
});

/** Up to where a container engine was heard: {@link HeardUntil} of its socket. */
const engineHeard = z.object({ socket_path: z.string(), key: z.nullable(z.string()), at: z.number() });
export type EngineHeard = z.infer<typeof engineHeard>;

/** What survives the agent's own death: the runs that had not ended, as last known. Instants are milliseconds since the epoch. */
export const ledgerState = z.object({
  boot_id: z.nullable(z.string()),
  saved_at: z.number(),
  /** Since when the node was going down. */
  stopping_since: z._default(nullableNumber, null),
  gpu_faults: z._default(z.array(knownGpuFault), []),
  engines: z._default(z.array(engineHeard), []),
  runs: z.array(storedRun),
});
export type LedgerState = z.infer<typeof ledgerState>;

export interface TaskBegun {
  readonly identity: TaskIdentity;
  /** When it was written down, in milliseconds since the epoch. */
  readonly at: number;
}

interface NodeState {
  readonly bootId: string | null;
  readonly now: number;
  readonly stoppingSince: number | null;
  readonly gpuFaults: KnownGpuFault[];
  readonly engines: readonly EngineHeard[];
}

export function storeRuns(runs: readonly Run[], node: NodeState): LedgerState {
  const { bootId, now, stoppingSince, gpuFaults, engines } = node;
  return {
    boot_id: bootId,
    saved_at: now,
    stopping_since: stoppingSince,
    gpu_faults: gpuFaults,
    engines: engines.map((engine) => ({ ...engine, at: Math.min(engine.at, ...unwrittenEnds(runs, engine)) })),
    runs: runs.map((run) => ({
      key: run.key,
      handle: run.handle,
      is_scope: run.isScope,
      identity: run.identity,
      socket_path: run.socketPath,
      cgroup: run.cgroup,
      main_pid: run.mainPid,
      started_at: run.startedAt,
      runtime_max_ms: run.runtimeMaxMs,
      timeout_ms: run.timeoutMs,
      memory_limit_bytes: run.memoryLimitBytes,
      oom_kills_told: run.oomKillsTold,
      is_oom_warned: run.isOomWarned,
      outputs: run.outputs.map(({ isStderr, ...file }) => ({ ...file, is_stderr: isStderr })),
    })),
  };
}

/** An engine tells of an end once: it is asked for it again until it is on disk. */
function unwrittenEnds(runs: readonly Run[], engine: EngineHeard): number[] {
  return runs.flatMap(({ socketPath, containerEnded }) =>
    socketPath === engine.socket_path && containerEnded !== null ? [containerEnded.at] : [],
  );
}

/** The runs of an earlier life, believed to go on until something says otherwise: those saved, and those begun since. */
export function believedRuns({ runs, saved_at: savedAt }: LedgerState, begun: readonly TaskBegun[]): Run[] {
  const saved = new Set(runs.map(({ identity }) => identity.id));
  const unsaved = begun.filter(({ identity, at }) => at >= savedAt && !saved.has(identity.id));
  return [...runs.map(savedRun), ...unsaved.flatMap(({ identity }) => unsavedRun(identity) ?? [])];
}

function savedRun(stored: z.infer<typeof storedRun>): Run {
  return {
    ...openRun({
      key: stored.key,
      source: stored.identity.source,
      identity: stored.identity,
      handle: stored.handle,
      isScope: stored.is_scope,
      startedAt: stored.started_at,
    }),
    socketPath: stored.socket_path,
    cgroup: stored.cgroup,
    mainPid: stored.main_pid,
    runtimeMaxMs: stored.runtime_max_ms,
    timeoutMs: stored.timeout_ms,
    memoryLimitBytes: stored.memory_limit_bytes,
    oomKillsTold: stored.oom_kills_told,
    isOomWarned: stored.is_oom_warned,
    outputs: stored.outputs.map(({ is_stderr, ...file }) => ({ ...file, isStderr: is_stderr })),
    isBelieved: true,
  };
}

/** As much of a run as its beginning tells. A command's lies with its source until it is told. */
function unsavedRun(identity: TaskIdentity): Run | null {
  const { source, unit, container_id: containerId } = identity;
  const startedAt = identity.started_at === null ? null : Date.parse(identity.started_at);
  const handle = source === 'systemd' ? unit : containerId;
  if (source === 'run' || handle === null) return null;
  const key = keyOf(source, `${handle}@${startedAt ?? ''}`);
  return {
    ...openRun({ key, source, identity, handle, isScope: handle.endsWith('.scope'), startedAt }),
    isBelieved: true,
  };
}
