import { createHash, randomUUID } from 'node:crypto';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { TaskEnding, TaskIdentity } from '@runnerwatch/shared/model/task.ts';
import type { Fact } from '../tasks/facts.ts';
import type { JobName } from '../tasks/jobs.ts';
import { foldEnd, foldStart } from '../tasks/lifecycle.ts';
import type { TaskRow } from '../tasks/row.ts';
import { endingOfSilence, endingOfWord, type Word } from './ending.ts';

/** What a job says of one of its runs. */
export interface Ping {
  readonly job: JobName;
  /** The caller's own id of the run; null: it gave none. */
  readonly runId: string | null;
  readonly owner: string | null;
  /** A node's name; null: it gave none. */
  readonly node: string | null;
  readonly word: Word;
  /** Without secrets (words.ts). */
  readonly logTail: string[] | null;
}

export interface Place {
  readonly nodeId: string;
  readonly now: Date;
}

export interface Following {
  /** The run of the ping, as it is now. */
  readonly task: TaskRow;
  /** The run before it, of which that was learnt too. */
  readonly dead: TaskRow | null;
  /** Empty when the ping says nothing new. */
  readonly facts: readonly Fact[];
}

/** Within this time the same word without a run id is a repeat. */
export const repeatMs = 10_000;

/** What becomes of the run that a ping speaks of: `stored`, or one that is not known yet. */
export function follow(stored: TaskRow | undefined, ping: Ping, place: Place): Following {
  const { word } = ping;
  if (word.kind === 'end') {
    const lastLine = ping.logTail?.findLast((line) => line.trim() !== '')?.slice(0, 500) ?? null;
    const ending = endingOfWord(word, { startedAt: stored?.startedAt ?? null, now: place.now, lastLine });
    return end(stored, { ...place, identity: identityOf(ping, stored, null), ending, logTail: ping.logTail });
  }
  if (stored === undefined || !hasDied(stored, ping, place.now)) return begin(stored, ping, place);
  const { startedAt } = stored;
  const ending = endingOfSilence({ startedAt, now: place.now });
  const dead = end(stored, { ...place, identity: identityOf(ping, stored, startedAt), ending, logTail: null });
  const next = begin(undefined, ping, place);
  return { task: next.task, dead: dead.task, facts: [...dead.facts, ...next.facts] };
}

/** The same run gets the same id again: a digest written as a UUID of version 8 (RFC 9562), as agents do. */
export function idOfRun({ project, name }: JobName, runId: string): string {
  const text = JSON.stringify(['ping', project, name, runId]);
  const bytes = createHash('sha256').update(text).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function hasDied({ status, startedAt }: TaskRow, { runId }: Ping, now: Date): boolean {
  return runId === null && status === 'running' && now.getTime() - (startedAt ?? now).getTime() > repeatMs;
}

function begin(stored: TaskRow | undefined, ping: Ping, { nodeId, now }: Place): Following {
  const task = identityOf(ping, stored, stored === undefined ? now : null);
  const isNews = stored === undefined || stored.status === 'lost';
  return {
    task: foldStart(stored, task, { nodeId, receivedAt: now }),
    dead: null,
    facts: isNews ? [{ nodeId, body: { kind: 'task_started', task } }] : [],
  };
}

interface End extends Place {
  readonly identity: TaskIdentity;
  readonly ending: TaskEnding;
  readonly logTail: string[] | null;
}

function end(stored: TaskRow | undefined, { identity, ending, logTail, nodeId, now }: End): Following {
  const { row, outcome } = foldEnd(stored, identity, { nodeId, receivedAt: now, ending, logTail });
  const body = { kind: 'task_ended' as const, task: identity, ending, log_tail: logTail };
  return { task: row, dead: null, facts: outcome === 'kept' ? [] : [{ nodeId, body }] };
}

function identityOf({ job, runId, owner }: Ping, stored: TaskRow | undefined, startedAt: Date | null): TaskIdentity {
  const id = stored?.id ?? (runId === null ? randomUUID() : idOfRun(job, runId));
  return {
    id,
    task_id: runId ?? id,
    name: job.name,
    job: job.name,
    project: job.project,
    owner,
    source: 'ping',
    unit: null,
    container_id: null,
    command: null,
    started_at: startedAt === null ? null : toInstant(startedAt.getTime()),
  };
}
