import { eq } from 'drizzle-orm';
import type { Queries } from '../db/database.ts';
import { alerts, nodes, tasks } from '../db/tables/schema.ts';
import { findMismatch, type Matcher } from '../routing/matcher.ts';
import { routedCondition, routedEnd } from './facts.ts';
import type { FiringCase } from './round.ts';

/** The firing alerts that a silence with these matchers would hide, newest first. */
export async function previewSilence(db: Queries, matchers: readonly Matcher[]): Promise<FiringCase[]> {
  const firing = await db
    .select({ alert: alerts, node: nodes, task: tasks })
    .from(alerts)
    .leftJoin(nodes, eq(nodes.id, alerts.nodeId))
    .leftJoin(tasks, eq(tasks.id, alerts.taskId))
    .where(eq(alerts.status, 'firing'));
  return firing
    .filter((one) => findMismatch(matchers, attributesOf(one)) === null)
    .toSorted((a, b) => b.alert.firedAt.getTime() - a.alert.firedAt.getTime());
}

function attributesOf({ alert, node, task }: FiringCase) {
  const { condition, severity } = alert;
  const isEnd = condition === 'TaskFailed' && task !== null;
  return (isEnd ? routedEnd(task, { node, severity }) : routedCondition(condition, { node, severity, task }))
    .attributes;
}
