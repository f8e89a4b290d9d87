import { replacesVerdict, type TaskEnding, type TaskIdentity } from '@runnerwatch/shared/model/task.ts';
import type { TaskRow } from './row.ts';

/*
 * What becomes of a stored task when its agent speaks of it. Events of one run can arrive in either order and more than once:
 *   nothing, running  + end    the end is stored
 *   ended             + start  the end stays; the start fills in what was not known
 *   ended             + end    the better proven one stays, or of equals the one that has seen more and says another cause;
 *                              replacing is an amendment
 *   lost              + start  the agent is back and the task still runs: running again, an amendment
 * `lost` is the collector's own guess about a silent node, so every word of the agent is better.
 */

/** `stored`: first end. `amended`: replaced what was stored. `kept`: told nothing better, so nobody needs to hear of it. */
export type Outcome = 'stored' | 'amended' | 'kept';

export interface Told {
  readonly nodeId: string;
  readonly receivedAt: Date;
}

export function foldStart(stored: TaskRow | undefined, identity: TaskIdentity, told: Told): TaskRow {
  if (stored === undefined)
    return { ...unended, ...identityColumns(identity), ...told, status: 'running', scheduler: null, amendments: 0 };
  const known = { ...stored, ...fillIn(stored, identityColumns(identity)), nodeId: told.nodeId };
  if (stored.status !== 'lost') return known;
  return { ...known, ...unended, status: 'running', amendments: stored.amendments + 1, receivedAt: told.receivedAt };
}

export interface ToldEnd extends Told {
  readonly ending: TaskEnding;
  readonly logTail: string[] | null;
  readonly errorExcerpt?: string[] | null;
}

export function foldEnd(
  stored: TaskRow | undefined,
  identity: TaskIdentity,
  told: ToldEnd,
): { readonly row: TaskRow; readonly outcome: Outcome } {
  const { nodeId, receivedAt, ending, logTail, errorExcerpt = null } = told;
  const ended = endColumns(ending, { logTail, errorExcerpt });
  if (stored === undefined) {
    const row = { ...identityColumns(identity), ...ended, nodeId, receivedAt, scheduler: null, amendments: 0 };
    return { row, outcome: 'stored' };
  }
  const known = { ...stored, ...fillIn(stored, identityColumns(identity)), nodeId: told.nodeId };
  if (stored.status === 'running') return { row: { ...known, ...ended, receivedAt }, outcome: 'stored' };
  if (!isBetterEnd(stored, ending)) return { row: known, outcome: 'kept' };
  const row = {
    ...known,
    ...ended,
    logTail: logTail ?? stored.logTail,
    errorExcerpt: errorExcerpt ?? stored.errorExcerpt,
    receivedAt,
    amendments: stored.amendments + 1,
  };
  return { row, outcome: 'amended' };
}

/** Does this end replace the stored one? */
function isBetterEnd(stored: Pick<TaskRow, 'status' | 'verdict'>, ending: TaskEnding): boolean {
  if (stored.status === 'lost' && ending.status !== 'lost') return true;
  if (stored.verdict === null) return ending.verdict.confidence !== 'unknown';
  return replacesVerdict(ending.verdict, stored.verdict);
}

type IdentityColumns = Pick<
  TaskRow,
  'id' | 'taskId' | 'name' | 'job' | 'project' | 'owner' | 'source' | 'unit' | 'containerId' | 'command' | 'startedAt'
>;

function identityColumns(identity: TaskIdentity): IdentityColumns {
  return {
    id: identity.id,
    taskId: identity.task_id,
    name: identity.name,
    job: identity.job,
    project: identity.project,
    owner: identity.owner,
    source: identity.source,
    unit: identity.unit,
    containerId: identity.container_id,
    command: identity.command,
    startedAt: identity.started_at === null ? null : new Date(identity.started_at),
  };
}

/** What was unknown so far and is told now. */
function fillIn(stored: TaskRow, told: IdentityColumns): Partial<TaskRow> {
  const isNews = ([key, value]: [string, unknown]) => value !== null && stored[key as keyof IdentityColumns] === null;
  const known = Object.fromEntries(Object.entries(told).filter(isNews));
  // A run that had no scheduler's id so far has its own in its place.
  return stored.taskId === stored.id ? { ...known, taskId: told.taskId } : known;
}

const unended = {
  exitCode: null,
  signal: null,
  endedAt: null,
  endedAtApproximate: false,
  durationMs: null,
  cpuMs: null,
  memoryPeakBytes: null,
  memoryLimitBytes: null,
  errorMessage: null,
  verdict: null,
  cause: null,
  logTail: null,
  errorExcerpt: null,
} as const;

function endColumns(ending: TaskEnding, log: Pick<TaskRow, 'logTail' | 'errorExcerpt'>) {
  return {
    status: ending.status,
    exitCode: ending.exit_code,
    signal: ending.signal,
    endedAt: new Date(ending.ended_at),
    endedAtApproximate: ending.ended_at_approximate,
    durationMs: ending.duration_ms,
    cpuMs: ending.cpu_ms,
    memoryPeakBytes: ending.memory_peak_bytes,
    memoryLimitBytes: ending.memory_limit_bytes,
    errorMessage: ending.error_message,
    verdict: ending.verdict,
    cause: ending.verdict.cause,
    ...log,
  };
}
