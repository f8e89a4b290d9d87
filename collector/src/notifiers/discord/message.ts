import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import { backslash, markdownOf, plainLine } from '../markdown.ts';
import { partsOf } from '../parts.ts';
import { builtIn } from '../template.ts';
import { defuse } from '../text.ts';
import type { Tone } from '../wording.ts';

/** https://docs.discord.com/developers/resources/message#embed-object-embed-limits; 6000 in all embeds together, which these keep. */
export const discordLimits = { title: 256, description: 4096 } as const;

/** https://support.discord.com/hc/en-us/articles/210298617: what begins markup, a mention, an emoji of a server, or a link (at its slashes). */
const escape = backslash('\\*_~`|<>#@[]/');

const budget = { title: discordLimits.title, sentence: 700, facts: 1300, group: 600, lines: 800 };

export function discordMessage(notification: Notification, words = builtIn) {
  const parts = partsOf(notification, { ...budget, escape, escapeCode: defuse('`@<'), line: plainLine }, words);
  return {
    // https://docs.discord.com/developers/resources/message#allowed-mentions-object: nobody is called, whatever the text says.
    allowed_mentions: { parse: [] },
    embeds: [
      {
        title: parts.title,
        description: markdownOf(parts, { withTitle: false }),
        color: colors[parts.tone],
        timestamp: notification.at,
        ...(parts.link === null ? {} : { url: parts.link }),
      },
    ],
  };
}

const colors: Readonly<Record<Tone, number>> = { bad: 0xd72b3f, warning: 0xe8a317, good: 0x2eb67d, info: 0x8d8d8d };
