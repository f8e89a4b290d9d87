import type { Gap } from '@runnerwatch/shared/model/event.ts';
import { and, desc, eq, lt, sql } from 'drizzle-orm';
import type { Queries } from '../db/database.ts';
import { events } from '../db/tables/events.ts';

export interface GapRow {
  readonly id: number;
  /** The node's clock, as told. */
  readonly at: Date;
  readonly gap: Gap;
}

/** What a node's agent said that it could not see or keep, newest first; `before`: the id where the last page ended. */
export async function listGaps(
  queries: Queries,
  { nodeId, before, limit }: { nodeId: string; before?: number | undefined; limit: number },
): Promise<GapRow[]> {
  return queries
    .select({ id: events.id, at: events.at, gap: sql<Gap>`${events.body}->'gap'` })
    .from(events)
    .where(
      and(eq(events.kind, 'gap'), eq(events.nodeId, nodeId), before === undefined ? undefined : lt(events.id, before)),
    )
    .orderBy(desc(events.id))
    .limit(limit);
}
