import { asc, eq } from 'drizzle-orm';
import type { Queries } from '../db/database.ts';
import { jobExpectations } from '../db/tables/schema.ts';

/** What a person expects of a job's runs; null: nothing. */
export type ExpectationRow = typeof jobExpectations.$inferSelect;

export async function findExpectation(queries: Queries, jobId: string): Promise<ExpectationRow | null> {
  const [row] = await queries.select().from(jobExpectations).where(eq(jobExpectations.jobId, jobId));
  return row ?? null;
}

export async function listExpectations(queries: Queries): Promise<ExpectationRow[]> {
  return queries.select().from(jobExpectations).orderBy(asc(jobExpectations.jobId));
}

export async function saveExpectation(queries: Queries, row: ExpectationRow): Promise<void> {
  await queries.insert(jobExpectations).values(row).onConflictDoUpdate({ target: jobExpectations.jobId, set: row });
}

/** Whether there was one. */
export async function deleteExpectation(queries: Queries, jobId: string): Promise<boolean> {
  const deleted = await queries
    .delete(jobExpectations)
    .where(eq(jobExpectations.jobId, jobId))
    .returning({ jobId: jobExpectations.jobId });
  return deleted.length > 0;
}
