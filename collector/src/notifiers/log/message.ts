import type { Notification } from '@runnerwatch/shared/model/notification.ts';

/** The fields of one log line: OSAPI's `component, hostname, condition, active, reason`, and a task's where there is one. */
export function logFields(
  { id, type, condition, node, task, group, repeat, incident, held_back, after_silence }: Notification,
  ownHostname: string,
): Record<string, unknown> {
  return {
    notification_id: id,
    type,
    ...(incident === null ? {} : { incident_id: incident.id, severity: incident.severity }),
    ...(condition === undefined
      ? {}
      : {
          component: condition.component,
          // What is said of no node is said of the collector itself, or of its database.
          hostname: node?.name ?? ownHostname,
          condition: condition.type,
          active: condition.active,
          reason: condition.reason,
        }),
    ...(condition === undefined && node !== null ? { hostname: node.name } : {}),
    ...(task === undefined
      ? {}
      : {
          task_id: task.task_id,
          task: task.name,
          status: task.status,
          exit_code: task.exit_code,
          signal: task.signal,
          cause: task.verdict?.cause ?? null,
          summary: task.verdict?.summary ?? null,
        }),
    ...(group === undefined ? {} : { tasks: group.map((member) => member.task.task_id) }),
    ...(repeat === 0 ? {} : { repeat }),
    ...(held_back === undefined ? {} : { held_back }),
    ...(after_silence === undefined ? {} : { after_silence }),
  };
}
