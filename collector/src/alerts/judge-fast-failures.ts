import { isFastFailure, judgeFastFailures } from '../conditions/node-fails-fast.ts';
import { listLastEnds } from './fast-failure-store.ts';
import { judgeCondition } from './judge-condition.ts';
import { asReport } from './judge-firing.ts';
import type { Judging, NodeRow, TaskRow } from './round.ts';

/** Looks at the nodes on which a job has just failed at once: any other end costs the database nothing for it. */
export async function judgeNodesOf(
  judging: Judging,
  ended: readonly { readonly task: TaskRow; readonly node: NodeRow | null }[],
): Promise<void> {
  const { tx, fastFail } = judging;
  if (fastFail.count === 0) return;
  const suspects = new Map<string, { node: NodeRow; since: Date }>();
  for (const { task, node } of ended) {
    // A node that stands in for those of a scheduler or of pings is no machine.
    if (node === null || node.status === 'never_seen' || task.job === null || task.endedAt === null) continue;
    if (!isFastFailure(task)) continue;
    suspects.set(node.id, { node, since: new Date(task.endedAt.getTime() - fastFail.withinMs) });
  }
  for (const { node, since } of suspects.values()) {
    const judgment = judgeFastFailures(await listLastEnds(tx, node.id, since), fastFail);
    if (judgment !== null) await judgeCondition(judging, { nodeId: node.id, node, report: asReport(judgment) });
  }
}
