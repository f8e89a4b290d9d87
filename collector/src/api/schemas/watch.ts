import * as z from 'zod';
import type { SubscriptionRow } from '../../routing/store.ts';
import { instantText } from './delivery.ts';
import { author, writtenDuration } from './routing.ts';
import { isActive, showTarget, target } from './subscription.ts';

/** Its configuration, and how it stands. */
export const watch = z.object({
  id: z.string(),
  projects: z.array(z.string()),
  only_failed: z.boolean(),
  max_alerts_per_job: z.int().nullable(),
  receiver: z.string(),
  target: z.string().nullable(),
  started_at: z.string(),
  started_by: z.string().nullable(),
  ends_at: z.string().nullable().describe('Null: until it is stopped.'),
  active: z.boolean(),
  alerts_sent: z.int(),
});

export const watchBody = z.strictObject({
  projects: z
    .array(z.string().min(1).max(500))
    .min(1)
    .max(200)
    .default(['*'])
    .describe('Names or patterns; `["*"]` is everything.'),
  only_failed: z
    .boolean()
    .default(false)
    .describe('False: also warnings about what still runs, and for `["*"]` about nodes.'),
  for: writtenDuration.default('30m').describe('It stops by itself after this long; `0`: not before it is stopped.'),
  max_alerts_per_job: z.int().min(1).max(1_000_000).nullable().default(1),
  receiver: z.string().max(100).optional(),
  target: target.optional(),
  started_by: author.optional(),
});

export function toWatch(row: SubscriptionRow, { now, sent }: { now: number; sent: number }): z.infer<typeof watch> {
  return {
    id: row.id,
    projects: [...(row.matchers.find(({ key }) => key === 'project')?.patterns ?? ['*'])],
    only_failed: !row.events.includes('condition'),
    max_alerts_per_job: row.maxAlertsPerJob,
    receiver: row.receiver,
    target: row.target === null ? null : showTarget(row.target),
    started_at: instantText(row.createdAt),
    started_by: row.createdBy,
    ends_at: row.expiresAt === null ? null : instantText(row.expiresAt),
    active: isActive(row, now),
    alerts_sent: sent,
  };
}
