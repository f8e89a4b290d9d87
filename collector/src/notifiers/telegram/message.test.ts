import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { forAnyNotification, goldenOf } from '../../../../test/support/messages.ts';
import { telegramMessage } from './message.ts';

/* https://core.telegram.org/bots/api#sendmessage, #messageentity */
const entity = z.strictObject({
  type: z.enum(['bold', 'pre', 'text_link']),
  offset: z.int().check(z.minimum(0)),
  length: z.int().check(z.minimum(1)),
  url: z.optional(z.url()),
});
const message = z.strictObject({
  text: z.string().check(z.minLength(1), z.maxLength(4096)),
  entities: z.array(entity).check(z.maxLength(100)),
  link_preview_options: z.strictObject({ is_disabled: z.literal(true) }),
});

describe('a message for Telegram', () => {
  it('says the verdict, its proof, advice, the last lines and where to look', async () => {
    await expect(goldenOf(telegramMessage)).toMatchFileSnapshot('message.golden');
  });

  it('F109 keeps the length of a message, and every entity on whole characters inside it', () => {
    forAnyNotification((notification, words) => {
      const sent = telegramMessage(notification, words);
      expect(z.parse(message, sent)).toEqual(sent);
      expect(sent.text.isWellFormed()).toBe(true);
      let end = 0;
      for (const { offset, length } of sent.entities) {
        expect(offset).toBeGreaterThanOrEqual(end);
        end = offset + length;
        expect(end).toBeLessThanOrEqual(sent.text.length);
        expect(sent.text.slice(offset, end).isWellFormed()).toBe(true);
      }
    });
  });

  it('F117 has no name, tag or command that Telegram would find by itself', () => {
    forAnyNotification((notification, words) => {
      const { text, entities } = telegramMessage(notification, words);
      const code = entities.find(({ type }) => type === 'pre');
      const prose =
        code === undefined ? text : text.slice(0, code.offset) + text.slice(code.offset + code.length, text.length);
      expect(prose).not.toMatch(/[@#/$](?!\u200b)/);
    });
  });
});
