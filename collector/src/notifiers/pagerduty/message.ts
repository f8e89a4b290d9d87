import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import { type Budget, partsOf } from '../parts.ts';
import { builtIn } from '../template.ts';
import { fit, jsonBytes, oneLine } from '../text.ts';
import { endsIncident, type Tone } from '../wording.ts';

/** https://developer.pagerduty.com/docs/events-api-v2/trigger-events: characters of a summary, of a key, and bytes of an event. */
export const pagerdutyLimits = { summary: 1024, dedupKey: 255, bytes: 512 * 1024 } as const;

const budget: Budget = { title: 1024, sentence: 4000, facts: 16_000, group: 64_000, lines: 64_000, size: jsonBytes };

/** One event of an incident, without its routing key. */
export function pagerdutyEvent(notification: Notification, words = builtIn) {
  const { id, type, at, incident, node, condition, task } = notification;
  const { tone, title, sentence, facts, group, lines, link } = partsOf(notification, budget, words);
  const dedup_key = incident?.id ?? id;
  if (type === 'incident.acknowledged') return { event_action: 'acknowledge', dedup_key };
  if (endsIncident(notification)) return { event_action: 'resolve', dedup_key };
  return {
    event_action: 'trigger',
    dedup_key,
    client: 'Runnerwatch',
    ...(link === null ? {} : { client_url: link, links: [{ href: link, text: 'Open the incident' }] }),
    payload: {
      summary: title,
      source: fit(oneLine(node?.name ?? task?.node ?? 'runnerwatch'), { max: fieldLengthMax }),
      severity: severities[tone],
      timestamp: at,
      component: condition?.component ?? 'agent',
      ...(task?.job == null ? {} : { group: fit(oneLine(task.job), { max: fieldLengthMax }) }),
      class: condition?.type ?? type,
      custom_details: {
        ...(sentence === '' ? {} : { summary: sentence }),
        ...(facts.length === 0 ? {} : { facts }),
        ...(group.length === 0 ? {} : { group }),
        ...(lines === null ? {} : { last_lines: lines }),
        notification_id: id,
      },
    },
  };
}

/** Of names in an event; its document gives no number. */
const fieldLengthMax = 255;

const severities: Readonly<Record<Tone, string>> = { bad: 'critical', warning: 'warning', good: 'info', info: 'info' };
