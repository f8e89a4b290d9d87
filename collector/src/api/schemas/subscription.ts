import { createHash } from 'node:crypto';
import * as z from 'zod';
import type { SubscriptionRow } from '../../routing/store.ts';
import {
  defaultEvents,
  type EscalationStep,
  type Subscription,
  stepsMax,
  subscribableEvents,
} from '../../routing/subscription.ts';
import { instantText } from './delivery.ts';
import {
  author,
  showDuration,
  showMatchers,
  shownMatchers,
  shownWindow,
  windowRule,
  writtenDuration,
  writtenInstant,
  writtenMatchers,
} from './routing.ts';

export const subscription = z.object({
  id: z.string(),
  name: z.string(),
  origin: z.enum(['file', 'api', 'job_alert', 'watch']).describe('`file`: changed in collector.yaml, not here.'),
  matchers: shownMatchers,
  events: z.array(z.string()),
  receiver: z.string(),
  target: z.string().nullable().describe('Its own address, of a webhook without what may be secret in it.'),
  target_digest: z.string().nullable().describe('The same for the same address.'),
  max_alerts_per_job: z.int().nullable(),
  renotify_interval: z.string().describe('A duration; `0` never.'),
  group_window: z.string().nullable().describe('A duration; null: as `notifications.group_window` says.'),
  digest: z.string().nullable().describe('A duration: how long failures wait to be told in one message.'),
  quiet_hours: shownWindow.nullable(),
  escalate: z
    .array(z.object({ after: z.string(), receiver: z.string() }))
    .describe('Who else is told, the soonest first.'),
  expires_at: z.string().nullable(),
  active: z.boolean(),
  created_by: z.string().nullable(),
  created_at: z.string().nullable(),
});

const events = z.array(z.enum(subscribableEvents)).min(1);
export const target = z.strictObject({
  type: z.enum(['webhook', 'email']),
  address: z.string().min(1).max(2000),
});
const limits = {
  name: z.string().trim().min(1).max(100).optional(),
  max_alerts_per_job: z
    .int()
    .min(1)
    .max(1_000_000)
    .nullable()
    .optional()
    .describe('So often it tells of one job, until a run of that ends well.'),
  expires_at: writtenInstant.nullable().optional(),
  for: writtenDuration.optional().describe('Instead of `expires_at`: it ends after this long.'),
  group_window: writtenDuration
    .nullable()
    .optional()
    .describe('Failures of one kind that follow within are told together; `0` each for itself.'),
  digest: writtenDuration
    .nullable()
    .optional()
    .describe('Instead: failures of whatever kind are told in one message, so long after the first of them.'),
  quiet_hours: z
    .nullable(windowRule)
    .optional()
    .describe('What matches within these hours is told afterwards, if it is still true.'),
  escalate: z
    .array(z.strictObject({ after: writtenDuration, receiver: z.string().max(100) }))
    .max(stepsMax)
    .nullable()
    .optional()
    .describe('Who else is told, a notifier of collector.yaml, while nobody acknowledges for so long.'),
};

export const subscriptionBody = z.strictObject({
  ...limits,
  matchers: writtenMatchers.default({}),
  events: events.default([...defaultEvents]),
  receiver: z
    .string()
    .max(100)
    .optional()
    .describe('A notifier of collector.yaml; without it and `target`, the first.'),
  target: target.optional().describe('Or an address of its own.'),
  renotify_interval: writtenDuration
    .optional()
    .describe('How often what still fires is told again; `0` never. As `notifications.renotify_interval` says.'),
  created_by: author.optional(),
});

export const subscriptionChange = z.strictObject({
  ...limits,
  matchers: writtenMatchers.optional(),
  events: events.optional(),
  receiver: z.string().max(100).optional(),
  renotify_interval: writtenDuration.optional(),
});

export const backtestBody = z.strictObject({
  matchers: writtenMatchers.default({}),
  events: events.default([...defaultEvents]),
  since: z.string().max(64).default('24h').describe('RFC 3339 instant, or a duration before now such as `24h`, `7d`.'),
});

export const backtest = z.object({
  since: z.string(),
  looked_at: z.int(),
  matched: z.int(),
  reasons: z.record(z.string(), z.int()).describe('How many matched, and what differed in the others.'),
  complete: z.boolean().describe('False: there was more than could be looked at.'),
  items: z.array(
    z.object({
      transition_id: z.string(),
      at: z.string(),
      kind: z.string(),
      reason: z.string(),
      condition: z.string().nullable(),
      node: z.string().nullable(),
      task_id: z.string().nullable(),
      task: z.string().nullable(),
    }),
  ),
});

export function ofFile(one: Subscription): z.infer<typeof subscription> {
  return {
    id: one.name,
    name: one.name,
    origin: 'file',
    matchers: showMatchers(one.matchers),
    events: [...one.events],
    receiver: one.receiver,
    target: null,
    target_digest: null,
    max_alerts_per_job: one.maxAlertsPerJob ?? null,
    renotify_interval: showDuration(one.renotifyIntervalMs),
    group_window: showDuration(one.groupWindowMs ?? 0),
    digest: one.digestMs ? showDuration(one.digestMs) : null,
    quiet_hours: one.quietHours === undefined ? null : shownWindow.parse(one.quietHours.rule),
    escalate: showSteps(one.escalate ?? []),
    expires_at: null,
    active: true,
    created_by: null,
    created_at: null,
  };
}

export function ofRow(row: SubscriptionRow, now: number): z.infer<typeof subscription> {
  const ofJob = row.job === null ? {} : { job: [row.job], ...(row.project === null ? {} : { project: [row.project] }) };
  return {
    id: row.id,
    name: row.name ?? row.id,
    origin: row.origin,
    matchers: { ...showMatchers(row.matchers), ...ofJob },
    events: row.events,
    receiver: row.receiver,
    target: row.target === null ? null : showTarget(row.target),
    target_digest: row.target === null ? null : digestOf(row.target),
    max_alerts_per_job: row.maxAlertsPerJob,
    renotify_interval: showDuration(row.renotifyIntervalMs),
    group_window: row.groupWindowMs === null ? null : showDuration(row.groupWindowMs),
    digest: row.digestMs ? showDuration(row.digestMs) : null,
    quiet_hours: row.quietHours === null ? null : shownWindow.parse(row.quietHours),
    escalate: showSteps((row.escalate ?? []).map(({ after_ms: afterMs, receiver }) => ({ afterMs, receiver }))),
    expires_at: row.expiresAt === null ? null : instantText(row.expiresAt),
    active: isActive(row, now),
    created_by: row.createdBy,
    created_at: instantText(row.createdAt),
  };
}

export function isActive({ expiresAt }: Pick<SubscriptionRow, 'expiresAt'>, now: number): boolean {
  return expiresAt === null || expiresAt.getTime() > now;
}

function showSteps(steps: readonly EscalationStep[]): z.infer<typeof subscription>['escalate'] {
  return steps.map(({ afterMs, receiver }) => ({ after: showDuration(afterMs), receiver }));
}

/** Tells two addresses apart without showing them. */
function digestOf(address: string): string {
  return createHash('sha256').update(address).digest('hex').slice(0, 16);
}

/** The path of a webhook is often its secret. */
export function showTarget(address: string): string {
  if (!URL.canParse(address)) return address;
  const { origin, pathname, search } = new URL(address);
  return pathname === '/' && search === '' ? origin : `${origin}/…`;
}
