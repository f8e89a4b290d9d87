import type { NodeSample } from '@runnerwatch/shared/model/sample.ts';
import { asc, desc, type SQL, sql } from 'drizzle-orm';
import { conditionStates, nodes } from '../db/tables/schema.ts';

/** What a listing of nodes can go by. */
export const nodeSorts = ['name', 'health', 'cpu', 'memory', 'load', 'disk', 'last_heard'] as const;
export type NodeSort = (typeof nodeSorts)[number];

export interface NodeOrder {
  readonly by: NodeSort;
  readonly isDescending: boolean;
  /** What it goes by where that is a reading: live ones are in memory only. By node id. */
  readonly readings?: ReadonlyMap<string, number>;
}

/** Where a listing goes on. `key` is a node's place in an order, before its name and id. */
export interface NodePosition {
  readonly key: number;
  readonly name: string;
  readonly id: string;
}

/** The worst and the fullest first, names from A on, the longest silence first. */
export function isDescendingByNature(by: NodeSort): boolean {
  return by !== 'name' && by !== 'last_heard';
}

type Reading = (sample: NodeSample) => number | null;

/** What a reading says for these orders: percent; of load, for each CPU. Null: not read. Undefined: the order goes by no reading. */
export const readingOf: Readonly<Partial<Record<NodeSort, Reading>>> = {
  cpu: ({ cpu_percent }) => cpu_percent,
  memory: ({ memory_total_bytes: total, memory_available_bytes: available }) =>
    total && available !== null ? 100 * (1 - available / total) : null,
  load: ({ load1, cpu_count }) => (cpu_count && load1 !== null ? load1 / cpu_count : null),
  disk: ({ disks }) => (disks?.length ? Math.max(...disks.map(({ used_percent }) => used_percent)) : null),
};

/** Of nodes that cannot be compared: behind all others, whichever way. */
const unknown = 1e18;
/** Of what is going on now: later than any time in the past. */
const now = 1e17;

/**
 * An order as SQL: a key, ascending whichever way is asked, then name and id. Only the order by name turns those round, and has
 * the same key for all.
 */
export function orderTerms({ by, isDescending, readings }: NodeOrder, after: NodePosition | undefined) {
  const key = sql<number>`coalesce(${keyOf(by, readings)} * ${by !== 'name' && isDescending ? -1 : 1}::float8, ${unknown}::float8)`;
  const isBackward = by === 'name' && isDescending;
  const place = sql`(${key}, ${nodes.name}, ${nodes.id})`;
  const way = isBackward ? desc : asc;
  return {
    key,
    beyond:
      after === undefined
        ? undefined
        : sql`${place} ${isBackward ? sql`<` : sql`>`} (${after.key}::float8, ${after.name}, ${after.id})`,
    orderBy: [way(key), way(nodes.name), way(nodes.id)],
  };
}

function keyOf(by: NodeSort, readings: ReadonlyMap<string, number> = new Map()): SQL {
  switch (by) {
    case 'name':
      return sql`0::float8`;
    case 'health':
      return health;
    case 'last_heard':
      return sql`case ${nodes.status} when 'online' then ${now}::float8 when 'never_seen' then null
        else extract(epoch from ${nodes.lastHeardAt})::float8 end`;
    case 'cpu':
    case 'memory':
    case 'load':
    case 'disk':
      return sql`(${JSON.stringify(Object.fromEntries(readings))}::jsonb ->> ${nodes.id})::float8`;
  }
}

/** The worst that is to be said of a node: away, what fires, stopped, not everything seen. */
const health = sql`case when ${nodes.status} = 'offline' then 6
  else coalesce(
    (select max(case ${conditionStates.severity} when 'critical' then 5 when 'warning' then 4 else 3 end)
      from ${conditionStates} where ${conditionStates.nodeId} = ${nodes.id} and ${conditionStates.status} = 'true'),
    case when ${nodes.status} <> 'online' then 2 when ${nodes.sources} @> '[{"state": "blind"}]' then 1 else 0 end)
  end::float8`;
