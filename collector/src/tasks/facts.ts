import type { EventBody } from '@runnerwatch/shared/model/event.ts';
import { and, desc, eq } from 'drizzle-orm';
import type { Queries } from '../db/database.ts';
import { events } from '../db/tables/schema.ts';

export interface Fact {
  readonly nodeId: string;
  readonly body: EventBody;
}

/** Facts that no agent wrote down, for the engine to judge. Whoever writes into a stream lets nobody else do so until the commit. */
export async function insertToldFacts(
  transaction: Queries,
  { streamId, facts, now }: { readonly streamId: string; readonly facts: readonly Fact[]; readonly now: Date },
): Promise<void> {
  if (facts.length === 0) return;
  const [last] = await transaction
    .select({ seq: events.seq })
    .from(events)
    .where(and(eq(events.streamId, streamId), eq(events.lane, 'facts')))
    .orderBy(desc(events.seq))
    .limit(1);
  const seq = last?.seq ?? 0;
  await transaction.insert(events).values(
    facts.map(({ nodeId, body }, index) => ({
      nodeId,
      streamId,
      lane: 'facts' as const,
      seq: seq + index + 1,
      kind: body.kind,
      at: now,
      receivedAt: now,
      body,
    })),
  );
}
