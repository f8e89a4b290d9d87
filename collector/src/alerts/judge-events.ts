import type { EventBody } from '@runnerwatch/shared/model/event.ts';
import { judgeSpoolGap } from '../conditions/spool-overflow.ts';
import { together } from '../db/together.ts';
import { judgeCondition } from './judge-condition.ts';
import { judgeNodesOf } from './judge-fast-failures.ts';
import { asReport } from './judge-firing.ts';
import { judgeShortRuns } from './judge-history.ts';
import { judgeTaskEnded, judgeTaskStarted, type TaskCase } from './judge-task.ts';
import type { Judging, NodeRow, TaskRow } from './round.ts';
import { findHistories, findNodes, findTasks, type TaskHistory, type UnjudgedEvent } from './store.ts';

/** Draws the conclusions from facts, in their order. */
export async function judgeEvents(judging: Judging, events: readonly UnjudgedEvent[]): Promise<void> {
  const { tx } = judging;
  const taskIds = events.flatMap(({ body }) =>
    body.kind === 'task_ended' || body.kind === 'task_started' ? [body.task.id] : [],
  );
  const nodeIds = events.map(({ nodeId }) => nodeId);
  const [nodes, tasks, histories] = await together(
    findNodes(tx, nodeIds),
    findTasks(tx, taskIds),
    findHistories(tx, taskIds),
  );
  const taskCase = (event: UnjudgedEvent, id: string): TaskCase | null => {
    const task = tasks.get(id);
    const history: TaskHistory = histories.get(id) ?? [];
    return task === undefined ? null : { task, node: nodes.get(event.nodeId) ?? null, history };
  };
  const ended: TaskCase[] = [];
  const completed: { task: TaskRow; node: NodeRow | null }[] = [];
  for (const [index, event] of events.entries()) {
    const { body, nodeId } = event;
    const node = nodes.get(nodeId) ?? null;
    switch (body.kind) {
      case 'task_started': {
        const known = taskCase(event, body.task.id);
        if (known !== null) await judgeTaskStarted(judging, known);
        break;
      }
      case 'task_ended': {
        const known = taskCase(event, body.task.id);
        if (known === null || !(await judgeTaskEnded(judging, known))) break;
        ended.push(known);
        if (known.task.status === 'completed' && known.task.job !== null) completed.push(known);
        break;
      }
      case 'condition': {
        const report = { ...body.report, since: new Date(body.report.since) };
        await judgeCondition(judging, {
          nodeId,
          node,
          report,
          isOver: isOverLater(events.slice(index + 1), nodeId, body),
        });
        break;
      }
      case 'gap': {
        const judgment = judgeSpoolGap(body.gap, event.at.getTime());
        if (judgment !== null) await judgeCondition(judging, { nodeId, node, report: asReport(judgment) });
        break;
      }
      case 'source':
      case 'node':
      case 'agent_started':
      case 'task_recording':
        break;
      default:
        body satisfies never;
    }
  }
  await judgeNodesOf(judging, ended);
  await judgeShortRuns(judging, completed);
}

/** Whether a fired condition is already reported over by a fact that waits behind it. */
function isOverLater(
  later: readonly UnjudgedEvent[],
  nodeId: string,
  { report }: Extract<EventBody, { kind: 'condition' }>,
): boolean {
  if (report.status !== 'true') return false;
  const next = later.findLast(
    ({ nodeId: other, body }) =>
      other === nodeId &&
      body.kind === 'condition' &&
      body.report.condition === report.condition &&
      body.report.component === report.component &&
      body.report.subject === report.subject &&
      body.report.status !== 'unknown',
  );
  return next?.body.kind === 'condition' && next.body.report.status === 'false';
}
