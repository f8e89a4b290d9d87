import type { Lane } from '@runnerwatch/shared/model/event.ts';
import type { LanePositions } from '@runnerwatch/shared/protocol/frames.ts';
import { and, eq, sql } from 'drizzle-orm';
import type { Queries } from '../db/database.ts';
import { streams } from '../db/tables/schema.ts';

/** A stream that another node has used: two agents share one spool, or one lies. */
export class ForeignStreamError extends Error {
  override readonly name = 'ForeignStreamError';
}

interface LaneOfStream {
  readonly nodeId: string;
  readonly streamId: string;
  readonly lane: Lane;
}

/** The highest committed number per lane of the stream. @throws ForeignStreamError */
export async function committedPositions(queries: Queries, streamId: string, nodeId: string): Promise<LanePositions> {
  const rows = await queries.select().from(streams).where(eq(streams.streamId, streamId));
  if (rows.some((row) => row.nodeId !== nodeId)) throw new ForeignStreamError(streamId);
  const positionOf = (lane: Lane) => rows.find((row) => row.lane === lane)?.committedSeq ?? 0;
  return { ends: positionOf('ends'), facts: positionOf('facts') };
}

/**
 * The lane's position; it and, before it, the node are locked until the transaction ends. Null: the node was removed. The
 * update changes nothing: it is how an `insert` locks the row that it finds. @throws ForeignStreamError
 */
export async function lockLane(
  transaction: Queries,
  { nodeId, streamId, lane, at }: LaneOfStream & { readonly at: Date },
): Promise<number | null> {
  const [stream] = await transaction.execute<{ node_id: string; committed_seq: number }>(sql`
    with node as (select id from nodes where id = ${nodeId} for no key update)
    insert into streams (stream_id, lane, node_id, committed_seq, committed_at)
    select ${streamId}, ${lane}, id, 0, ${at.toISOString()}::timestamptz from node
    on conflict (stream_id, lane) do update set committed_seq = streams.committed_seq
    returning node_id, committed_seq`);
  if (stream === undefined) return null;
  if (stream.node_id !== nodeId) throw new ForeignStreamError(streamId);
  return stream.committed_seq;
}

export async function moveStream(
  transaction: Queries,
  { streamId, lane, position, at }: { streamId: string; lane: Lane; position: number; at: Date },
): Promise<void> {
  await transaction
    .update(streams)
    .set({ committedSeq: position, committedAt: at })
    .where(and(eq(streams.streamId, streamId), eq(streams.lane, lane)));
}

/** Judged events received before the instant; at most `limit` at a time. Returns how many. */
export async function deleteEventsBefore(queries: Queries, before: Date, limit: number): Promise<number> {
  const [row] = await queries.execute<{ count: number }>(sql`
    with gone as (
      delete from events where ctid = any(array(
        select ctid from events
        where received_at < ${before.toISOString()}::timestamptz and judged_at is not null limit ${limit}::int)) returning 1)
    select count(*)::int as count from gone`);
  return row?.count ?? 0;
}

/** How many events wait for the engine's conclusions. */
export async function countUnjudged(queries: Queries): Promise<number> {
  const [row] = await queries.execute<{ count: number }>(
    sql`select count(*)::int as count from events where judged_at is null`,
  );
  return row?.count ?? 0;
}
