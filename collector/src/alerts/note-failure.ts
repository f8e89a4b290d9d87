import { isFailedEnd, judgeRestartLoop, restartableOf } from '../conditions/restart-loop.ts';
import { describeEnd } from '../conditions/task-failed.ts';
import { judgeCondition } from './judge-condition.ts';
import { asReport } from './judge-firing.ts';
import type { Judging, NodeRow, TaskRow } from './round.ts';

/** Remembers a failed end of a service or container; whether it is one of a loop, which is told in its place and fires now if it is the first to show it. */
export async function isInLoop(
  judging: Judging,
  { task, node }: { task: TaskRow; node: NodeRow | null },
): Promise<boolean> {
  const { loops } = judging.loops;
  const now = judging.now.getTime();
  const key = restartableOf(task);
  if (key === null || loops.settings.count === 0 || !isFailedEnd(task)) return false;
  const ends = loops.note(key, {
    taskId: task.id,
    at: (task.endedAt ?? judging.now).getTime(),
    seenAt: now,
    text: describeEnd(task),
  });
  if (judging.loops.isFiring(key)) return true;
  const judgment = judgeRestartLoop(
    { subject: task.unit ?? task.name, ends, isFiring: false, isRunning: null },
    { settings: loops.settings, now },
  );
  if (judgment?.status !== 'true') return false;
  await judgeCondition(judging, { nodeId: task.nodeId, node, task, report: asReport(judgment) });
  judging.loops.decide(key, true);
  return true;
}
