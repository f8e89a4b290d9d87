import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import { partsOf, textOfParts } from '../parts.ts';
import { builtIn } from '../template.ts';
import { bytes } from '../text.ts';
import type { Tone } from '../wording.ts';

/** https://docs.ntfy.sh/publish/#limitations: bytes of a message; a longer one becomes a file. The title's is what phones show. */
export const ntfyLimits = { message: 4096, title: 256 } as const;

const budget = { title: ntfyLimits.title, sentence: 600, facts: 1200, group: 700, lines: 1200, size: bytes };

/** For publishing as JSON (https://docs.ntfy.sh/publish/#publish-as-json), where nothing stands in a header. Text is shown as it is. */
export function ntfyMessage(notification: Notification, words = builtIn) {
  const parts = partsOf(notification, budget, words);
  return {
    title: parts.title,
    // An empty message would be shown as "triggered".
    message: textOfParts(parts) || parts.title,
    priority: priorities[parts.tone],
    tags: [tags[parts.tone]],
    ...(parts.link === null ? {} : { click: parts.link }),
  };
}

const priorities: Readonly<Record<Tone, number>> = { bad: 5, warning: 4, good: 3, info: 2 };
const tags: Readonly<Record<Tone, string>> = {
  bad: 'rotating_light',
  warning: 'warning',
  good: 'white_check_mark',
  info: 'information_source',
};
