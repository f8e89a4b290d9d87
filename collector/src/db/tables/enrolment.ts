import { integer, jsonb, pgTable, text } from 'drizzle-orm/pg-core';
import { instantColumn } from './columns.ts';

/** Join tokens. */
export const enrollments = pgTable('enrollments', {
  id: text('id').primaryKey(),
  /** Hex; the token itself is shown once and kept nowhere. */
  tokenSha256: text('token_sha256').notNull().unique(),
  note: text('note'),
  /** Given to every node that it admits. */
  labels: jsonb('labels').$type<Record<string, string>>().notNull().default({}),
  usesMax: integer('uses_max').notNull(),
  uses: integer('uses').notNull().default(0),
  createdAt: instantColumn('created_at').notNull(),
  /** Null: before it was written down. */
  createdBy: text('created_by'),
  expiresAt: instantColumn('expires_at').notNull(),
  revokedAt: instantColumn('revoked_at'),
});

/** What is known of an agent besides its node: its own key, and whether it may come. Goes when the node is removed. */
export const agents = pgTable('agents', {
  nodeId: text('node_id').primaryKey(),
  /** Hex; null: it came with the token that all share. */
  keySha256: text('key_sha256').unique(),
  enrollmentId: text('enrollment_id'),
  labels: jsonb('labels').$type<Record<string, string>>().notNull().default({}),
  admittedAt: instantColumn('admitted_at').notNull(),
  revokedAt: instantColumn('revoked_at'),
});
