import type { Inventory, SourceState } from '@runnerwatch/shared/model/node.ts';
import { boolean, index, integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { countColumn, instantColumn } from './columns.ts';

export const nodes = pgTable(
  'nodes',
  {
    id: text('id').primaryKey(),
    name: text('name').notNull(),
    /**
     * online, offline, stopped; `draining` is shown when the flag below is set and the node is online. never_seen: no agent
     * has ever spoken for it, a scheduler has.
     */
    status: text('status').$type<'online' | 'offline' | 'stopped' | 'never_seen'>().notNull(),
    draining: boolean('draining').notNull().default(false),
    labels: jsonb('labels').$type<Record<string, string>>().notNull().default({}),
    inventory: jsonb('inventory').$type<Inventory>(),
    sources: jsonb('sources').$type<SourceState[]>().notNull().default([]),
    bootId: text('boot_id'),
    agentVersion: text('agent_version'),
    remoteAddress: text('remote_address'),
    heartbeatIntervalMs: integer('heartbeat_interval_ms').notNull().default(10_000),
    firstSeenAt: instantColumn('first_seen_at').notNull(),
    connectedAt: instantColumn('connected_at'),
    lastHeardAt: instantColumn('last_heard_at').notNull(),
    /** When silence becomes ComponentUnreachable; null after a goodbye. */
    deadlineAt: instantColumn('deadline_at'),
    goodbyeReason: text('goodbye_reason'),
    clockSkewMs: countColumn('clock_skew_ms'),
  },
  (table) => [index('nodes_by_name').on(table.name)],
);

/** How far each agent's numbered events are committed. One spool life is one stream. */
export const streams = pgTable(
  'streams',
  {
    streamId: text('stream_id').notNull(),
    lane: text('lane').$type<'ends' | 'facts'>().notNull(),
    nodeId: text('node_id')
      .notNull()
      .references(() => nodes.id, { onDelete: 'cascade' }),
    committedSeq: countColumn('committed_seq').notNull(),
    committedAt: instantColumn('committed_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.streamId, table.lane] })],
);
