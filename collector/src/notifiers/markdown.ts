import type { Parts } from './parts.ts';
import { zeroWidthSpace } from './text.ts';

/** The pieces as Markdown, already escaped, in the order they are read. The title is bold when it is to stand in here. */
export function markdownOf(
  { title, sentence, facts, group, lines, link }: Parts,
  { withTitle }: { withTitle: boolean },
): string {
  const code = lines === null ? '' : `\`\`\`\n${lines}\n\`\`\``;
  const anchor = link === null ? '' : `[Open the incident](${link})`;
  const head = withTitle ? `**${title}**` : '';
  return [head, sentence, facts.join('\n'), group.join('\n'), code, anchor].filter((part) => part !== '').join('\n\n');
}

/** A backslash before each of these characters. */
export function backslash(characters: string): (character: string) => string {
  const live = new Set(characters);
  return (character) => (live.has(character) ? `\\${character}` : character);
}

/** A line at whose beginning no list, heading or block of code begins. */
export function plainLine(line: string): string {
  return /^(\s|[=+-]|\d+[.)])/.test(line) ? zeroWidthSpace + line : line;
}
