import { formatDuration } from '@runnerwatch/shared/runtime/duration.ts';
import * as z from 'zod';
import type { Subscription } from '../../routing/subscription.ts';

export const subscription = z.object({
  id: z.string(),
  name: z.string(),
  matchers: z.record(z.string(), z.array(z.string())),
  events: z.array(z.string()),
  receiver: z.string(),
  /** A duration; `0` never. */
  renotify_interval: z.string(),
  /** `configuration`: changed there, not here. */
  origin: z.enum(['configuration']),
});

export function toSubscription({
  name,
  matchers,
  events,
  receiver,
  renotifyIntervalMs,
}: Subscription): z.infer<typeof subscription> {
  return {
    id: name,
    name,
    matchers: Object.fromEntries(matchers.map(({ key, patterns }) => [key, [...patterns]])),
    events: [...events],
    receiver,
    renotify_interval: renotifyIntervalMs === 0 ? '0' : formatDuration(renotifyIntervalMs),
    origin: 'configuration',
  };
}
