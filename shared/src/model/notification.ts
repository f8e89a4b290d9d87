import * as z from 'zod/mini';
import { component, conditionType, severity } from './condition.ts';
import { instant } from './instant.ts';
import { nodeStatus } from './node.ts';
import { schedulerWord, taskEnding, taskIdentity, taskStatus, verdict } from './task.ts';

/** What a notification tells. `task.started` goes only to who asked for `begin`, `incident.*` to who keeps an incident of their own. */
export const notificationType = z.enum([
  'task.started',
  'task.ended',
  'task.amended',
  'condition.fired',
  'condition.resolved',
  'condition.renotified',
  'node.unreachable',
  'node.recovered',
  'incident.acknowledged',
  'incident.resolved',
  'digest',
  'test',
]);
export type NotificationType = z.infer<typeof notificationType>;

/** What happened to an alert or a task. `started` and `ended` are of tasks that raise no alert, `digest` and `test` are of nothing at all. */
export const transitionKind = z.enum([
  'fired',
  'resolved',
  'unreachable',
  'renotified',
  'amended',
  'suppressed',
  'escalated',
  'acknowledged',
  'started',
  'ended',
  'digest',
  'test',
]);
export type TransitionKind = z.infer<typeof transitionKind>;

/** A run of work as it is told: identity, ending (null while unknown or running), and the end of its log. */
export const taskFacts = z.object({
  ...taskIdentity.shape,
  node: z.string(),
  node_id: z.string(),
  ...taskEnding.shape,
  status: taskStatus,
  ended_at: z.nullable(instant),
  verdict: z.nullable(verdict),
  /** What its scheduler says beside that, where one is read. */
  scheduler: z.optional(
    z.nullable(z.object({ ...schedulerWord.shape, corrected: z.boolean(), note: z.nullable(z.string()) })),
  ),
  /** How often a better-known end replaced the one before. */
  amendments: z.int(),
  /** Oldest first, the last 64 KiB at most; null when there is no log. */
  log_tail: z.nullable(z.array(z.string())),
  /** What in there says why it failed. */
  error_excerpt: z.optional(z.nullable(z.array(z.string()))),
});
export type TaskFacts = z.infer<typeof taskFacts>;

export const nodeFacts = z.object({
  id: z.string(),
  name: z.string(),
  status: nodeStatus,
  labels: z.record(z.string(), z.string()),
});
export type NodeFacts = z.infer<typeof nodeFacts>;

export const conditionFacts = z.object({
  type: conditionType,
  active: z.boolean(),
  reason: z.string(),
  since: instant,
  component,
  /** What it is about inside the node: a process rule, a mount, a task's id; '' for the node itself. */
  subject: z.optional(z.string()),
});
export type ConditionFacts = z.infer<typeof conditionFacts>;

export const incidentFacts = z.object({
  id: z.string(),
  status: z.enum(['open', 'resolved']),
  title: z.string(),
  severity,
  /** Null when the collector has no `public_url`. */
  url: z.nullable(z.string()),
  /** What its failures point at: the node or the job. */
  finding: z.optional(z.string()),
});
export type IncidentFacts = z.infer<typeof incidentFacts>;

/** One of several things told together: tasks lost with their node, failures of one kind. Their log stays behind. */
export const groupMember = z.object({ task: z.omit(taskFacts, { log_tail: true, error_excerpt: true }) });
export type GroupMember = z.infer<typeof groupMember>;

/** The public body of one notification: what a webhook posts, frozen when it is promised. */
export const notification = z.object({
  version: z.literal(1),
  /** The same in every attempt, different for every other notification: the `webhook-id`. */
  id: z.string(),
  type: notificationType,
  at: instant,
  /** Null for what opens none: a task that ended well, a test. */
  incident: z.nullable(incidentFacts),
  condition: z.optional(conditionFacts),
  task: z.optional(taskFacts),
  /** Null for a test. */
  node: z.nullable(nodeFacts),
  transition: transitionKind,
  /** How often this alert has been told again; 0 the first time. */
  repeat: z.int(),
  /** Of a digest the first hundred. */
  group: z.optional(z.array(groupMember)),
  /** Of a digest: how many it tells of. */
  group_size: z.optional(z.int()),
  /** What it tells beside its own word, when the words before it could not be delivered: how many in one, and since when. */
  combined: z.optional(z.object({ notifications: z.int(), since: instant })),
  /** Of a digest: what was not delivered for so long that it is told as a sum. What still holds is told on its own. */
  digest: z.optional(
    z.object({ since: instant, until: instant, notifications: z.int(), by_type: z.record(z.string(), z.int()) }),
  ),
  /** It goes to one more receiver because nobody has acknowledged it: since when somebody might have, and who was told before. */
  escalation: z.optional(z.object({ since: instant, told: z.array(z.object({ receiver: z.string(), at: instant })) })),
  /** Of `incident.acknowledged`: who is on it, and until when; null: until it is over. */
  acknowledged: z.optional(z.object({ by: z.string(), note: z.string(), until: z.nullable(instant) })),
  /** The first message after a silence that it would have fallen into: who had silenced it, until when. */
  after_silence: z.optional(z.object({ by: z.string(), until: instant, note: z.string() })),
  /** Why it is told later than it was true, and since when it was kept back. */
  held_back: z.optional(
    z.object({
      reason: z.enum(['quiet_hours', 'silenced', 'draining']),
      since: instant,
      until: instant,
      /** Who silenced it, and why; null for quiet hours. */
      by: z.nullable(z.string()),
      note: z.nullable(z.string()),
    }),
  ),
});
export type Notification = z.infer<typeof notification>;
