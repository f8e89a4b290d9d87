import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import { type Budget, partsOf } from '../parts.ts';
import { builtIn, type Rendered } from '../template.ts';
import { defuse, fit } from '../text.ts';
import { leavesIncidentOpen, type Tone, titleOf, toneOf } from '../wording.ts';
import { endingText } from '../words.ts';

/** https://docs.slack.dev/reference/block-kit/blocks/header-block, …/section-block, …/reference/block-kit/composition-objects/text-object. */
export const slackLimits = { header: 150, text: 3000 } as const;

/** https://docs.slack.dev/messaging/formatting-message-text: what would begin a mention, a link or an entity. */
const entities: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;' };
const escape = (character: string) => entities[character] ?? character;
const defuseFence = defuse('`');

const budget: Budget = {
  title: slackLimits.header,
  sentence: slackLimits.text,
  facts: slackLimits.text,
  group: slackLimits.text,
  lines: slackLimits.text - '```\n\n```'.length,
  text: slackLimits.text,
  escape,
  escapeCode: (character) => escape(defuseFence(character)),
};

/** What is posted, to a webhook and by a bot: a line with the state, then everything else beside a coloured bar. */
export function slackMessage(notification: Notification, words = builtIn) {
  const { tone, title, sentence, facts, group, lines, link } = partsOf(notification, budget, words);
  return {
    ...slackState(notification, words),
    ...inert,
    attachments: [
      {
        color: colors[tone],
        fallback: title,
        blocks: [
          { type: 'header', text: plain(title) },
          ...[sentence, facts.join('\n'), group.join('\n')].filter((text) => text !== '').map(section),
          ...(lines === null ? [] : [markdown(`\`\`\`\n${lines}\n\`\`\``)]),
          ...(link === null ? [] : [markdown(`<${escapeLink(link)}|Open the incident>`)]),
        ],
      },
    ],
  };
}

/** The line that an edit of the first message replaces; the rest of that message stays (chat.update keeps attachments it is not given). */
export function slackState(notification: Notification, { subject } = builtIn) {
  const tone = leavesIncidentOpen(notification) ? 'warning' : toneOf(notification);
  const text = fit(subject ?? titleOf(notification), { max: slackLimits.header, escape });
  const at = Math.floor(Date.parse(notification.at) / 1000);
  const when = `<!date^${at}^{date_short_pretty} {time}|${notification.at}>`;
  const said = { type: 'mrkdwn', text: `${lamps[tone]} ${stateOf(notification)} · ${when}`, verbatim: true };
  // The text is what a phone's notification shows.
  return { text, blocks: [{ type: 'context', elements: [said] }] };
}

/** News in a thread. Who is reminded has to see it: a reminder, like an escalation, stands in the channel too. */
export function slackReply(
  notification: Notification,
  words: Rendered,
  first: { readonly channel: string; readonly ts: string },
) {
  const { blocks: _, ...news } = slackMessage(notification, words);
  const isForAll = notification.type === 'condition.renotified' || notification.escalation !== undefined;
  const broadcast = isForAll ? { reply_broadcast: true } : {};
  return { ...news, channel: first.channel, thread_ts: first.ts, ...broadcast };
}

/** For the message as a whole: nothing in its text is looked at for names, links or markup. */
const inert = { mrkdwn: false, parse: 'none', link_names: false, unfurl_links: false, unfurl_media: false } as const;

const colors: Readonly<Record<Tone, string>> = { bad: '#d72b3f', warning: '#e8a317', good: '#2eb67d', info: '#8d8d8d' };
const lamps: Readonly<Record<Tone, string>> = { bad: '🔴', warning: '🟡', good: '🟢', info: '⚪' };

/** In words of ours only: it is markup. */
function stateOf(notification: Notification): string {
  const { type, task } = notification;
  if (leavesIncidentOpen(notification)) return 'one alert is over, others hold';
  if (notification.escalation !== undefined) return 'escalated';
  switch (type) {
    case 'condition.fired':
      return 'firing';
    case 'condition.renotified':
      return 'still firing';
    case 'condition.resolved':
      return 'resolved';
    case 'node.unreachable':
      return 'unreachable';
    case 'node.recovered':
      return 'back';
    case 'incident.acknowledged':
      return 'acknowledged';
    case 'incident.resolved':
      return 'resolved';
    case 'task.amended':
      return `corrected: ${endingText(task?.status ?? 'unknown')}`;
    case 'task.started':
    case 'task.ended':
      return endingText(task?.status ?? 'unknown');
    case 'digest':
    case 'test':
      return type;
    default:
      return type satisfies never;
  }
}

function plain(text: string) {
  return { type: 'plain_text', text, emoji: false };
}

function section(text: string) {
  return { type: 'section', text: plain(text) };
}

function markdown(text: string) {
  return { type: 'section', text: { type: 'mrkdwn', text, verbatim: true } };
}

function escapeLink(link: string): string {
  return Array.from(link, escape).join('');
}
