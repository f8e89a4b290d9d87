import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { forAnyNotification, goldenOf, textsIn } from '../../../../test/support/messages.ts';
import { discordMessage } from './message.ts';

/* https://docs.discord.com/developers/resources/webhook#execute-webhook, …/message#embed-object-embed-limits */
const embed = z.strictObject({
  title: z.string().check(z.minLength(1), z.maxLength(256)),
  description: z.string().check(z.maxLength(4096)),
  color: z.int().check(z.minimum(0), z.maximum(0xffffff)),
  timestamp: z.iso.datetime(),
  url: z.optional(z.url()),
});
const message = z
  .strictObject({
    allowed_mentions: z.strictObject({ parse: z.array(z.never()) }),
    embeds: z.array(embed).check(z.minLength(1), z.maxLength(10)),
  })
  .check(
    z.refine(({ embeds }) => {
      const characters = embeds.reduce((sum, { title, description }) => sum + title.length + description.length, 0);
      return characters <= 6000;
    }),
  );

describe('a message for Discord', () => {
  it('says the verdict, its proof, advice, the last lines and where to look', async () => {
    await expect(goldenOf(discordMessage)).toMatchFileSnapshot('message.golden');
  });

  it('F109 keeps every limit of an embed, whatever it has to say', () => {
    forAnyNotification((notification, words) => {
      const sent = discordMessage(notification, words);
      expect(z.parse(message, sent)).toEqual(sent);
      expect(textsIn(sent).every((text) => text.isWellFormed())).toBe(true);
    });
  });

  it('F117 calls nobody, and has no markup but its own', () => {
    forAnyNotification((notification, words) => {
      const [sent] = discordMessage(notification, words).embeds;
      const [prose = '', ...code] = `${sent?.description}`
        .replace(/\n?\[Open the incident\]\(https:\/\/watch\.example\.org\/[^\s()<>|]+\)$/, '')
        .split(/^```$/m);
      const live = /[*_~`|<>#@[\]]|:\/\//;
      expect(`${sent?.title}`.replaceAll(/\\./g, '')).not.toMatch(live);
      expect(prose.replaceAll(/\\./g, '').replaceAll(/^(Proof|Advice|[A-Z][a-z]+( [a-z]+)?)/gm, '')).not.toMatch(live);
      if (words.text !== null) expect(prose).not.toMatch(/^[ \t]*([-+]|\d+[.)]) /m);
      expect(code.join('')).not.toMatch(/``|<@|@e/);
    });
  });
});
