import { and, eq, gte, inArray, lt, type SQL, sql } from 'drizzle-orm';
import type { Queries } from '../db/database.ts';
import { audit } from '../db/tables/schema.ts';

export type AuditRow = typeof audit.$inferSelect;

export async function insertAudit(queries: Queries, row: AuditRow): Promise<void> {
  await queries.insert(audit).values(row);
}

export interface AuditFilter {
  readonly person?: string | undefined;
  readonly since?: Date | undefined;
  readonly before?: { readonly at: Date; readonly id: string } | undefined;
  readonly limit: number;
}

/** Newest first. */
export async function listAudit(queries: Queries, { person, since, before, limit }: AuditFilter): Promise<AuditRow[]> {
  const isBefore: SQL | undefined =
    before && sql`(${audit.at}, ${audit.id}) < (${before.at.toISOString()}::timestamptz, ${before.id})`;
  return queries
    .select()
    .from(audit)
    .where(
      and(
        isBefore,
        person === undefined ? undefined : eq(audit.person, person),
        since === undefined ? undefined : gte(audit.at, since),
      ),
    )
    .orderBy(sql`${audit.at} desc`, sql`${audit.id} desc`)
    .limit(limit);
}

export async function deleteAuditBefore(queries: Queries, before: Date, limit: number): Promise<number> {
  const old = queries.select({ id: audit.id }).from(audit).where(lt(audit.at, before)).limit(limit);
  const deleted = await queries.delete(audit).where(inArray(audit.id, old)).returning({ id: audit.id });
  return deleted.length;
}
