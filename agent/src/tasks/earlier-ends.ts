import type { TaskEnding } from '@runnerwatch/shared/model/task.ts';
import type { TaskEnded } from './ending.ts';
import { idOfKey } from './identify.ts';
import { isSameStart, keyOf } from './opening.ts';
import { openRun, type Run } from './run.ts';
import { signalNumber } from './verdict/exit-status.ts';

/** An end as the life before told it, and as much of its run as that says. */
export interface EarlierEnd {
  readonly run: Run;
  readonly body: TaskEnded;
}

/** By what an end is asked for; what is null the source does not say. */
export interface EarlierName {
  /** What its run may be called by. */
  readonly handles: readonly string[];
  /** Which run of that name. */
  readonly key: string | null;
  readonly startedAt?: number | null;
  /** When happened what is said of it. */
  readonly at: number;
}

export interface EarlierEndsOptions {
  readonly nodeId: string;
  readonly unproven: readonly TaskEnded[];
  /** Runs as the life before wrote them down: that may be more than it told. */
  readonly saved: readonly Run[];
  readonly nowMs: number;
}

/** To catch up takes no longer. */
const keptMs = 600_000;
/** Clocks of kernel, systemd, engines and ours are read at slightly different moments. */
const aboutMs = 2000;

/**
 * The ends that the life before could not prove. A source that is caught up with may say what that life did not hear any
 * more: whoever is spoken of is given out, once. Instants are of the monotonic clock.
 */
export class EarlierEnds {
  readonly #nodeId: string;
  readonly #ends = new Map<string, EarlierEnd>();
  readonly #untilMs: number;

  constructor({ nodeId, unproven, saved, nowMs }: EarlierEndsOptions) {
    this.#nodeId = nodeId;
    this.#untilMs = nowMs + keptMs;
    const runs = new Map(saved.map((run) => [run.identity.id, run]));
    for (const body of unproven) {
      if (!isLostContainer(body)) this.#ends.set(body.task.id, { run: runOf(body, runs.get(body.task.id)), body });
    }
  }

  take(name: EarlierName): EarlierEnd[] {
    const found = [...this.#ends.values()].filter(({ run }) => this.#isOf(run, name));
    for (const { run } of found) this.#ends.delete(run.identity.id);
    const { key } = name;
    return found.map((end) => (isKeyOf(key, end.run) ? { ...end, run: { ...end.run, key } } : end));
  }

  tick(nowMs: number): void {
    if (nowMs > this.#untilMs) this.#ends.clear();
  }

  #isOf(run: Run, { handles, key, startedAt, at }: EarlierName): boolean {
    if (isKeyOf(key, run)) return idOfKey(key, this.#nodeId) === run.identity.id;
    if (!handles.includes(run.handle)) return false;
    if (startedAt != null && run.startedAt !== null) return isSameStart(run.startedAt, startedAt);
    const from = run.startedAt ?? Number.NEGATIVE_INFINITY;
    return at >= from - aboutMs && at <= (run.earlier?.at ?? at) + aboutMs;
  }
}

function isKeyOf(key: string | null, { source }: Run): key is string {
  return key?.startsWith(keyOf(source, '')) === true;
}

/** What an engine says after a restart of the node of containers that ran before it, it has made up. */
function isLostContainer({ task, ending }: TaskEnded): boolean {
  return task.container_id !== null && ending.verdict.cause === 'node_lost';
}

function runOf({ task, ending, log_tail: logTail }: TaskEnded, saved: Run | undefined): Run {
  const { source, unit, container_id: containerId } = task;
  const startedAt = task.started_at === null ? null : Date.parse(task.started_at);
  // A command goes by its key alone.
  const handle = (source === 'run' ? null : (containerId ?? unit)) ?? task.id;
  const key = keyOf(source, `${handle}@${startedAt ?? ''}`);
  const run = saved ?? openRun({ key, source, identity: task, handle, isScope: handle.endsWith('.scope'), startedAt });
  return {
    ...run,
    identity: task,
    memoryLimitBytes: run.memoryLimitBytes ?? ending.memory_limit_bytes,
    memoryPeakBytes: ending.memory_peak_bytes,
    cpuMs: ending.cpu_ms,
    logTail,
    isBelieved: false,
    earlier: {
      at: Date.parse(ending.ended_at),
      approximate: ending.ended_at_approximate,
      waitStatus: waitStatusOf(ending),
    },
  };
}

function waitStatusOf({ exit_code: code, signal }: TaskEnding): number | null {
  return code === null ? (signalNumber(signal ?? '') ?? null) : code << 8;
}
