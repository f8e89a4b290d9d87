import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import { type Budget, partsOf, textOfParts } from '../parts.ts';
import { builtIn } from '../template.ts';
import { fit, oneLine } from '../text.ts';
import { endsIncident, type Tone } from '../wording.ts';

/** https://docs.opsgenie.com/docs/alert-api: characters of each field. */
export const opsgenieLimits = { message: 130, alias: 512, description: 15_000, entity: 512, note: 25_000 } as const;

/** The description is shown as HTML, so nothing may look like a tag. */
const brackets: Readonly<Record<string, string>> = { '<': '‹', '>': '›' };
const escape = (character: string) => brackets[character] ?? character;

const budget: Budget = { title: 130, sentence: 2000, facts: 4000, group: 3000, lines: 5000, escape };

/** What is posted, and where. */
export function opsgenieRequest(notification: Notification, words = builtIn): { path: string; payload: object } {
  const { id, type, incident, node, condition, task } = notification;
  const parts = partsOf(notification, budget, words);
  const alias = incident?.id ?? id;
  const tellAlert = (word: 'acknowledge' | 'close', note: string) => ({
    path: `v2/alerts/${encodeURIComponent(alias)}/${word}?identifierType=alias`,
    payload: { source: 'Runnerwatch', note },
  });
  if (type === 'incident.acknowledged')
    return tellAlert('acknowledge', [parts.title, parts.sentence].filter((part) => part !== '').join('\n'));
  if (endsIncident(notification)) return tellAlert('close', parts.title);
  const description = [textOfParts(parts), parts.link ?? ''].filter((part) => part !== '').join('\n\n');
  return {
    path: 'v2/alerts',
    payload: {
      message: parts.title,
      alias,
      ...(description === '' ? {} : { description }),
      entity: fit(oneLine(node?.name ?? task?.node ?? 'runnerwatch'), { max: opsgenieLimits.entity, escape }),
      source: 'Runnerwatch',
      priority: priorities[parts.tone],
      tags: [condition?.type ?? type],
      details: { notification_id: id },
    },
  };
}

const priorities: Readonly<Record<Tone, string>> = { bad: 'P1', warning: 'P3', good: 'P5', info: 'P5' };
