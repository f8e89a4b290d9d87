import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { forAnyNotification, goldenOf, textsIn } from '../../../../test/support/messages.ts';
import { mattermostMessage } from './message.ts';

/* https://developers.mattermost.com/integrate/webhooks/incoming/, …/reference/message-attachments/ */
const message = z.strictObject({
  attachments: z
    .array(
      z.strictObject({
        fallback: z.string().check(z.minLength(1)),
        color: z.string().check(z.regex(/^#[0-9a-f]{6}$/)),
        text: z.string().check(z.minLength(1), z.maxLength(16_383)),
      }),
    )
    .check(z.length(1)),
});

describe('a message for Mattermost', () => {
  it('says the verdict, its proof, advice, the last lines and where to look', async () => {
    await expect(goldenOf(mattermostMessage)).toMatchFileSnapshot('message.golden');
  });

  it('F109 keeps the length of a post, whatever it has to say', () => {
    forAnyNotification((notification, words) => {
      const sent = mattermostMessage(notification, words);
      expect(z.parse(message, sent)).toEqual(sent);
      expect(textsIn(sent).every((text) => text.isWellFormed())).toBe(true);
    });
  });

  it('F117 calls nobody, and has no markup but its own', () => {
    forAnyNotification((notification, words) => {
      const [sent] = mattermostMessage(notification, words).attachments;
      const { text = '', fallback = '' } = sent ?? {};
      expect(`${text}${fallback}`).not.toMatch(/@(?!\u200b)|<!/);
      const [prose = '', ...code] = text
        .replace(/^\*\*/, '')
        .replace(/\*\*$/m, '')
        .replace(/\n?\[Open the incident\]\(https:\/\/watch\.example\.org\/[^\s()<>|]+\)$/, '')
        .split(/^```$/m);
      expect(prose.replaceAll(/\\./g, '')).not.toMatch(/[\\`*_[\]#~<>|]/);
      if (words.text !== null) expect(text.split(/^```$/m)[0]).not.toMatch(/^([ \t]|=|\d+[.)] )/m);
      expect(code.join('')).not.toContain('``');
    });
  });
});
