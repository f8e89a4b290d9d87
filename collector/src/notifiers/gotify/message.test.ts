import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { forAnyNotification, goldenOf, textsIn } from '../../../../test/support/messages.ts';
import { gotifyMessage } from './message.ts';

/* https://gotify.net/api-docs#/message/createMessage, https://gotify.net/docs/msgextras */
const message = z.strictObject({
  title: z.string().check(z.minLength(1), z.maxLength(300)),
  message: z.string().check(z.minLength(1), z.maxLength(11_000)),
  priority: z.int().check(z.minimum(0), z.maximum(10)),
  extras: z.strictObject({
    'client::display': z.strictObject({ contentType: z.literal('text/plain') }),
    'client::notification': z.optional(z.strictObject({ click: z.strictObject({ url: z.url() }) })),
  }),
});

describe('a message for Gotify', () => {
  it('says the verdict, its proof, advice and the last lines, and opens the incident', async () => {
    await expect(goldenOf(gotifyMessage)).toMatchFileSnapshot('message.golden');
  });

  it('F109 F117 stays short, and plain text, whatever it has to say', () => {
    forAnyNotification((notification, words) => {
      const sent = gotifyMessage(notification, words);
      expect(z.parse(message, sent)).toEqual(sent);
      expect(textsIn(sent).every((text) => text.isWellFormed())).toBe(true);
    });
  });
});
