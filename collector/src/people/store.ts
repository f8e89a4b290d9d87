import { asc, eq } from 'drizzle-orm';
import type { Queries } from '../db/database.ts';
import { people } from '../db/tables/schema.ts';

export type PersonRow = typeof people.$inferSelect;

/** By name. */
export async function listPeople(queries: Queries): Promise<PersonRow[]> {
  return queries.select().from(people).orderBy(asc(people.name));
}

/** False: someone has this name. */
export async function insertPerson(queries: Queries, row: PersonRow): Promise<boolean> {
  const made = await queries
    .insert(people)
    .values(row)
    .onConflictDoNothing({ target: people.name })
    .returning({ id: people.id });
  return made.length > 0;
}

/** Null: there is none of that id. */
export async function updatePerson(
  queries: Queries,
  id: string,
  change: Partial<Pick<PersonRow, 'role' | 'lastUsedAt'>>,
): Promise<PersonRow | null> {
  const [row] = await queries.update(people).set(change).where(eq(people.id, id)).returning();
  return row ?? null;
}

/** Null: there is none of that id. */
export async function deletePerson(queries: Queries, id: string): Promise<PersonRow | null> {
  const [row] = await queries.delete(people).where(eq(people.id, id)).returning();
  return row ?? null;
}
