import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import { partsOf, textOfParts } from '../parts.ts';
import { builtIn } from '../template.ts';
import type { Tone } from '../wording.ts';

/** Gotify has no limit of its own; these keep a message readable on a phone. */
const budget = { title: 300, sentence: 1500, facts: 3000, group: 2000, lines: 4000 };

/** https://gotify.net/docs/msgextras: text is shown as it is, and a touch opens the incident. */
export function gotifyMessage(notification: Notification, words = builtIn) {
  const parts = partsOf(notification, budget, words);
  const click = parts.link === null ? {} : { 'client::notification': { click: { url: parts.link } } };
  return {
    title: parts.title,
    message: textOfParts(parts) || parts.title,
    priority: priorities[parts.tone],
    extras: { 'client::display': { contentType: 'text/plain' }, ...click },
  };
}

/** https://github.com/gotify/android#message-priorities: 8 and more ring, 4 to 7 make a sound, 1 to 3 an icon. */
const priorities: Readonly<Record<Tone, number>> = { bad: 8, warning: 5, good: 3, info: 2 };
