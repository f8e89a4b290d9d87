import { jsonb, pgTable, text } from 'drizzle-orm/pg-core';

/** What the collector knows of itself across restarts: its id, the digest of the token that admits agents. */
export const collectorState = pgTable('collector_state', {
  key: text('key').primaryKey(),
  value: jsonb('value').notNull(),
});
