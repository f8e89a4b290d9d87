import { bareCauses, type TaskStatus } from '@runnerwatch/shared/model/task.ts';
import type { Judgment } from '../conditions/condition.ts';
import { describeEnd, judgeTaskFailed } from '../conditions/task-failed.ts';
import { together } from '../db/together.ts';
import { hostMemoryKey, signatureOf } from '../incidents/signature.ts';
import {
  type AlertRow,
  findIncident,
  findOpenKey,
  type IncidentRow,
  idOfOpen,
  openIncident,
  resolveIfOver,
} from '../incidents/store.ts';
import { newId } from '../outbox/new-id.ts';
import { type Decision, decide, type Suppression } from '../routing/decide.ts';
import { sayAfterSilence } from './after-silence.ts';
import { countAnew, countsOf } from './allowance.ts';
import { routedEnd, routedStart } from './facts.ts';
import { groupFailure, withFinding } from './group-failures.ts';
import { causeOfTask } from './judge-condition.ts';
import { closeSilently, tellIncidentsOver } from './mirrors.ts';
import { isInLoop } from './note-failure.ts';
import type { Judging, NodeRow, TaskRow } from './round.ts';
import { findFiring, insertAlert, type TaskHistory, updateAlert } from './store.ts';
import { listFailuresOfJob, listOldFailures } from './task-store.ts';
import { tell } from './tell.ts';
import { transition } from './transition.ts';

/*
 * What a task's end means.
 *
 * A failed task fires TaskFailed in an incident of its own (a service or container in that of its earlier runs, while it is
 * open): the failure is a fact, but someone has to look at it. In a loop of restarts the loop is told in its place.
 * The incident ends when someone has (acknowledged), when a later run of the same job ends well, when the end turns out
 * to have been none (amended to completed), or after a day. Only the first two are someone's doing and people are told of none:
 * the task's end was told when it ended, and nobody waits for an all-clear about it, but mirrors (mirrors.ts).
 *
 * What was said of a task is in its transitions, whose reason is the status that was told, with its cause beside it. The same
 * again says nothing, another is an amendment, told to those who hear the old status or the new.
 */

const failureOpenMs = 24 * 3_600_000;

export interface TaskCase {
  readonly task: TaskRow;
  readonly node: NodeRow | null;
  /** What was said before; what is said now is added. */
  readonly history: TaskHistory;
}

export async function judgeTaskStarted(judging: Judging, { task, node, history }: TaskCase): Promise<void> {
  const { policy } = judging;
  if (!policy.subscriptions.some(({ events }) => events.includes('begin'))) return;
  if (history.length > 0 || task.status !== 'running') return;
  history.push({ status: 'started', cause: null });
  const facts = [routedStart(task, node)];
  const sent = await countsOf(judging, task);
  const decisions = decide({ policy, facts, now: judging.now.getTime(), sent });
  tell(judging, [{ kind: 'started', type: 'task.started', reason: 'running', decisions, task, node }]);
}

/** Whether there was anything to say. */
export async function judgeTaskEnded(judging: Judging, { task, node, history }: TaskCase): Promise<boolean> {
  const { policy } = judging;
  const told = history.map(({ status }) => status).findLast((status) => status !== 'started' && status !== 'running');
  if (task.status === 'running' || isTold(task, history)) return false;
  history.push({ status: task.status, cause: task.cause });
  const judgment = judgeTaskFailed(endedTask(task, judging.now));
  const isLooping = await isInLoop(judging, { task, node });
  const raised = isLooping ? nothingRaised : await raise(judging, { task, node, judgment, told });
  const facts = [
    ...(told === undefined ? [] : [routedEnd(task, { node, severity: 'critical', status: told })]),
    routedEnd(task, { node, severity: judgment.severity }),
  ];
  const suppression = isLooping ? 'restart_loop' : suppressionOf(task, node);
  const isFailure = judgment.status === 'true';
  const sent = await countsOf(judging, task);
  const kind = suppression !== null ? 'suppressed' : told !== undefined ? 'amended' : isFailure ? 'fired' : 'ended';
  const asked = decide({ policy, facts, suppression, now: judging.now.getTime(), sent });
  const isNew = told === undefined && isFailure;
  const { decisions, incident } = await amongOthers(judging, { task, node, asked, incident: raised.incident, isNew });
  const afterSilence = await sayAfterSilence(judging, { facts, decisions });
  tell(judging, [
    {
      kind,
      type: told === undefined ? 'task.ended' : 'task.amended',
      reason: task.status,
      decisions,
      ...(afterSilence === undefined ? {} : { afterSilence }),
      alert: raised.alert,
      incident,
      active: isFailure,
      task,
      node,
    },
  ]);
  await tellIncidentsOver(judging, {
    incidents: raised.over,
    reason: task.status,
    heard: decisions,
    arePeopleTold: true,
  });
  if (task.status === 'completed') countAnew(judging, task);
  if (task.status === 'completed' && task.job !== null) {
    await closeFailuresOfJob(judging, { job: task.job, project: task.project, endedBy: task.endedAt ?? judging.now });
  }
  return true;
}

/** A new failure beside those like it: who hears it now, and what they all point at. */
async function amongOthers(
  judging: Judging,
  {
    task,
    node,
    asked,
    incident,
    isNew,
  }: Omit<TaskCase, 'history'> & { asked: Decision[]; incident: IncidentRow | null; isNew: boolean },
): Promise<{ decisions: Decision[]; incident: IncidentRow | null }> {
  if (!isNew || incident === null || incident.groupKey === causeOfTask(task)) return { decisions: asked, incident };
  const isOfJob = task.job !== null;
  const groupKey = isOfJob ? incident.groupKey : `task/${task.id}`;
  const decisions = await groupFailure(judging, { groupKey, isOfJob, decisions: asked });
  const isTold = decisions.some(({ notified }) => notified);
  return { decisions, incident: isTold ? await withFinding(judging, { incident, task, node }) : incident };
}

/** With the status unchanged, another cause is news only when it says why. */
function isTold({ status, cause }: TaskRow, history: TaskHistory): boolean {
  const last = history.at(-1);
  if (last?.status !== status) return false;
  return last.cause === null || cause === null || last.cause === cause || bareCauses.includes(cause);
}

/** On a draining node the ends that the drain explains are no news; a failure of the task's own making still is. */
function suppressionOf(task: TaskRow, node: NodeRow | null): Suppression | null {
  const isExplained =
    task.cause === 'stopped_by_user' || task.cause === 'stopped_by_system' || task.cause === 'node_lost';
  return node?.draining === true && isExplained ? 'draining' : null;
}

interface Raised {
  readonly alert: AlertRow | null;
  readonly incident: IncidentRow | null;
  /** Incidents that ended by it. */
  readonly over: readonly IncidentRow[];
}

const nothingRaised: Raised = { alert: null, incident: null, over: [] };

async function raise(
  judging: Judging,
  { task, node, judgment, told }: Omit<TaskCase, 'history'> & { judgment: Judgment; told: TaskStatus | undefined },
): Promise<Raised> {
  const { tx, now } = judging;
  const fingerprint = `task/${task.id}`;
  // What fires is told in the same transaction, so an end that was never told has fired nothing.
  const firing = told === undefined ? null : await findFiring(tx, fingerprint);
  const previous = firing && {
    severity: firing.severity,
    reason: firing.reason,
    firedAt: firing.firedAt.getTime(),
    toldAt: firing.firedAt.getTime(),
  };
  const change = transition({ previous, report: judgment, now: now.getTime(), renotifyIntervalMs: 0 });
  if (change.kind === 'fired') {
    const { severity } = judgment;
    const title = `${describeEnd(task)} on ${node?.name ?? task.nodeId}`;
    const groupKey = await keyOfFailure(judging, task);
    const subject = {
      condition: 'TaskFailed',
      component: 'agent',
      nodeId: task.nodeId,
      taskId: task.id,
      subject: task.id,
    } as const;
    const [incident, alert] = await together(
      openIncident(tx, { id: newId(now.getTime()), groupKey, title, severity, now, isFailure: true }),
      insertAlert(tx, {
        ...subject,
        id: newId(now.getTime()),
        incidentId: idOfOpen(groupKey),
        fingerprint,
        severity,
        reason: judgment.reason,
        firedAt: now,
      }),
    );
    return { alert, incident, over: [] };
  }
  if (firing === null) return nothingRaised;
  let over: IncidentRow[] = [];
  if (change.kind === 'resolved') {
    await updateAlert(tx, firing.id, { status: 'resolved', resolvedAt: now });
    over = await resolveIfOver(tx, [firing.incidentId], now);
  } else if (change.kind !== 'nothing') {
    await updateAlert(tx, firing.id, { reason: judgment.reason, severity: judgment.severity });
  }
  return {
    alert: { ...firing, reason: judgment.reason, severity: judgment.severity },
    incident: over[0] ?? (await findIncident(tx, firing.incidentId)),
    over,
  };
}

const hostMemoryMs = 60_000;

/**
 * Where a failure belongs: with what was already wrong with this very task, or with the other victims of a node out of memory,
 * or with those that failed alike. A service without a job that may be restarted fails for itself.
 */
async function keyOfFailure({ tx, now }: Judging, task: TaskRow): Promise<string> {
  const own = causeOfTask(task);
  if (task.unit?.endsWith('.service') === true || (task.containerId !== null && task.job === null)) return own;
  const prefix = task.cause === 'oom_host' ? hostMemoryKey(task.nodeId) : null;
  const since = new Date(now.getTime() - hostMemoryMs);
  const open = await findOpenKey(tx, { key: own, prefix, since });
  return open ?? (prefix === null ? signatureOf(task) : `${prefix}${now.getTime()}`);
}

async function closeFailuresOfJob(
  judging: Judging,
  earlier: { job: string; project: string | null; endedBy: Date },
): Promise<void> {
  await closeSilently(judging, {
    alerts: await listFailuresOfJob(judging.tx, earlier),
    reason: 'a later run of the job ended well',
  });
}

/** After a day a failure that nobody looked at is history. */
export async function closeOldFailures(judging: Judging): Promise<void> {
  const alerts = await listOldFailures(judging.tx, new Date(judging.now.getTime() - failureOpenMs));
  await closeSilently(judging, { alerts, reason: 'nobody looked at it for 24 hours' });
}

function endedTask(task: TaskRow, now: Date) {
  const { id, name, status, cause, exitCode, signal, verdict, endedAt } = task;
  return {
    id,
    name,
    status,
    cause,
    exitCode,
    signal,
    summary: verdict?.summary ?? null,
    endedAt: (endedAt ?? now).getTime(),
  };
}
