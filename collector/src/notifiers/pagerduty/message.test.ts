import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { forAnyNotification, goldenOf, textsIn } from '../../../../test/support/messages.ts';
import { failedTask, mirrored, samples } from '../../../../test/support/notifications.ts';
import { leavesIncidentOpen } from '../wording.ts';
import { pagerdutyEvent } from './message.ts';

/* https://developer.pagerduty.com/docs/events-api-v2/trigger-events, …/acknowledge-events, …/resolve-events */
const key = z.string().check(z.minLength(1), z.maxLength(255));
const event = z
  .discriminatedUnion('event_action', [
    z.strictObject({ event_action: z.enum(['acknowledge', 'resolve']), dedup_key: key }),
    z.strictObject({
      event_action: z.literal('trigger'),
      dedup_key: key,
      client: z.string(),
      client_url: z.optional(z.url()),
      links: z.optional(z.array(z.strictObject({ href: z.url(), text: z.string() }))),
      payload: z.strictObject({
        summary: z.string().check(z.minLength(1), z.maxLength(1024)),
        source: z.string().check(z.maxLength(255)),
        severity: z.enum(['critical', 'error', 'warning', 'info']),
        timestamp: z.iso.datetime(),
        component: z.string(),
        group: z.optional(z.string().check(z.maxLength(255))),
        class: z.string(),
        custom_details: z.looseObject({ notification_id: z.string() }),
      }),
    }),
  ])
  .check(z.refine((sent) => Buffer.byteLength(JSON.stringify(sent)) <= 512 * 1024));

describe('an event for PagerDuty', () => {
  it('triggers with the verdict and its proof, and resolves in one word', async () => {
    await expect(goldenOf(pagerdutyEvent)).toMatchFileSnapshot('message.golden');
  });

  it('F109 keeps the length of a summary and the 512 KB of an event, whatever it has to say', () => {
    forAnyNotification((notification, words) => {
      const sent = pagerdutyEvent(notification, words);
      expect(z.parse(event, sent)).toEqual(sent);
      expect(textsIn(sent).every((text) => text.isWellFormed())).toBe(true);
    });
  });

  it('F107 has one key for all news of an incident, and resolves only when all of it is over', () => {
    const { fired, resolved, renotified } = samples;

    expect(new Set([fired, renotified, resolved].map((one) => pagerdutyEvent(one).dedup_key))).toEqual(
      new Set([fired.incident?.id]),
    );
    expect(pagerdutyEvent(resolved).event_action).toBe('resolve');
    expect([resolved, { ...resolved, incident: fired.incident }].map(leavesIncidentOpen)).toEqual([false, true]);
  });

  it('says that somebody is on an incident, and that it is over though people are not told', () => {
    const dedup_key = mirrored.over.incident?.id;

    expect(pagerdutyEvent(mirrored.acknowledged)).toEqual({ event_action: 'acknowledge', dedup_key });
    expect(pagerdutyEvent(mirrored.over)).toEqual({ event_action: 'resolve', dedup_key });
  });

  it('resolves the incident of a failure that turned out to be none', () => {
    const { incident } = samples.resolved;
    const completed = { ...samples.amended, incident, task: { ...failedTask, status: 'completed' as const } };

    expect(pagerdutyEvent(completed)).toEqual({ event_action: 'resolve', dedup_key: incident?.id });
  });
});
