import { index, integer, pgTable, text } from 'drizzle-orm/pg-core';
import { instantColumn } from './columns.ts';

/** Those who have a token of their own. */
export const people = pgTable('people', {
  id: text('id').primaryKey(),
  name: text('name').notNull().unique(),
  role: text('role').$type<'viewer' | 'operator' | 'admin'>().notNull(),
  /** Hex; the token itself is shown once and kept nowhere. */
  tokenSha256: text('token_sha256').notNull().unique(),
  createdAt: instantColumn('created_at').notNull(),
  createdBy: text('created_by').notNull(),
  /** To the minute; null: never. */
  lastUsedAt: instantColumn('last_used_at'),
  /** Null: until it is removed. */
  expiresAt: instantColumn('expires_at'),
});

/** Who changed what, or was not let. No bodies and no queries: they may hold secrets. */
export const audit = pgTable(
  'audit',
  {
    id: text('id').primaryKey(),
    at: instantColumn('at').notNull(),
    /** A name, `local` or `api.token`; null: nobody we know. */
    person: text('person'),
    role: text('role').$type<'viewer' | 'operator' | 'admin'>(),
    address: text('address'),
    method: text('method').notNull(),
    /** As the API's document writes it: `/nodes/{id}/drain`. */
    route: text('route').notNull(),
    /** What it was about: what the path names, or what was made. */
    subject: text('subject'),
    /** Of the answer. */
    status: integer('status').notNull(),
  },
  (table) => [index('audit_by_time').on(table.at, table.id)],
);
