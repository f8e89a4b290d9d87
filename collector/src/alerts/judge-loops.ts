import { judgeRestartLoop, restartableOf } from '../conditions/restart-loop.ts';
import { describeEnd } from '../conditions/task-failed.ts';
import type { Queries } from '../db/database.ts';
import { judgeCondition } from './judge-condition.ts';
import { asReport } from './judge-firing.ts';
import { isRunningAgain, type LoopRow, listFailuresOfIncident, listLoops, listRecentFailures } from './loop-store.ts';
import { closeSilently } from './mirrors.ts';
import type { RestartLoops } from './restart-loops.ts';
import type { Judging } from './round.ts';

/** Reads back what an engine before this one remembered. */
export async function restoreLoops(db: Queries, loops: RestartLoops, now: Date): Promise<void> {
  const since = new Date(now.getTime() - loops.settings.withinMs);
  for (const task of await listRecentFailures(db, since)) {
    const key = restartableOf(task);
    if (key === null) continue;
    loops.note(key, {
      taskId: task.id,
      at: (task.endedAt ?? task.receivedAt).getTime(),
      seenAt: task.receivedAt.getTime(),
      text: describeEnd(task),
    });
  }
  for (const { task } of await listLoops(db)) {
    const key = task === null ? null : restartableOf(task);
    if (key !== null) loops.setFiring(key, true);
  }
}

/** Says of each loop how often it has failed by now, or that it is over. */
export async function judgeLoops(judging: Judging): Promise<void> {
  for (const row of await listLoops(judging.tx)) await judgeLoop(judging, row);
}

async function judgeLoop(judging: Judging, { alert, node, task }: LoopRow): Promise<void> {
  const { tx, now } = judging;
  const { loops } = judging.loops;
  const key = task === null ? null : restartableOf(task);
  const ends = key === null ? [] : loops.endsOf(key);
  const judge = (isRunning: boolean | null) =>
    judgeRestartLoop(
      { subject: alert.subject, ends, isFiring: true, isRunning },
      { settings: loops.settings, now: now.getTime() },
    );
  const first = judge(null);
  const isOver = first?.status === 'false';
  const isRunning = isOver && task !== null && (await isRunningAgain(tx, task));
  const judgment = isOver ? judge(isRunning) : first;
  if (judgment === null || judgment.reason === alert.reason) return;
  await judgeCondition(judging, {
    nodeId: alert.nodeId ?? '',
    node,
    report: asReport(judgment),
    ...(task === null ? {} : { task }),
  });
  if (!isOver) return;
  if (key !== null) judging.loops.decide(key, false);
  // What runs for this long has got over its failures; one that was given up has not.
  if (isRunning)
    await closeSilently(judging, {
      alerts: await listFailuresOfIncident(tx, alert.incidentId),
      reason: 'the restart loop that it began is over',
    });
}
