import type { ConditionType } from '@runnerwatch/shared/model/condition.ts';
import type { TaskStatus } from '@runnerwatch/shared/model/task.ts';
import { aliasedTable, and, desc, eq, gte, inArray, lt, sql } from 'drizzle-orm';
import type { Queries } from '../db/database.ts';
import { alerts, nodes, tasks, transitions } from '../db/tables/schema.ts';
import { type RoutedFact, route } from '../routing/route.ts';
import type { Subscription } from '../routing/subscription.ts';
import { routedCondition, routedEnd, routedStart } from './facts.ts';

export interface Backtest {
  readonly lookedAt: number;
  /** How many matched, and how many did not by the first thing that differed. */
  readonly reasons: ReadonlyMap<string, number>;
  /** The newest that matched. */
  readonly examples: readonly Example[];
  /** False: there was more than this looks at. */
  readonly isComplete: boolean;
}

export interface Example {
  readonly id: string;
  readonly at: Date;
  readonly kind: string;
  readonly reason: string;
  readonly condition: ConditionType | null;
  readonly node: string | null;
  readonly taskId: string | null;
  readonly task: string | null;
}

const pageSize = 2000;
const transitionsMax = 100_000;
const examplesMax = 20;

/**
 * Asks a subscription about stored history: every beginning and end as it was told or kept back, with what is known of its node
 * and task today. What was told again or was over is left out: it follows from these.
 */
export async function backtestOf(
  db: Queries,
  { subscription, since }: { subscription: Subscription; since: Date },
): Promise<Backtest> {
  const reasons = new Map<string, number>();
  const examples: Example[] = [];
  let lookedAt = 0;
  let before: string | null = null;
  while (lookedAt < transitionsMax) {
    const rows = await readPage(db, { since, before });
    for (const row of rows) {
      const fact = factOf(row);
      if (fact === null) continue;
      lookedAt += 1;
      const reason = route(subscription, fact);
      reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
      if (reason === 'matched' && examples.length < examplesMax) examples.push(exampleOf(row));
    }
    before = rows.at(-1)?.transition.id ?? null;
    if (rows.length < pageSize || before === null) return { lookedAt, reasons, examples, isComplete: true };
  }
  return { lookedAt, reasons, examples, isComplete: false };
}

type Row = Awaited<ReturnType<typeof readPage>>[number];

/** Ids begin with the time they were made at, or a later one (outbox/new-id.ts), so that the primary key finds the moment. */
async function readPage(db: Queries, { since, before }: { since: Date; before: string | null }) {
  const subjects = aliasedTable(tasks, 'subjects');
  const first = since.getTime().toString(16).padStart(12, '0');
  return db
    .select({ transition: transitions, alert: alerts, node: nodes, task: tasks, subject: subjects })
    .from(transitions)
    .leftJoin(alerts, eq(alerts.id, transitions.alertId))
    .leftJoin(nodes, eq(nodes.id, sql`coalesce(${transitions.nodeId}, ${alerts.nodeId})`))
    .leftJoin(tasks, eq(tasks.id, transitions.taskId))
    .leftJoin(subjects, eq(subjects.id, alerts.taskId))
    .where(
      and(
        gte(transitions.id, first),
        gte(transitions.at, since),
        before === null ? undefined : lt(transitions.id, before),
        inArray(transitions.kind, ['fired', 'unreachable', 'suppressed', 'started', 'ended', 'amended']),
      ),
    )
    .orderBy(desc(transitions.id))
    .limit(pageSize);
}

/** Null: what it spoke of is forgotten. */
function factOf({ transition, alert, node, task, subject }: Row): RoutedFact | null {
  if (transition.taskId !== null) {
    if (task === null) return null;
    if (transition.kind === 'started') return routedStart(task, node);
    const told = { ...task, cause: transition.taskCause ?? task.cause };
    const status = transition.reason as TaskStatus;
    return routedEnd(told, { node, severity: alert?.severity ?? 'info', status });
  }
  if (alert === null) return null;
  const { condition, severity, component } = alert;
  const isLimit = condition === 'TaskOverrun' && component === 'agent';
  return routedCondition(condition, { node, severity, task: subject, isLimit });
}

function exampleOf({ transition, alert, node, task, subject }: Row): Example {
  const about = task ?? subject;
  return {
    id: transition.id,
    at: transition.at,
    kind: transition.kind,
    reason: transition.reason,
    condition: alert?.condition ?? null,
    node: node?.name ?? transition.nodeId,
    taskId: about?.taskId ?? null,
    task: about?.name ?? null,
  };
}
