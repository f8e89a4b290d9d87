import { createHash } from 'node:crypto';
import type { SchedulerWord, TaskIdentity } from '@runnerwatch/shared/model/task.ts';
import { foldEnd } from '../tasks/lifecycle.ts';
import type { TaskRow } from '../tasks/row.ts';
import { endingOf, type Speaker } from './ending.ts';
import { isFinal, type SchedulerTask } from './scheduler.ts';

/*
 * What becomes of a stored task when its scheduler speaks of it:
 *   told by its node      the word is kept beside; what the node does not know (command, job, owner) is filled in
 *   … end unseen or lost  the scheduler's end takes its place, as likely
 *   told by nobody else   the scheduler's end is its end
 * A word never speaks against what a node saw: what runs there runs, whatever its scheduler says.
 */

export interface Folded {
  readonly row: TaskRow;
  /** Something differs from what is stored. */
  readonly isChanged: boolean;
  /** Its end is another than before: to be judged, and perhaps told. */
  readonly hasNewEnd: boolean;
  /** Nothing more follows from this word. */
  readonly isSettled: boolean;
}

export function foldWord(
  stored: TaskRow,
  task: SchedulerTask,
  { speaker, now }: { speaker: Speaker; now: Date },
): Folded {
  const known: TaskRow = {
    ...stored,
    job: stored.job ?? task.name,
    owner: stored.owner ?? task.owner,
    command: stored.command ?? task.command,
    scheduler: wordOf(task, speaker.name),
  };
  const isChanged =
    !isSameWord(stored.scheduler, known.scheduler) ||
    known.job !== stored.job ||
    known.owner !== stored.owner ||
    known.command !== stored.command;
  if (!isFinal(task) || stored.status === 'running')
    return { row: known, isChanged, hasNewEnd: false, isSettled: false };
  const isOwn = stored.source === speaker.type;
  const isUnseen = stored.status === 'lost' || (stored.verdict?.confidence ?? 'unknown') === 'unknown';
  const ending = endingOf(task, speaker, now);
  if (!(isOwn || isUnseen) || ending.status === stored.status)
    return { row: known, isChanged, hasNewEnd: false, isSettled: true };
  const { row, outcome } = foldEnd(
    isOwn ? { ...known, verdict: null } : known,
    identityOf(task, { speaker, id: stored.id }),
    { nodeId: stored.nodeId, receivedAt: now, ending, logTail: null },
  );
  const hasNewEnd = outcome === 'amended';
  return { row: hasNewEnd ? row : known, isChanged: isChanged || hasNewEnd, hasNewEnd, isSettled: true };
}

/** A task of which only its scheduler speaks. */
export function taskOfWord(
  task: SchedulerTask,
  { speaker, nodeId, now }: { speaker: Speaker; nodeId: string; now: Date },
): TaskRow {
  const identity = identityOf(task, { speaker, id: idOf(task, speaker) });
  const told = { nodeId, receivedAt: now, ending: endingOf(task, speaker, now), logTail: null };
  return { ...foldEnd(undefined, identity, told).row, scheduler: wordOf(task, speaker.name) };
}

export function identityOf(task: SchedulerTask, { speaker, id }: { speaker: Speaker; id: string }): TaskIdentity {
  return {
    id,
    task_id: task.taskId,
    name: task.name ?? `${speaker.type}-task-${task.taskId}`,
    job: task.name,
    project: null,
    owner: task.owner,
    source: speaker.type,
    unit: null,
    container_id: null,
    command: task.command,
    started_at: null,
  };
}

/** The same task gets the same id again: a digest written as a UUID of version 8 (RFC 9562), as agents do. */
function idOf({ taskId }: SchedulerTask, { name, type }: Speaker): string {
  const bytes = createHash('sha256').update(`${type}\0${name}\0${taskId}`).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  return bytes.toString('hex').replace(/^(.{8})(.{4})(.{4})(.{4})/, '$1-$2-$3-$4-');
}

function wordOf({ status, exitCode, message, batchId }: SchedulerTask, name: string): SchedulerWord {
  return { name, status, exit_code: exitCode, message, batch_id: batchId };
}

function isSameWord(one: SchedulerWord | null, other: SchedulerWord | null): boolean {
  const fields = (word: SchedulerWord | null) =>
    word && [word.name, word.status, word.exit_code, word.message, word.batch_id];
  return JSON.stringify(fields(one)) === JSON.stringify(fields(other));
}
