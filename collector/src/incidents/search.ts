import { desc, ilike } from 'drizzle-orm';
import type { Queries } from '../db/database.ts';
import { holding } from '../db/like-pattern.ts';
import { incidents } from '../db/tables/alerts.ts';
import type { IncidentRow } from './store.ts';

/** By a part of the title: the open ones first, then the newest. */
export async function searchIncidents(queries: Queries, text: string, limit: number): Promise<IncidentRow[]> {
  return queries
    .select()
    .from(incidents)
    .where(ilike(incidents.title, holding(text)))
    .orderBy(incidents.status, desc(incidents.openedAt))
    .limit(limit);
}
