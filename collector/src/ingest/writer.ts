import type { Event, EventBody, Gap, Lane } from '@runnerwatch/shared/model/event.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import { sql } from 'drizzle-orm';
import type { Logger } from 'pino';
import type { Database, Queries } from '../db/database.ts';
import { type DatabaseError, toDatabaseError } from '../db/errors.ts';
import { conditionStates, refusedEvents } from '../db/tables/schema.ts';
import { lockNode, saveDescription, saveSource } from '../nodes/store.ts';
import { foldEnd, foldStart } from '../tasks/lifecycle.ts';
import type { TaskRow } from '../tasks/row.ts';
import { loadForUpdate, saveTasks } from '../tasks/store.ts';
import { clip, countOrNull, integerOrNull } from './clean.ts';
import type { Incoming } from './incoming.ts';
import { lockStream, moveStream } from './store.ts';

/*
 * One batch, one transaction:
 *   lock the node (its lanes take turns), then the lane's position
 *   leave out what the position already covers
 *   insert the events, fold them into tasks, conditions and the node
 *   move the position, commit
 * and only then is the batch acknowledged. Doing it twice does nothing twice.
 *
 * An event that says nothing new about its task is stored as judged already: nobody needs to conclude from it again.
 */
export interface WriterOptions {
  readonly database: Database;
  readonly log: Logger;
  /** After the commit: a hint for whoever draws conclusions. */
  readonly onCommitted: (committed: Committed) => void;
  /** Called at each named step, so that a test can die there. */
  readonly crashPoint?: (step: 'received' | 'before-commit' | 'committed') => void;
}

export interface Committed {
  readonly nodeId: string;
  /** New events, by their number in the table. */
  readonly eventIds: readonly number[];
  /** Tasks that changed. */
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
    const { position, committed, refused } = await database.drizzle.transaction(async (transaction) => {
      const written = await write(transaction, batch);
      crashPoint?.('before-commit');
      return written;
    });
    crashPoint?.('committed');
    for (const { seq, reason } of refused) {
      log.warn(
        { node_id: batch.nodeId, lane: batch.lane, seq, reason },
        'refused an event; it is kept in refused_events',
      );
    }
    if (committed.eventIds.length > 0) onCommitted(committed);
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

async function write(transaction: Queries, batch: Batch): Promise<Written> {
  const { nodeId, streamId, lane } = batch;
  if ((await lockNode(transaction, nodeId)) === null) throw new NodeRemovedError(nodeId);
  const position = await lockStream(transaction, { nodeId, streamId, lane, at: batch.receivedAt });
  const fresh = inOrder(batch.items).filter((item) => seqOf(item) > position);
  const last = fresh.at(-1);
  if (last === undefined) return { position, committed: { nodeId, eventIds: [], taskIds: [] }, refused: [] };
  const events = fresh.map((item) => eventOf(item, batch));
  const { changedTaskIds, needless } = await foldTasks(transaction, events, batch);
  await foldConditions(transaction, events, batch);
  await foldNode(transaction, events, nodeId);
  const refused = fresh.filter((item) => item.kind === 'refused');
  await insertRefused(transaction, refused, batch);
  const eventIds = await insertEvents(transaction, events, { ...batch, needless });
  await moveStream(transaction, { streamId, lane, position: seqOf(last), at: batch.receivedAt });
  return { position: seqOf(last), committed: { nodeId, eventIds, taskIds: changedTaskIds }, refused };
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

async function foldTasks(
  transaction: Queries,
  events: readonly Event[],
  { nodeId, receivedAt }: Batch,
): Promise<{ changedTaskIds: string[]; needless: ReadonlySet<number> }> {
  const isOfTask = (body: EventBody): body is BodyOf<'task_started'> | BodyOf<'task_ended'> =>
    body.kind === 'task_started' || body.kind === 'task_ended';
  const ids = new Set(events.flatMap(({ body }) => (isOfTask(body) ? [body.task.id] : [])));
  const stored = await loadForUpdate(transaction, [...ids]);
  const changed = new Set<string>();
  const needless = new Set<number>();
  for (const { seq, body } of events) {
    if (!isOfTask(body)) continue;
    const { task } = body;
    const before = stored.get(task.id);
    if (before !== undefined && before.nodeId !== nodeId && isEnded(before)) {
      needless.add(seq);
      continue;
    }
    changed.add(task.id);
    if (body.kind === 'task_started') {
      stored.set(task.id, foldStart(before, task, { nodeId, receivedAt }));
      continue;
    }
    const ending = { ...body.ending, ...boundedNumbers(body.ending) };
    const { row, outcome } = foldEnd(before, task, { nodeId, receivedAt, ending, logTail: body.log_tail });
    stored.set(task.id, row);
    if (outcome === 'kept') needless.add(seq);
  }
  await saveTasks(
    transaction,
    [...changed].toSorted().flatMap((id) => stored.get(id) ?? []),
  );
  return { changedTaskIds: [...changed], needless };
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

async function foldConditions(
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
  for (const [, report] of [...newest].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
    const { since, ...rest } = report;
    const state = { ...rest, since: new Date(since), changedAt: receivedAt };
    await transaction
      .insert(conditionStates)
      .values({ nodeId, ...state })
      .onConflictDoUpdate({
        target: [conditionStates.nodeId, conditionStates.component, conditionStates.condition, conditionStates.subject],
        set: state,
      });
  }
}

async function foldNode(transaction: Queries, events: readonly Event[], nodeId: string): Promise<void> {
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
