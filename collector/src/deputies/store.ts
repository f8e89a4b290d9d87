import { eq } from 'drizzle-orm';
import * as z from 'zod/mini';
import type { Queries } from '../db/database.ts';
import { collectorState } from '../db/tables/collector.ts';
import type { Places } from './naming.ts';

/** Who tells that the outage of a key is over, and whether it has. */
export interface Teller {
  readonly key: string;
  readonly nodeId: string;
  readonly hasTold: boolean;
}

/** What the next life of the collector must know: the same deputies, and who was chosen for an all-clear. */
export interface DeputyRecord {
  readonly places: Places;
  /** The newest last. */
  readonly tellers: readonly Teller[];
}

const record = z.object({
  places: z.array(z.nullable(z.object({ node_id: z.string(), node: z.string(), host: z.string() }))),
  tellers: z.array(z.object({ key: z.string(), node_id: z.string(), has_told: z.boolean() })),
});

const row = 'deputies';

/** @throws DatabaseError */
export async function loadDeputies(queries: Queries): Promise<DeputyRecord> {
  const [stored] = await queries.select().from(collectorState).where(eq(collectorState.key, row));
  const parsed = record.safeParse(stored?.value);
  if (!parsed.success) return { places: [], tellers: [] };
  return {
    places: parsed.data.places.map((one) => one && { nodeId: one.node_id, name: one.node, host: one.host }),
    tellers: parsed.data.tellers.map((one) => ({ key: one.key, nodeId: one.node_id, hasTold: one.has_told })),
  };
}

/** @throws DatabaseError */
export async function saveDeputies(queries: Queries, { places, tellers }: DeputyRecord): Promise<void> {
  const value: z.infer<typeof record> = {
    places: places.map((one) => one && { node_id: one.nodeId, node: one.name, host: one.host }),
    tellers: tellers.map(({ key, nodeId, hasTold }) => ({ key, node_id: nodeId, has_told: hasTold })),
  };
  await queries
    .insert(collectorState)
    .values({ key: row, value })
    .onConflictDoUpdate({ target: collectorState.key, set: { value } });
}
