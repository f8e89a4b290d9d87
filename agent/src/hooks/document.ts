import type { EventBody } from '@runnerwatch/shared/model/event.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { TaskStatus } from '@runnerwatch/shared/model/task.ts';
import type { HookEvent } from './config.ts';

export type TaskEnded = Extract<EventBody, { kind: 'task_ended' }>;

/** The node as a hook is told of it. */
export interface HookNode {
  readonly id: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
}

/** What a hook gets: the fields of a webhook of the collector that an agent by itself can fill, as one line of JSON. */
export function hookDocument({ task, ending, log_tail }: TaskEnded, node: HookNode, atMs: number): string {
  return `${JSON.stringify({
    version: 1,
    type: 'task.ended',
    at: toInstant(atMs),
    task: { ...task, node: node.name, node_id: node.id, ...ending, log_tail },
    node,
  })}\n`;
}

export function eventsOf(status: TaskStatus): readonly HookEvent[] {
  if (status === 'completed') return ['end', 'success'];
  return status === 'timed_out' ? ['end', 'timeout'] : ['end', 'fail'];
}
