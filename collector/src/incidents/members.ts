import { and, asc, desc, eq, getTableColumns, inArray, lte, type SQL, sql } from 'drizzle-orm';
import type { Queries } from '../db/database.ts';
import { alerts, nodes } from '../db/tables/schema.ts';
import type { AlertRow } from './store.ts';

/** So many alerts of an incident are shown with it. */
export const shownAlerts = 20;

/** The alerts of an incident, counted, and the first of them. */
export interface Members {
  /** Those that fire first, then as they came; at most {@link shownAlerts}. */
  readonly alerts: readonly AlertRow[];
  readonly total: number;
  readonly firing: number;
  /** One that fires comes and goes. */
  readonly flapping: boolean;
  /** Of those that fire, or of all when none does. */
  readonly conditions: readonly AlertRow['condition'][];
  readonly nodeIds: readonly string[];
}

/** By incident. With a node's id or name, alerts about it come before others. */
export async function readMembers(
  db: Queries,
  incidentIds: readonly string[],
  { node }: { node?: string | undefined } = {},
): Promise<Map<string, Members>> {
  if (incidentIds.length === 0) return new Map();
  const isOne = inArray(alerts.incidentId, [...incidentIds]);
  const order = node === undefined ? inOrder : [desc(isAbout(node)), ...inOrder];
  const ranked = db
    .select({
      ...getTableColumns(alerts),
      nth: sql<number>`row_number() over (partition by ${alerts.incidentId} order by ${sql.join(order, sql`, `)})`.as(
        'nth',
      ),
    })
    .from(alerts)
    .where(isOne)
    .as('ranked');
  const first = await db.select().from(ranked).where(lte(ranked.nth, shownAlerts)).orderBy(asc(ranked.nth));
  const counts = await db
    .select({
      id: alerts.incidentId,
      total: sql<number>`count(*)::int`,
      firing: sql<number>`(count(*) filter (where ${isFiring}))::int`,
      flapping: sql<boolean>`bool_or(${isFiring} and ${alerts.flaps} > 0)`,
      conditions: distinctOf<AlertRow['condition']>(sql`${alerts.condition}`),
      nodeIds: distinctOf<string | null>(sql`${alerts.nodeId}`),
    })
    .from(alerts)
    .where(isOne)
    .groupBy(alerts.incidentId);
  return new Map(
    counts.map(({ id, nodeIds, ...counted }) => [
      id,
      {
        ...counted,
        nodeIds: nodeIds.filter((nodeId) => nodeId !== null),
        alerts: first.filter(({ incidentId }) => incidentId === id),
      },
    ]),
  );
}

/** The last alert of a page. */
export type MemberPosition = Pick<AlertRow, 'status' | 'firedAt' | 'id'>;

/** Some of an incident's alerts, in the same order. */
export async function listMembers(
  db: Queries,
  incidentId: string,
  { limit, after }: { limit: number; after?: MemberPosition | undefined },
): Promise<AlertRow[]> {
  const isBehind =
    after &&
    sql`(not ${isFiring}, ${alerts.firedAt}, ${alerts.id}) > (${after.status !== 'firing'}::boolean, ${after.firedAt.toISOString()}::timestamptz, ${after.id})`;
  return db
    .select()
    .from(alerts)
    .where(and(eq(alerts.incidentId, incidentId), isBehind))
    .orderBy(...inOrder)
    .limit(limit);
}

const isFiring = eq(alerts.status, 'firing');
const inOrder = [desc(isFiring), asc(alerts.firedAt), asc(alerts.id)];

function isAbout(node: string): SQL {
  return sql`coalesce(${alerts.nodeId} = ${node} or ${alerts.nodeId} in (select ${nodes.id} from ${nodes} where ${nodes.name} = ${node}), false)`;
}

function distinctOf<T>(column: SQL): SQL<T[]> {
  return sql<T[]>`coalesce(jsonb_agg(distinct ${column}) filter (where ${isFiring}), jsonb_agg(distinct ${column}))`;
}
