import type { Event, EventBody, Gap, Lane } from '@runnerwatch/shared/model/event.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { TaskIdentity } from '@runnerwatch/shared/model/task.ts';
import { sql } from 'drizzle-orm';
import type { Logger } from 'pino';
import type { Commit, Database, Queries } from '../db/database.ts';
import { type DatabaseError, toDatabaseError } from '../db/errors.ts';
import { conditionStates, refusedEvents } from '../db/tables/schema.ts';
import { together } from '../db/together.ts';
import { saveDescription, saveSource } from '../nodes/store.ts';
import { foldEnd, foldStart } from '../tasks/lifecycle.ts';
import { saveRecordings } from '../tasks/recordings.ts';
import type { TaskRow } from '../tasks/row.ts';
import { loadForUpdate, saveTasks } from '../tasks/store.ts';
import { clip, countOrNull, integerOrNull } from './clean.ts';
import type { Incoming } from './incoming.ts';
import { lockLane, moveStream } from './store.ts';

/*
 * One batch, one transaction:
 *   lock the node (its lanes take turns), then the lane's position, then the tasks it speaks of
 *   leave out what the position already covers, fold the rest into the tasks
 *   insert the events, save the tasks and conditions, move the position, commit
 * and only then is the batch acknowledged. Doing it twice does nothing twice. What is in one line is sent to the database at
 * once: round trips, not statements, are what an end waits for.
 *
 * An event that says nothing new about its task is stored as judged already: nobody needs to conclude from it again.
 */
export interface WriterOptions {
  readonly database: Database;
  readonly log: Logger;
  /** After the commit: a hint for whoever draws conclusions. */
  readonly onCommitted: (committed: Committed) => void;
  /** First of all in the transaction: what others have told of these tasks becomes the agent's. */
  readonly adopt?: (transaction: Queries, nodeId: string, tasks: readonly TaskIdentity[]) => Promise<void>;
  /** Called at each named step, so that a test can die there. */
  readonly crashPoint?: (step: 'received' | 'before-commit' | 'committed') => void;
}

export interface Committed {
  readonly nodeId: string;
  /** New events, by their number in the table. */
  readonly eventIds: readonly number[];
  /** Tasks that changed, or have a recording now. */
  readonly taskIds: readonly string[];
}

export interface Batch {
  readonly nodeId: string;
  readonly streamId: string;
  readonly lane: Lane;
  readonly items: readonly Incoming[];
  readonly receivedAt: Date;
}

/** The node was removed while its agent was connected. */
export class NodeRemovedError extends Error {
  override readonly name = 'NodeRemovedError';
}

export interface Writer {
  /**
   * Stores what is new in the batch and returns the lane's position afterwards.
   * @throws DatabaseError when the database is away or broken; NodeRemovedError.
   */
  commit(batch: Batch): Promise<number>;
}

const attemptsOnConflict = 5;

export function createWriter(options: WriterOptions): Writer {
  return { commit: (batch) => commit(batch, options) };
}

async function commit(batch: Batch, options: WriterOptions): Promise<number> {
  options.crashPoint?.('received');
  try {
    return await commitOnce(batch, options, 1);
  } catch (error) {
    const failure = toDatabaseError(error);
    if (failure.problem !== 'data') throw error;
    return commitApart(batch, failure, options);
  }
}

/** A value in the batch is not storable although it looked so: each event by itself, so that only the bad one is refused. */
async function commitApart(batch: Batch, failure: DatabaseError, options: WriterOptions): Promise<number> {
  const [only] = batch.items;
  if (batch.items.length > 1 || only === undefined) {
    let position = 0;
    for (const item of batch.items) position = await commit({ ...batch, items: [item] }, options);
    return position;
  }
  if (only.kind === 'refused') throw failure;
  const refused: Incoming = {
    kind: 'refused',
    seq: only.event.seq,
    reason: `the database refused it: ${failure.message}`,
    raw: JSON.stringify(only.event),
  };
  return commitOnce({ ...batch, items: [refused] }, options, 1);
}

async function commitOnce(batch: Batch, options: WriterOptions, attempt: number): Promise<number> {
  const { database, log, onCommitted, crashPoint } = options;
  try {
    const { position, committed, refused } = await database.transaction(async (transaction, commit) => {
      await options.adopt?.(transaction, batch.nodeId, identitiesOf(batch.items));
      return write(transaction, batch, () => {
        crashPoint?.('before-commit');
        return commit();
      });
    });
    crashPoint?.('committed');
    for (const { seq, reason } of refused) {
      log.warn(
        { node_id: batch.nodeId, lane: batch.lane, seq, reason },
        'refused an event; it is kept in refused_events',
      );
    }
    if (committed.eventIds.length + committed.taskIds.length > 0) onCommitted(committed);
    return position;
  } catch (error) {
    if (attempt >= attemptsOnConflict || toDatabaseError(error).problem !== 'conflict') throw error;
    return commitOnce(batch, options, attempt + 1);
  }
}

interface Written {
  readonly position: number;
  readonly committed: Committed;
  readonly refused: readonly { readonly seq: number; readonly reason: string }[];
}

async function write(transaction: Queries, batch: Batch, commit: Commit): Promise<Written> {
  const { nodeId, streamId, lane } = batch;
  const [position, stored] = await together(
    lockLane(transaction, { nodeId, streamId, lane, at: batch.receivedAt }),
    loadForUpdate(transaction, taskIdsOf(batch.items)),
  );
  if (position === null) throw new NodeRemovedError(nodeId);
  const fresh = inOrder(batch.items).filter((item) => seqOf(item) > position);
  const last = fresh.at(-1);
  if (last === undefined) return { position, committed: { nodeId, eventIds: [], taskIds: [] }, refused: [] };
  const events = fresh.map((item) => eventOf(item, batch));
  const { changed, needless } = foldTasks(stored, events, batch);
  const refused = fresh.filter((item) => item.kind === 'refused');
  await saveNode(transaction, events, nodeId);
  const [eventIds, , recorded] = await together(
    insertEvents(transaction, events.filter(isJudged), { ...batch, needless }),
    saveTasks(transaction, changed),
    saveRecordings(transaction, events, batch),
    insertRefused(transaction, refused, batch),
    moveStream(transaction, { streamId, lane, position: seqOf(last), at: batch.receivedAt }),
    saveConditions(transaction, events, batch),
    commit(),
  );
  const taskIds = [...new Set([...changed.map(({ id }) => id), ...recorded])];
  return { position: seqOf(last), committed: { nodeId, eventIds, taskIds }, refused };
}

function seqOf(item: Incoming): number {
  return item.kind === 'event' ? item.event.seq : item.seq;
}

/** Ascending, each number once: the first that came. */
function inOrder(items: readonly Incoming[]): Incoming[] {
  const bySeq = new Map<number, Incoming>();
  for (const item of items) if (!bySeq.has(seqOf(item))) bySeq.set(seqOf(item), item);
  return [...bySeq.values()].toSorted((a, b) => seqOf(a) - seqOf(b));
}

/** What could not be taken in leaves a gap of its number, so that it is missed by nobody. */
function eventOf(item: Incoming, { lane, receivedAt }: Batch): Event {
  if (item.kind === 'event') return item.event;
  const gap: Gap = {
    source: 'collector',
    cause: clip(`an event of this agent was not understood: ${item.reason}`, 1024),
    lost: 1,
    at_most: null,
    from: null,
    to: null,
    lane,
    from_seq: item.seq,
    to_seq: item.seq,
  };
  return { seq: item.seq, at: toInstant(receivedAt.getTime()), body: { kind: 'gap', gap } };
}

type BodyOf<Kind extends EventBody['kind']> = Extract<EventBody, { kind: Kind }>;

function isOfTask(body: EventBody): body is BodyOf<'task_started'> | BodyOf<'task_ended'> {
  return body.kind === 'task_started' || body.kind === 'task_ended';
}

function identitiesOf(items: readonly Incoming[]): TaskIdentity[] {
  return items.flatMap((item) => (item.kind === 'event' && isOfTask(item.event.body) ? [item.event.body.task] : []));
}

function taskIdsOf(items: readonly Incoming[]): string[] {
  return [
    ...new Set(
      items.flatMap((item) => (item.kind === 'event' && isOfTask(item.event.body) ? item.event.body.task.id : [])),
    ),
  ];
}

/** A recording is kept with its task, and nobody concludes from it. */
function isJudged({ body }: Event): boolean {
  return body.kind !== 'task_recording';
}

/** The tasks as they are after the events, by their ids; `needless`: numbers of the events that told nothing new. */
function foldTasks(
  before: ReadonlyMap<string, TaskRow>,
  events: readonly Event[],
  { nodeId, receivedAt }: Batch,
): { changed: TaskRow[]; needless: ReadonlySet<number> } {
  const tasks = new Map(before);
  const changed = new Set<string>();
  const needless = new Set<number>();
  for (const { seq, body } of events) {
    if (!isOfTask(body)) continue;
    const { task } = body;
    const stored = tasks.get(task.id);
    if (stored !== undefined && stored.nodeId !== nodeId && isEnded(stored)) {
      needless.add(seq);
      continue;
    }
    changed.add(task.id);
    if (body.kind === 'task_started') {
      tasks.set(task.id, foldStart(stored, task, { nodeId, receivedAt }));
      continue;
    }
    const ending = { ...body.ending, ...boundedNumbers(body.ending) };
    const { row, outcome } = foldEnd(stored, task, {
      nodeId,
      receivedAt,
      ending,
      logTail: body.log_tail,
      errorExcerpt: body.error_excerpt ?? null,
    });
    tasks.set(task.id, row);
    if (outcome === 'kept') needless.add(seq);
  }
  return { changed: [...changed].toSorted().flatMap((id) => tasks.get(id) ?? []), needless };
}

/** A task of another node's agent that has not ended is taken over: the same machine, enrolled again. */
function isEnded({ status }: TaskRow): boolean {
  return status !== 'running' && status !== 'lost';
}

function boundedNumbers(ending: BodyOf<'task_ended'>['ending']) {
  return {
    exit_code: integerOrNull(ending.exit_code),
    duration_ms: countOrNull(ending.duration_ms),
    cpu_ms: countOrNull(ending.cpu_ms),
    memory_peak_bytes: countOrNull(ending.memory_peak_bytes),
    memory_limit_bytes: countOrNull(ending.memory_limit_bytes),
  };
}

async function saveConditions(
  transaction: Queries,
  events: readonly Event[],
  { nodeId, receivedAt }: Batch,
): Promise<void> {
  const newest = new Map<string, BodyOf<'condition'>['report']>();
  for (const { body } of events) {
    if (body.kind !== 'condition') continue;
    const { component, condition, subject } = body.report;
    newest.set(JSON.stringify([component, condition, subject]), body.report);
  }
  const states = [...newest]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([, { since, ...rest }]) => ({ ...rest, since: new Date(since), changedAt: receivedAt }));
  await Promise.all(
    states.map((state) =>
      transaction
        .insert(conditionStates)
        .values({ nodeId, ...state })
        .onConflictDoUpdate({
          target: [
            conditionStates.nodeId,
            conditionStates.component,
            conditionStates.condition,
            conditionStates.subject,
          ],
          set: state,
        }),
    ),
  );
}

async function saveNode(transaction: Queries, events: readonly Event[], nodeId: string): Promise<void> {
  for (const { body } of events) {
    if (body.kind === 'node') await saveDescription(transaction, nodeId, body.node);
    if (body.kind === 'source') await saveSource(transaction, nodeId, body.source);
  }
}

const rawCharactersMax = 65_536;

async function insertRefused(transaction: Queries, items: readonly Incoming[], batch: Batch): Promise<void> {
  const { nodeId, streamId, lane, receivedAt } = batch;
  const rows = items.flatMap((item) => {
    if (item.kind === 'event') return [];
    const { seq, reason, raw } = item;
    return [{ nodeId, streamId, lane, seq, receivedAt, reason: clip(reason, 1024), raw: clip(raw, rawCharactersMax) }];
  });
  if (rows.length > 0) await transaction.insert(refusedEvents).values(rows).onConflictDoNothing();
}

async function insertEvents(
  transaction: Queries,
  events: readonly Event[],
  { nodeId, streamId, lane, receivedAt, needless }: Batch & { needless: ReadonlySet<number> },
): Promise<number[]> {
  const now = receivedAt.toISOString();
  const column = <T>(pick: (event: Event) => T) => sql.param(events.map(pick));
  const rows = await transaction.execute<{ id: number }>(sql`
    insert into events (node_id, stream_id, lane, seq, kind, at, received_at, body, judged_at)
    select ${nodeId}, ${streamId}, ${lane}, told.seq, told.kind, told.at, ${now}::timestamptz, told.body, told.judged_at
    from unnest(
      ${column(({ seq }) => seq)}::int8[], ${column(({ body }) => body.kind)}::text[],
      ${column(({ at }) => at)}::timestamptz[], ${column(({ body }) => JSON.stringify(body))}::jsonb[],
      ${column(({ seq }) => (needless.has(seq) ? now : null))}::timestamptz[]
    ) as told(seq, kind, at, body, judged_at)
    order by told.seq
    on conflict (stream_id, lane, seq) do nothing
    returning id`);
  return [...rows].map(({ id }) => id);
}
