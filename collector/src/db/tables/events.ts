import type { EventBody } from '@runnerwatch/shared/model/event.ts';
import { sql } from 'drizzle-orm';
import { bigserial, index, jsonb, pgTable, primaryKey, text, uniqueIndex } from 'drizzle-orm/pg-core';
import { countColumn, instantColumn } from './columns.ts';
import { nodes } from './nodes.ts';

/** Every fact an agent wrote down, once. `judgedAt` is null until the alert engine has drawn its conclusions in the same transaction. */
export const events = pgTable(
  'events',
  {
    id: bigserial('id', { mode: 'number' }).primaryKey(),
    nodeId: text('node_id')
      .notNull()
      .references(() => nodes.id, { onDelete: 'cascade' }),
    streamId: text('stream_id').notNull(),
    lane: text('lane').$type<'ends' | 'facts'>().notNull(),
    seq: countColumn('seq').notNull(),
    kind: text('kind').$type<EventBody['kind']>().notNull(),
    /** The node's clock, as told. */
    at: instantColumn('at').notNull(),
    receivedAt: instantColumn('received_at').notNull(),
    body: jsonb('body').$type<EventBody>().notNull(),
    judgedAt: instantColumn('judged_at'),
  },
  (table) => [
    uniqueIndex('events_once').on(table.streamId, table.lane, table.seq),
    index('events_unjudged').on(table.id).where(sql`judged_at is null`),
    index('events_gaps').on(table.nodeId, table.id).where(sql`kind = 'gap'`),
    index('events_by_node').on(table.nodeId, table.receivedAt),
    index('events_by_receipt').using('brin', table.receivedAt),
  ],
);

/**
 * Events that could not be taken in as they are: kept as they came, so that a newer version or a person can read them.
 * Each has a gap event of the same number in `events`, which says so to everyone else.
 */
export const refusedEvents = pgTable(
  'refused_events',
  {
    nodeId: text('node_id')
      .notNull()
      .references(() => nodes.id, { onDelete: 'cascade' }),
    streamId: text('stream_id').notNull(),
    lane: text('lane').$type<'ends' | 'facts'>().notNull(),
    seq: countColumn('seq').notNull(),
    receivedAt: instantColumn('received_at').notNull(),
    /** Field path and what is wrong with it. */
    reason: text('reason').notNull(),
    /** JSON text as received, cut to 64 KiB, with what a text column cannot hold replaced. */
    raw: text('raw').notNull(),
  },
  (table) => [primaryKey({ columns: [table.streamId, table.lane, table.seq] })],
);
