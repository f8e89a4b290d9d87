import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { forAnyNotification, goldenOf, textsIn } from '../../../../test/support/messages.ts';
import { teamsMessage } from './message.ts';

/* https://adaptivecards.io/explorer, version 1.4; https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using */
const run = z.strictObject({
  type: z.literal('TextRun'),
  text: z.string().check(z.minLength(1)),
  weight: z.optional(z.enum(['Default', 'Lighter', 'Bolder'])),
  size: z.optional(z.enum(['Default', 'Small', 'Medium', 'Large', 'ExtraLarge'])),
  color: z.optional(z.enum(['Default', 'Dark', 'Light', 'Accent', 'Good', 'Warning', 'Attention'])),
  fontType: z.optional(z.enum(['Default', 'Monospace'])),
});
const message = z
  .strictObject({
    type: z.literal('message'),
    attachments: z.tuple([
      z.strictObject({
        contentType: z.literal('application/vnd.microsoft.card.adaptive'),
        contentUrl: z.null(),
        content: z.strictObject({
          $schema: z.literal('http://adaptivecards.io/schemas/adaptive-card.json'),
          type: z.literal('AdaptiveCard'),
          version: z.literal('1.4'),
          msteams: z.strictObject({ width: z.literal('Full') }),
          fallbackText: z.string(),
          body: z.array(z.strictObject({ type: z.literal('RichTextBlock'), inlines: z.array(run).check(z.length(1)) })),
          actions: z
            .array(z.strictObject({ type: z.literal('Action.OpenUrl'), title: z.string(), url: z.url() }))
            .check(z.maxLength(6)),
        }),
      }),
    ]),
  })
  .check(z.refine((sent) => Buffer.byteLength(JSON.stringify(sent)) <= 28 * 1024));

describe('a message for Teams', () => {
  it('says the verdict, its proof, advice, the last lines and where to look', async () => {
    await expect(goldenOf(teamsMessage)).toMatchFileSnapshot('message.golden');
  });

  it('F109 keeps the 28 KB of a message, whatever it has to say', () => {
    forAnyNotification((notification, words) => {
      const sent = teamsMessage(notification, words);
      expect(z.parse(message, sent)).toEqual(sent);
      expect(textsIn(sent).every((text) => text.isWellFormed())).toBe(true);
    });
  });

  it('F117 has its text in runs only, where Markdown is no markup, and computes no dates', () => {
    forAnyNotification((notification, words) => {
      const sent = JSON.stringify(teamsMessage(notification, words));
      expect(sent).not.toMatch(/"(TextBlock|FactSet)"|"entities"|\{\{(DATE|TIME)/i);
    });
  });
});
