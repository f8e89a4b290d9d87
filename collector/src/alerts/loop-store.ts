import { failureStatuses } from '@runnerwatch/shared/model/task.ts';
import { and, asc, desc, eq, gte, inArray, isNotNull, like, or } from 'drizzle-orm';
import type { Queries } from '../db/database.ts';
import { alerts, nodes, tasks } from '../db/tables/schema.ts';
import type { AlertRow } from '../incidents/store.ts';
import { isRunning } from '../tasks/store.ts';
import type { NodeRow, TaskRow } from './round.ts';

export interface LoopRow {
  readonly alert: AlertRow;
  readonly node: NodeRow | null;
  /** The run whose failure showed the loop. */
  readonly task: TaskRow | null;
}

export async function listLoops(db: Queries): Promise<LoopRow[]> {
  return db
    .select({ alert: alerts, node: nodes, task: tasks })
    .from(alerts)
    .leftJoin(nodes, eq(nodes.id, alerts.nodeId))
    .leftJoin(tasks, eq(tasks.id, alerts.taskId))
    .where(and(eq(alerts.status, 'firing'), eq(alerts.condition, 'RestartLoop')));
}

/** Services and containers that failed since then, the newest 10,000, oldest first. */
export async function listRecentFailures(db: Queries, since: Date): Promise<TaskRow[]> {
  const rows = await db
    .select()
    .from(tasks)
    .where(
      and(
        gte(tasks.endedAt, since),
        inArray(tasks.status, [...failureStatuses]),
        or(like(tasks.unit, '%.service'), isNotNull(tasks.containerId)),
      ),
    )
    .orderBy(desc(tasks.endedAt))
    .limit(10_000);
  return rows.toReversed();
}

/** Whether a run of the same unit or container goes on. */
export async function isRunningAgain(db: Queries, { nodeId, unit, containerId }: TaskRow): Promise<boolean> {
  const same = unit === null ? eq(tasks.containerId, containerId ?? '') : eq(tasks.unit, unit);
  const [row] = await db
    .select({ id: tasks.id })
    .from(tasks)
    .where(and(eq(tasks.nodeId, nodeId), isRunning, same))
    .limit(1);
  return row !== undefined;
}

export async function listFailuresOfIncident(db: Queries, incidentId: string): Promise<AlertRow[]> {
  return db
    .select()
    .from(alerts)
    .where(and(eq(alerts.incidentId, incidentId), eq(alerts.status, 'firing'), eq(alerts.condition, 'TaskFailed')))
    .orderBy(asc(alerts.id));
}
