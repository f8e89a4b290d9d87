import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { forAnyNotification, goldenOf, textsIn } from '../../../../test/support/messages.ts';
import { samples } from '../../../../test/support/notifications.ts';
import { slackMessage, slackState } from './message.ts';

/* https://docs.slack.dev/reference/block-kit/blocks, …/composition-objects/text-object, …/methods/chat.postMessage */
const plainText = (max: number) =>
  z.strictObject({
    type: z.literal('plain_text'),
    text: z.string().check(z.minLength(1), z.maxLength(max)),
    emoji: z.boolean(),
  });
const markdown = z.strictObject({
  type: z.literal('mrkdwn'),
  text: z.string().check(z.minLength(1), z.maxLength(3000)),
  verbatim: z.literal(true),
});
const block = z.discriminatedUnion('type', [
  z.strictObject({ type: z.literal('header'), text: plainText(150) }),
  z.strictObject({ type: z.literal('section'), text: z.union([plainText(3000), markdown]) }),
  z.strictObject({ type: z.literal('context'), elements: z.array(markdown).check(z.maxLength(10)) }),
]);
const blocks = z.array(block).check(z.minLength(1), z.maxLength(50));
const message = z.strictObject({
  text: z.string().check(z.minLength(1), z.maxLength(4000)),
  mrkdwn: z.literal(false),
  parse: z.literal('none'),
  link_names: z.literal(false),
  unfurl_links: z.literal(false),
  unfurl_media: z.literal(false),
  blocks,
  attachments: z
    .array(z.strictObject({ color: z.string().check(z.regex(/^#[0-9a-f]{6}$/)), fallback: z.string(), blocks }))
    .check(z.maxLength(1)),
});

describe('a message for Slack', () => {
  it('says the verdict, its proof, advice, the last lines and where to look', async () => {
    await expect(goldenOf(slackMessage)).toMatchFileSnapshot('message.golden');
  });

  it('F109 keeps every limit of Block Kit, whatever it has to say', () => {
    forAnyNotification((notification, words) => {
      const sent = slackMessage(notification, words);
      expect(z.parse(message, sent)).toEqual(sent);
      expect(textsIn(sent).every((text) => text.isWellFormed())).toBe(true);
    });
  });

  it('F117 holds no mention, no link and no entity but its own', () => {
    forAnyNotification((notification, words) => {
      for (const text of textsIn(slackMessage(notification, words))) {
        const rest = text
          .replace(/<!date\^\d+\^\{date_short_pretty\} \{time\}\|[\d:.TZ-]+>/, '')
          .replace(/^<https:\/\/watch\.example\.org\/[^\s<>|]+\|Open the incident>$/, '');
        expect(rest).not.toMatch(/[<>]|&(?!(amp|lt|gt);)/);
      }
      for (const { text } of slackMessage(notification, words).attachments[0]?.blocks ?? [])
        if (text.type === 'mrkdwn') expect(text.text.slice(3, -3)).not.toContain('``');
    });
  });

  it('does not call an incident resolved while others of its alerts hold', () => {
    const stateOf = (incident: Notification['incident']) =>
      slackState({ ...samples.resolved, incident }).blocks[0]?.elements[0]?.text;

    expect(stateOf(samples.resolved.incident)).toMatch(/^🟢 resolved · /u);
    expect(stateOf(samples.fired.incident)).toMatch(/^🟡 one alert is over, others hold · /u);
  });
});
