import * as z from 'zod/mini';
import { below, usableSecret } from '../fields.ts';
import { createJsonNotifier, notUnderstood, readJson, type Word } from '../json-api.ts';
import type { Notifier, NotifierDeps } from '../notifier.ts';
import { createRender } from '../template.ts';
import { comesAfterIncident, leavesIncidentOpen } from '../wording.ts';
import { pagerdutyEvent } from './message.ts';
import type { PagerdutySettings } from './settings.ts';

/** Sends events of the Events API v2; PagerDuty makes one incident of those with one key. @throws StartFailure */
export function createPagerdutyNotifier(
  settings: PagerdutySettings,
  { receiver, clock, log }: Pick<NotifierDeps, 'receiver' | 'clock' | 'log'>,
): Notifier {
  const routing_key = usableSecret(receiver, 'routing_key', settings.routing_key);
  const url = below(settings.api_url, 'v2/enqueue');
  return createJsonNotifier({
    timeoutMs: settings.timeout,
    clock,
    hear,
    secrets: [routing_key],
    mirrors: 'incident',
    skips: (notification) => leavesIncidentOpen(notification) || comesAfterIncident(notification),
    render: createRender(settings.template, { receiver, log }),
    callFor: (notification, words) => ({ url, payload: { routing_key, ...pagerdutyEvent(notification, words) } }),
  });
}

/** https://developer.pagerduty.com/docs/events-api-v2/overview: 202 with `success`, or what is wrong with the event. */
const answered = z.object({
  status: z.string(),
  message: z.optional(z.string()),
  errors: z.optional(z.array(z.string())),
});

function hear(body: string, status: number): Word {
  const said = readJson(answered, body);
  if (said === null) return status < 300 ? notUnderstood : { isTaken: false };
  return { isTaken: said.status === 'success', reason: said.errors?.[0] ?? said.message };
}
