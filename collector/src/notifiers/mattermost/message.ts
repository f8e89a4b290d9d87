import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import { backslash, markdownOf, plainLine } from '../markdown.ts';
import { partsOf } from '../parts.ts';
import { builtIn } from '../template.ts';
import { defuse } from '../text.ts';
import type { Tone } from '../wording.ts';

/** https://docs.mattermost.com/administration-guide/configure/configuration-settings.html: a post has 16383 characters. */
export const mattermostLimits = { text: 16_383 } as const;

/*
 * https://docs.mattermost.com/end-user-guide/collaborate/format-messages.html. A backslash does not keep the server from reading
 * `@channel` (https://developers.mattermost.com/integrate/webhooks/incoming/), so names are taken apart instead; `<!channel>` of
 * Slack's is read in code too.
 */
const markup = backslash('\\`*_{}[]()#+-.!|~<>:"&');
const names = defuse('@<');
const escape = (character: string) => (character === '@' ? names(character) : markup(character));

const budget = { title: 500, sentence: 3000, facts: 5000, group: 3000, lines: 4000 };

export function mattermostMessage(notification: Notification, words = builtIn) {
  const parts = partsOf(notification, { ...budget, escape, escapeCode: defuse('@<`'), line: plainLine }, words);
  const { title: fallback } = partsOf(notification, { ...budget, escape: names }, words);
  const text = markdownOf(parts, { withTitle: true });
  return { attachments: [{ fallback, color: colors[parts.tone], text }] };
}

const colors: Readonly<Record<Tone, string>> = { bad: '#d72b3f', warning: '#e8a317', good: '#2eb67d', info: '#8d8d8d' };
