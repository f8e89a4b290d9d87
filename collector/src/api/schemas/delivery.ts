import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import * as z from 'zod';
import type { NotificationRecord } from '../../outbox/store.ts';

export const deliveryState = z.enum(['pending', 'delivered', 'dead', 'collapsed']);

export const deliveryAttempt = z.object({
  attempt: z.int(),
  at: z.string(),
  duration_ms: z.number(),
  outcome: z.enum(['delivered', 'retry', 'refused']),
  http_status: z.int().nullable(),
  error: z.string().nullable(),
});

/** One notification to one receiver, with every attempt at it. `id` is its `webhook-id`. */
export const delivery = z.object({
  id: z.string(),
  type: z.string(),
  transition: z.string().describe('What it tells of: `fired`, `renotified`, `escalated`, …'),
  state: deliveryState,
  subscription: z.string(),
  receiver: z.string(),
  incident_id: z.string().nullable(),
  task_id: z.string().nullable(),
  created_at: z.string(),
  /** Null once settled. */
  next_attempt_at: z.string().nullable(),
  settled_at: z.string().nullable(),
  last_error: z.string().nullable(),
  is_test: z.boolean(),
  /** Of one that is collapsed: the id of the notification that tells what it would have. */
  collapsed_into: z.string().nullable(),
  attempts: z.array(deliveryAttempt),
});

export function toDelivery(record: NotificationRecord): z.infer<typeof delivery> {
  return {
    id: record.id,
    type: record.type,
    transition: record.transition,
    state: record.state,
    subscription: record.subscription,
    receiver: record.receiver,
    incident_id: record.incidentId,
    task_id: record.taskId,
    created_at: instantText(record.createdAt),
    next_attempt_at: record.state === 'pending' ? instantText(record.nextAttemptAt) : null,
    settled_at: record.settledAt === null ? null : instantText(record.settledAt),
    last_error: record.lastError,
    is_test: record.isTest,
    collapsed_into: record.collapsedInto,
    attempts: record.attempts.map(({ attempt, at, durationMs, outcome, httpStatus, error }) => ({
      attempt,
      at: instantText(at),
      duration_ms: durationMs,
      outcome,
      http_status: httpStatus,
      error,
    })),
  };
}

export function instantText(date: Date): string {
  return toInstant(date.getTime());
}
