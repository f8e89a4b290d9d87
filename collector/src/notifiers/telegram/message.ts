import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import { partsOf } from '../parts.ts';
import { builtIn } from '../template.ts';
import { defuse } from '../text.ts';
import type { Tone } from '../wording.ts';

/** https://core.telegram.org/bots/api#sendmessage: characters after entities are parsed, which are UTF-16 units. */
export const telegramLimits = { text: 4096 } as const;

const budget = { title: 300, sentence: 800, facts: 1200, group: 700, lines: 900 };

/** https://core.telegram.org/bots/api#messageentity: offsets and lengths in UTF-16 units. */
export interface Entity {
  readonly type: 'bold' | 'pre' | 'text_link';
  readonly offset: number;
  readonly length: number;
  readonly url?: string;
}

/**
 * Text with its entities beside it: there is no markup to be escaped. Names, tags and commands, which Telegram finds by itself,
 * are taken apart.
 */
export function telegramMessage(notification: Notification, words = builtIn) {
  const parts = partsOf(notification, { ...budget, escape: defuse('@#/$'), escapeCode: same }, words);
  const { tone, title, sentence, facts, group, lines, link } = parts;
  let text = `${lamps[tone]} `;
  const entities: Entity[] = [];
  const add = (piece: string, look?: Pick<Entity, 'type' | 'url'>) => {
    if (look !== undefined) entities.push({ offset: text.length, length: piece.length, ...look });
    text += piece;
  };
  add(title, { type: 'bold' });
  for (const piece of [sentence, facts.join('\n'), group.join('\n')]) if (piece !== '') add(`\n\n${piece}`);
  if (lines !== null) {
    add('\n\n');
    add(lines, { type: 'pre' });
  }
  if (link !== null) {
    add('\n\n');
    add('Open the incident', { type: 'text_link', url: link });
  }
  return { text, entities, link_preview_options: { is_disabled: true } };
}

const lamps: Readonly<Record<Tone, string>> = { bad: '🔴', warning: '🟡', good: '🟢', info: '⚪' };

function same(character: string): string {
  return character;
}
