import { and, desc, eq, gt, isNotNull, isNull, lt, sql } from 'drizzle-orm';
import type { Queries } from '../db/database.ts';
import { agents, enrollments, nodes } from '../db/tables/schema.ts';

export type EnrollmentRow = typeof enrollments.$inferSelect;
export type AgentRow = typeof agents.$inferSelect;

export async function insertEnrollment(queries: Queries, row: EnrollmentRow): Promise<void> {
  await queries.insert(enrollments).values(row);
}

/** Newest first. */
export async function listEnrollments(queries: Queries): Promise<EnrollmentRow[]> {
  return queries.select().from(enrollments).orderBy(desc(enrollments.createdAt), desc(enrollments.id));
}

export async function findEnrollment(queries: Queries, id: string): Promise<EnrollmentRow | null> {
  const [row] = await queries.select().from(enrollments).where(eq(enrollments.id, id));
  return row ?? null;
}

/** Null: there is none, or it was revoked before. */
export async function revokeEnrollment(queries: Queries, id: string, now: Date): Promise<EnrollmentRow | null> {
  const [row] = await queries
    .update(enrollments)
    .set({ revokedAt: now })
    .where(and(eq(enrollments.id, id), isNull(enrollments.revokedAt)))
    .returning();
  return row ?? null;
}

/** One more node came in on it; null when it admits nobody any more. */
export async function takeUse(transaction: Queries, id: string, now: Date): Promise<EnrollmentRow | null> {
  const [row] = await transaction
    .update(enrollments)
    .set({ uses: sql`${enrollments.uses} + 1` })
    .where(
      and(
        eq(enrollments.id, id),
        lt(enrollments.uses, enrollments.usesMax),
        gt(enrollments.expiresAt, now),
        isNull(enrollments.revokedAt),
      ),
    )
    .returning();
  return row ?? null;
}

export async function listAgents(queries: Queries): Promise<AgentRow[]> {
  return queries.select().from(agents);
}

export async function lockAgent(transaction: Queries, nodeId: string): Promise<AgentRow | null> {
  const [row] = await transaction.select().from(agents).where(eq(agents.nodeId, nodeId)).for('update');
  return row ?? null;
}

export async function saveAgent(queries: Queries, row: AgentRow): Promise<void> {
  await queries.insert(agents).values(row).onConflictDoUpdate({ target: agents.nodeId, set: row });
}

/** It may not come any more, with whatever it shows. */
export async function revokeAgent(queries: Queries, nodeId: string, now: Date): Promise<void> {
  await queries
    .insert(agents)
    .values({ nodeId, admittedAt: now, revokedAt: now })
    .onConflictDoUpdate({ target: agents.nodeId, set: { revokedAt: now } });
}

/** It may come again, with the key it has. False: nothing kept it away. */
export async function approveAgent(queries: Queries, nodeId: string): Promise<boolean> {
  const approved = await queries
    .update(agents)
    .set({ revokedAt: null })
    .where(and(eq(agents.nodeId, nodeId), isNotNull(agents.revokedAt)))
    .returning({ nodeId: agents.nodeId });
  return approved.length > 0;
}

export interface AgentOfNode {
  readonly nodeId: string;
  readonly name: string;
  readonly version: string | null;
  readonly remoteAddress: string | null;
  readonly lastHeardAt: Date;
  /** Above 0: its clock is ahead of the collector's. */
  readonly clockSkewMs: number | null;
  /** Null: it came with the token that all share. */
  readonly agent: AgentRow | null;
}

/** Every agent that ever spoke for a node that is still known, by name. */
export async function listAgentsOfNodes(queries: Queries): Promise<AgentOfNode[]> {
  return queries
    .select({
      nodeId: nodes.id,
      name: nodes.name,
      version: nodes.agentVersion,
      remoteAddress: nodes.remoteAddress,
      lastHeardAt: nodes.lastHeardAt,
      clockSkewMs: nodes.clockSkewMs,
      agent: agents,
    })
    .from(nodes)
    .leftJoin(agents, eq(agents.nodeId, nodes.id))
    .where(sql`${nodes.status} <> 'never_seen'`)
    .orderBy(nodes.name, nodes.id);
}
