import * as z from 'zod';
import { toSilence } from '../../routing/live-policy.ts';
import { silentUntil } from '../../routing/silence.ts';
import type { SilenceRow } from '../../routing/store.ts';
import { instantText } from './delivery.ts';
import {
  author,
  showMatchers,
  shownMatchers,
  shownWindow,
  windowRule,
  writtenDuration,
  writtenInstant,
  writtenMatchers,
} from './routing.ts';

const matchers = writtenMatchers.refine((value) => Object.keys(value).length > 0, {
  error: 'expected at least one matcher; node: "*" silences everything about nodes and their tasks',
});

export const silenceBody = z.strictObject({
  matchers,
  author: author.optional().describe("Who silences; of a person's own token it is that person."),
  reason: z.string().trim().min(1).max(1000),
  starts_at: writtenInstant.optional(),
  ends_at: writtenInstant.nullable().optional(),
  for: writtenDuration.optional().describe('Instead of `ends_at`: it ends so long after its start.'),
  recurrence: z
    .optional(windowRule)
    .describe('A maintenance window: only within these hours, by the clock on the wall of that zone.'),
});

export const silence = z.object({
  id: z.string(),
  origin: z.enum(['person', 'drain']).describe('`drain`: came with the draining of a node, and ends with it.'),
  state: z.enum(['active', 'pending', 'waiting', 'expired']).describe('`waiting`: for the next of its hours.'),
  author: z.string(),
  reason: z.string(),
  matchers: shownMatchers,
  recurrence: shownWindow.nullable(),
  starts_at: z.string(),
  ends_at: z.string().nullable(),
  until: z.string().nullable().describe('While it is active: the end of this quiet, if there is one.'),
  created_at: z.string(),
});

export const hidden = z.object({
  count: z.int(),
  items: z
    .array(
      z.object({
        alert_id: z.string(),
        incident_id: z.string(),
        condition: z.string(),
        node: z.string().nullable(),
        task_id: z.string().nullable(),
        severity: z.string(),
        reason: z.string(),
      }),
    )
    .describe('The first 100.'),
});

export const previewBody = z.strictObject({ matchers });

export function showSilence(row: SilenceRow, now: number): z.infer<typeof silence> {
  const until = silentUntil(toSilence(row), now);
  const isOver = row.endsAt !== null && row.endsAt.getTime() <= now;
  const isEarly = row.startsAt.getTime() > now;
  return {
    id: row.id,
    origin: row.origin,
    state: isOver ? 'expired' : isEarly ? 'pending' : until === null ? 'waiting' : 'active',
    author: row.author,
    reason: row.reason,
    matchers: showMatchers(row.matchers),
    recurrence: row.recurrence === null ? null : shownWindow.parse(row.recurrence),
    starts_at: instantText(row.startsAt),
    ends_at: row.endsAt === null ? null : instantText(row.endsAt),
    until: until === null || !Number.isFinite(until) ? null : instantText(new Date(until)),
    created_at: instantText(row.createdAt),
  };
}
