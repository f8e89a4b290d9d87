import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { forAnyNotification, goldenOf, textsIn } from '../../../../test/support/messages.ts';
import { ntfyMessage } from './message.ts';

/* https://docs.ntfy.sh/publish/#publish-as-json, #limitations */
const sizeBytes = (max: number) => z.refine((text) => Buffer.byteLength(String(text)) <= max);
const message = z.strictObject({
  title: z.string().check(z.minLength(1), sizeBytes(256)),
  message: z.string().check(z.minLength(1), sizeBytes(4096)),
  priority: z.int().check(z.minimum(1), z.maximum(5)),
  tags: z.array(z.enum(['rotating_light', 'warning', 'white_check_mark', 'information_source'])),
  click: z.optional(z.url()),
});

describe('a message for ntfy', () => {
  it('says the verdict, its proof, advice and the last lines, and opens the incident', async () => {
    await expect(goldenOf(ntfyMessage)).toMatchFileSnapshot('message.golden');
  });

  it('F109 keeps the 4096 bytes of a message, whatever it has to say', () => {
    forAnyNotification((notification, words) => {
      const sent = ntfyMessage(notification, words);
      expect(z.parse(message, sent)).toEqual(sent);
      expect(textsIn(sent).every((text) => text.isWellFormed())).toBe(true);
    });
  });

  it('F111 F117 has its title on one line, no Markdown, and nothing that acts', () => {
    forAnyNotification((notification, words) => {
      const sent = ntfyMessage(notification, words);
      expect(sent.title).not.toMatch(/[\r\n]/);
      expect(Object.keys(sent)).not.toContain('markdown');
      expect(Object.keys(sent)).not.toContain('actions');
    });
  });
});
