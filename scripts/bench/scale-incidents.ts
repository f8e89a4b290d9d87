/* Ten thousand incidents over the failures of a large installation, with all that was told of them, as the engine and the deliverer leave it. */
import type { Database } from '../../collector/src/db/database.ts';
import {
  alerts,
  deliveries,
  enrollments,
  incidents,
  notifications,
  silences,
  subscriptions,
  taskRecordings,
  transitions,
} from '../../collector/src/db/tables/schema.ts';
import { dayMs, type FailedTask, nodeId, nodeName, parts, size } from './scale-tasks.ts';

const wanted = { incidents: 10_000, ofConditions: 1500, open: 200 } as const;
/** One cause of which this many tasks failed, still open. */
const stormTasks = 500;
export const receivers = ['ops', 'chat'] as const;

interface Rows {
  readonly incidents: (typeof incidents.$inferInsert)[];
  readonly alerts: (typeof alerts.$inferInsert)[];
  readonly transitions: (typeof transitions.$inferInsert)[];
  readonly notifications: (typeof notifications.$inferInsert)[];
  readonly deliveries: (typeof deliveries.$inferInsert)[];
}

/** A fact that is told: the alert's beginning or end. */
interface Telling {
  readonly alertId: string;
  readonly incidentId: string;
  readonly title: string;
  readonly onNode: string;
  readonly task: FailedTask | null;
  readonly kind: 'fired' | 'resolved';
  readonly reason: string;
  readonly at: Date;
}

/** Every failure belongs to an incident; the newest two hundred are open, one of them of hundreds of tasks. */
export async function seedIncidents(
  { drizzle }: Database,
  failures: readonly FailedTask[],
  nowMs: number,
): Promise<void> {
  const rows: Rows = { incidents: [], alerts: [], transitions: [], notifications: [], deliveries: [] };
  const ofTasks = wanted.incidents - wanted.ofConditions;
  const storm = failures.slice(-stormTasks);
  const usual = failures.slice(0, -stormTasks);
  for (let index = 0; index < ofTasks - 1; index += 1) {
    const bounds = [index, index + 1].map((nth) => Math.floor((nth * usual.length) / (ofTasks - 1)));
    addFailures(rows, usual.slice(bounds[0], bounds[1]), index >= ofTasks - 150);
  }
  addFailures(rows, storm, true);
  for (let index = 0; index < wanted.ofConditions; index += 1) {
    const at = new Date(nowMs - size.days * dayMs * (1 - (index + 1) / wanted.ofConditions) - 60_000);
    addCondition(rows, index, { at, isOpen: index >= wanted.ofConditions - (wanted.open - 150) });
  }
  const byTime = (row: { at?: Date; createdAt?: Date; openedAt?: Date; firedAt?: Date }) =>
    (row.at ?? row.createdAt ?? row.openedAt ?? row.firedAt ?? new Date(0)).getTime();
  const inOrder = <T extends object>(unordered: T[]) => parts(unordered.toSorted((a, b) => byTime(a) - byTime(b)));
  for (const some of inOrder(rows.incidents)) await drizzle.insert(incidents).values(some);
  for (const some of inOrder(rows.alerts)) await drizzle.insert(alerts).values(some);
  for (const some of inOrder(rows.transitions)) await drizzle.insert(transitions).values(some);
  for (const some of inOrder(rows.notifications)) await drizzle.insert(notifications).values(some);
  for (const some of inOrder(rows.deliveries)) await drizzle.insert(deliveries).values(some);
  await seedRecordings(drizzle, storm);
}

let count = 0;

/** Sorts by the time, as the product's own ids do. */
function idAt(at: Date): string {
  count += 1;
  return at.getTime().toString(16).padStart(12, '0') + count.toString(16).padStart(20, '0');
}

function addFailures(rows: Rows, failed: readonly FailedTask[], isOpen: boolean): void {
  const [first] = failed;
  const last = failed.at(-1);
  if (first === undefined || last === undefined) return;
  const incidentId = idAt(first.endedAt);
  const title = `${first.name} failed on ${first.nodeId}`;
  const resolvedAt = isOpen ? null : new Date(last.endedAt.getTime() + 600_000);
  const status = isOpen ? 'open' : 'resolved';
  rows.incidents.push({
    id: incidentId,
    groupKey: `failure/${incidentId}`,
    status,
    title,
    severity: 'critical',
    openedAt: first.endedAt,
    resolvedAt,
    failures: failed.length,
    acknowledgedAt: resolvedAt,
    acknowledgedBy: isOpen ? null : 'ada',
    acknowledgeNote: isOpen ? null : 'started anew',
  });
  for (const task of failed) {
    const alertId = idAt(task.endedAt);
    const reason = task.verdict.summary;
    rows.alerts.push({
      id: alertId,
      incidentId,
      fingerprint: `task/${task.id}`,
      condition: 'TaskFailed',
      component: 'agent',
      nodeId: task.nodeId,
      taskId: task.id,
      subject: task.id,
      severity: 'critical',
      status: isOpen ? 'firing' : 'resolved',
      reason,
      firedAt: task.endedAt,
      resolvedAt,
    });
    const about = { alertId, incidentId, title, onNode: task.nodeId, task, reason };
    tell(rows, { ...about, kind: 'fired', at: task.endedAt });
    if (resolvedAt !== null) tell(rows, { ...about, kind: 'resolved', at: resolvedAt });
  }
}

function addCondition(rows: Rows, index: number, { at, isOpen }: { at: Date; isOpen: boolean }): void {
  const incidentId = idAt(at);
  const onNode = (index * 7) % size.nodes;
  const resolvedAt = isOpen ? null : new Date(at.getTime() + 900_000);
  const isLoss = !isOpen && index % 3 === 0;
  const condition = isLoss ? ('ComponentUnreachable' as const) : ('DiskPressure' as const);
  const title = `${condition} on ${nodeName(onNode)}`;
  const severity = isLoss ? ('critical' as const) : ('warning' as const);
  const status = isOpen ? 'open' : 'resolved';
  rows.incidents.push({
    id: incidentId,
    groupKey: `${condition}/${nodeId(onNode)}/${index}`,
    status,
    title,
    severity,
    openedAt: at,
    resolvedAt,
  });
  const alertId = idAt(at);
  const reason = '/scratch 97% used (threshold 90%)';
  rows.alerts.push({
    id: alertId,
    incidentId,
    fingerprint: `${nodeId(onNode)}/agent/${condition}/${index}`,
    condition,
    component: 'agent',
    nodeId: nodeId(onNode),
    subject: '',
    severity,
    status: isOpen ? 'firing' : 'resolved',
    reason,
    firedAt: at,
    resolvedAt,
  });
  const about = { alertId, incidentId, title, onNode: nodeId(onNode), task: null, reason };
  tell(rows, { ...about, kind: 'fired', at });
  if (resolvedAt !== null) tell(rows, { ...about, kind: 'resolved', at: resolvedAt });
}

/** A transition, and what two receivers were told of it; the end of a failure is told to nobody. */
function tell(rows: Rows, telling: Telling): void {
  const { alertId, task, onNode, kind, at, reason } = telling;
  const isTold = kind === 'fired' || task === null;
  const id = idAt(at);
  const asked = [...receivers, 'quiet', 'night', 'team'];
  rows.transitions.push({
    id,
    alertId,
    taskId: task?.id ?? null,
    nodeId: onNode,
    kind,
    at,
    reason,
    taskCause: kind === 'fired' ? (task?.verdict.cause ?? null) : null,
    decisions: asked.map((receiver, nth) => ({
      subscription: `sub-${receiver}`,
      receiver,
      notified: isTold && nth < receivers.length,
      reason: isTold && nth < receivers.length ? 'matched' : 'project_differs',
    })),
  });
  if (!isTold) return;
  for (const receiver of receivers) promise(rows, { ...telling, transitionId: id, receiver });
}

/** One in a hundred was given up, one in fifty told by another; the newest for `chat` wait. */
function promise(rows: Rows, told: Telling & { transitionId: string; receiver: string }): void {
  const { transitionId, receiver, at, kind, title, incidentId, task, onNode, reason } = told;
  const id = idAt(at);
  const nth = rows.notifications.length % 100;
  const state = nth === 3 ? 'dead' : nth === 5 || nth === 55 ? 'collapsed' : 'delivered';
  const type = task === null ? (`condition.${kind}` as const) : 'task.ended';
  const settledAt = new Date(at.getTime() + 120);
  rows.notifications.push({
    id,
    transitionId,
    subscription: `sub-${receiver}`,
    receiver,
    type,
    body: {
      version: 1,
      id,
      type,
      at: at.toISOString(),
      incident: { id: incidentId, status: 'open', title, severity: 'critical', url: null },
      node: { id: onNode, name: onNode, status: 'online', labels: { rack: 'r1', gpu: 'a100' } },
      ...(task === null
        ? { condition: { type: 'DiskPressure', active: kind === 'fired', reason, since: at, component: 'agent' } }
        : { task: { ...task, log_tail: [title, reason, title, reason] } }),
      transition: kind,
      repeat: 0,
    },
    state,
    attempts: state === 'collapsed' ? 0 : state === 'dead' ? 3 : 1,
    createdAt: at,
    nextAttemptAt: at,
    subject: told.alertId,
    settledAt,
    lastError: state === 'dead' ? 'answered 410' : null,
  });
  const attempts = state === 'collapsed' ? 0 : state === 'dead' ? 3 : 1;
  for (let attempt = 1; attempt <= attempts; attempt += 1)
    rows.deliveries.push({
      id: idAt(settledAt),
      notificationId: id,
      attempt,
      at: settledAt,
      durationMs: 40,
      outcome: state === 'dead' ? 'refused' : 'delivered',
      httpStatus: state === 'dead' ? 410 : 200,
      error: state === 'dead' ? 'answered 410' : null,
    });
}

/** Five minutes, one reading a second, of the newest failures. */
async function seedRecordings(drizzle: Database['drizzle'], failed: readonly FailedTask[]): Promise<void> {
  const series = (scale: number) => Array.from({ length: 300 }, (_, second) => Math.round(scale * (1 + second / 300)));
  const names = { cpu_percent: series(50), memory_bytes: series(1e9) };
  for (const { id, endedAt } of failed.slice(-50)) {
    const until = endedAt.toISOString();
    const recording = { interval_ms: 1000, until, complete_until: until, task: names, node: names };
    await drizzle.insert(taskRecordings).values({ taskId: id, until: endedAt, recording });
  }
}

/** What people have set up: some dozens of each. */
export async function seedPeople({ drizzle }: Database, nowMs: number): Promise<void> {
  const createdAt = new Date(nowMs - 30 * dayMs);
  const some = Array.from({ length: 40 }, (_, index) => index);
  await drizzle.insert(subscriptions).values(
    some.map((index) => ({
      id: `sub-${index}`,
      origin: index % 4 === 0 ? ('watch' as const) : ('api' as const),
      name: `team ${index}`,
      matchers: [{ key: 'project', patterns: [`project-${index}`] }],
      events: ['fail'],
      receiver: index % 2 === 0 ? 'ops' : 'chat',
      createdAt,
      expiresAt: index % 4 === 0 ? new Date(nowMs + dayMs) : null,
    })),
  );
  await drizzle.insert(silences).values(
    some.map((index) => ({
      id: `silence-${index}`,
      origin: 'person' as const,
      author: 'ada',
      reason: 'the disks are exchanged',
      matchers: [{ key: 'node', patterns: [nodeName(index)] }],
      startsAt: createdAt,
      endsAt: new Date(nowMs + (index % 2 === 0 ? dayMs : -dayMs)),
      createdAt,
    })),
  );
  await drizzle.insert(enrollments).values(
    some.map((index) => ({
      id: `enrollment-${index}`,
      tokenSha256: `token-${index}`,
      note: `hall ${index}`,
      usesMax: 100,
      uses: 25,
      createdAt,
      expiresAt: new Date(nowMs + dayMs),
    })),
  );
}
