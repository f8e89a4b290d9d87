import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import { type Budget, partsOf } from '../parts.ts';
import { builtIn } from '../template.ts';
import { jsonBytes } from '../text.ts';
import type { Tone } from '../wording.ts';

/** https://learn.microsoft.com/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using: 28 KB for a message. */
export const teamsLimits = { bytes: 28 * 1024 } as const;

/** In bytes of JSON; what stays of the 28 KB is the card around it, and dates that are taken apart. */
const budget: Budget = { title: 1000, sentence: 2000, facts: 6000, group: 4000, lines: 8000, size: jsonBytes };

/**
 * An Adaptive Card of text runs, in which Markdown is no markup (https://adaptivecards.io/explorer/TextRun.html). Mentions
 * need an entity of their own, and there is none; dates in braces are taken apart.
 */
export function teamsMessage(notification: Notification, words = builtIn) {
  const { tone, title, sentence, facts, group, lines, link } = partsOf(notification, budget, words);
  return {
    type: 'message',
    attachments: [
      {
        contentType: 'application/vnd.microsoft.card.adaptive',
        contentUrl: null,
        content: {
          $schema: 'http://adaptivecards.io/schemas/adaptive-card.json',
          type: 'AdaptiveCard',
          version: '1.4',
          msteams: { width: 'Full' },
          fallbackText: noDates(title),
          body: [
            block(title, { weight: 'Bolder', size: 'Medium', color: colors[tone] }),
            ...(sentence === '' ? [] : [block(sentence)]),
            ...facts.map((fact) => block(fact)),
            ...(group.length === 0 ? [] : [block(group.join('\n'))]),
            ...(lines === null ? [] : [block(lines, { fontType: 'Monospace', size: 'Small' })]),
          ],
          actions: link === null ? [] : [{ type: 'Action.OpenUrl', title: 'Open the incident', url: link }],
        },
      },
    ],
  };
}

function block(text: string, look: Readonly<Record<string, string>> = {}) {
  return { type: 'RichTextBlock', inlines: [{ type: 'TextRun', text: noDates(text), ...look }] };
}

/** https://learn.microsoft.com/adaptive-cards/authoring-cards/text-features: `{{DATE(…)}}` and `{{TIME(…)}}` are computed. */
function noDates(text: string): string {
  return text.replaceAll(/\{\{(?=DATE|TIME)/gi, '{ {');
}

const colors: Readonly<Record<Tone, string>> = {
  bad: 'Attention',
  warning: 'Warning',
  good: 'Good',
  info: 'Default',
};
