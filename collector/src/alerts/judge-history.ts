import type { Judgment } from '../conditions/condition.ts';
import { judgeOverrun } from '../conditions/task-overrun.ts';
import { judgeTooShort } from '../conditions/task-too-short.ts';
import { listOverdueRuns, listUsualTimes } from './history-store.ts';
import { fingerprintOf, fireAlert, judgeCondition, tellHolding } from './judge-condition.ts';
import { asReport } from './judge-firing.ts';
import { closeSilently } from './mirrors.ts';
import type { Judging, NodeRow, TaskRow } from './round.ts';
import { findNodes } from './store.ts';

/* What the history of a job says about one of its runs. */

/** Runs that go on for far longer than their job usually does. */
export async function judgeOverruns(judging: Judging): Promise<void> {
  const overdue = await listOverdueRuns(judging.tx, judging.now);
  const nodes = await findNodes(
    judging.tx,
    overdue.map(({ task }) => task.nodeId),
  );
  for (const { task, ranMs, usual } of overdue) {
    const judgment = judgeOverrun({ id: task.id, name: task.name, ranMs, usual }, judging.now.getTime());
    if (judgment === null) continue;
    const node = nodes.get(task.nodeId) ?? null;
    await judgeCondition(judging, { nodeId: task.nodeId, node, task, report: asReport(judgment) });
  }
}

/**
 * Runs that have just ended well, suspiciously soon. That is a note rather than a state: it fires and is over in the same
 * breath, is listed with the incidents of the past, and told to those who ask for such notes.
 */
export async function judgeShortRuns(
  judging: Judging,
  completed: readonly { readonly task: TaskRow; readonly node: NodeRow | null }[],
): Promise<void> {
  const usualOf = await listUsualTimes(
    judging.tx,
    completed.map(({ task }) => task),
  );
  for (const { task, node } of completed) {
    const { id, name, durationMs } = task;
    if (durationMs === null) continue;
    const judgment = judgeTooShort({ id, name, durationMs, usual: usualOf(task) }, judging.now.getTime());
    if (judgment === null) continue;
    await noteShortRun(judging, { task, node, judgment });
  }
}

/** It fires, is told, and is over. */
export async function noteShortRun(
  judging: Judging,
  { task, node, judgment }: { task: TaskRow; node: NodeRow | null; judgment: Judgment },
): Promise<void> {
  const { nodeId } = task;
  const report = asReport(judgment);
  const fingerprint = fingerprintOf({ nodeId, ...judgment });
  const alert = await fireAlert(judging, { nodeId, node, report, task, fingerprint });
  await tellHolding(judging, { alert, node, task, suppression: null, again: false });
  await closeSilently(judging, { alerts: [alert], reason: 'it was a note' });
}
