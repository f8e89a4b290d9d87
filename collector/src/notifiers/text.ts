/* Values as notifications write them, and texts from elsewhere made harmless and cut to fit. Sizes are UTF-16 units unless a measure is given. */

/** C0, DEL, C1, line and paragraph separators, and the marks that turn the direction of writing. */
const controls = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]+/gu;

/** One line that only shows: whatever could break a line, move a cursor or turn the writing is a space, half a character is U+FFFD. */
export function oneLine(text: string): string {
  return text.replaceAll(/\p{Cs}/gu, '\ufffd').replaceAll(controls, ' ');
}

/** With a capital and a period. */
export function asSentence(text: string): string {
  const trimmed = text.trim();
  const begun = /^\p{Ll}/u.test(trimmed) ? `${trimmed.charAt(0).toUpperCase()}${trimmed.slice(1)}` : trimmed;
  return begun === '' || /[.!?…]$/.test(begun) ? begun : `${begun}.`;
}

/** `2026-11-22 12:00:00 UTC`. */
export function timeText(instant: string): string {
  return `${instant.slice(0, 10)} ${instant.slice(11, 19)} UTC`;
}

/** How long, as exact as a person needs it: `0.4 s`, `40 s`, `6 min`, `3.5 h`, `2.1 d`. */
export function spanText(ms: number): string {
  const seconds = Math.max(0, ms) / 1000;
  if (seconds < 10) return `${Number(seconds.toFixed(1))} s`;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Number((seconds / 3600).toFixed(1))} h`;
  return `${Number((seconds / 86_400).toFixed(1))} d`;
}

/** `512 B`, `1.5 GiB`. */
export function bytesText(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];
  const power = bytes < 1024 ? 0 : Math.min(units.length - 1, Math.floor(Math.log2(bytes) / 10));
  return `${Number((bytes / 1024 ** power).toFixed(1))} ${units[power]}`;
}

const mark = '…';

/** How text is made harmless for its target, character by character, and how its target measures it. */
export interface Fitting {
  readonly max: number;
  /** One whole character to what stands for it. */
  readonly escape?: (character: string) => string;
  readonly size?: (text: string) => number;
}

/** Escaped, and cut at a whole character with a mark so that what comes out is not longer than `max`. */
export function fit(text: string, { max, escape = same, size = units }: Fitting): string {
  let whole = '';
  let used = 0;
  let keep = 0;
  for (const character of text) {
    const piece = escape(character);
    used += size(piece);
    if (used > max) return whole.slice(0, keep) + mark;
    whole += piece;
    if (used + size(mark) <= max) keep = whole.length;
  }
  return whole;
}

/** As many items as fit, one a line; those left out are counted. The first is always there, cut when it has to be. */
export function fitList(items: readonly string[], fitting: Fitting): string[] {
  const { max, escape = same, size = units } = fitting;
  const more = (count: number) => Array.from(`… and ${count} more`, escape).join('');
  const reserve = size('\n') + size(more(items.length));
  const kept: string[] = [];
  let used = 0;
  for (const item of items) {
    const line = fit(item, { ...fitting, max: max - reserve });
    used += size(line) + (kept.length === 0 ? 0 : size('\n'));
    const isLast = kept.length === items.length - 1;
    if (used + (isLast ? 0 : reserve) > max) return [...kept, more(items.length - kept.length)];
    kept.push(line);
  }
  return kept;
}

/** The last lines that fit, the first of them marked when others stood above; of a single longer line its beginning. Null for none. */
export function fitLastLines(lines: readonly string[], fitting: Fitting): string | null {
  const { max, escape = same, size = units } = fitting;
  const room = max - size(`${mark}\n`);
  const kept: string[] = [];
  let used = 0;
  for (const line of lines.toReversed()) {
    // No escape makes a text shorter, so a far too long line is not escaped in vain.
    const escaped = line.length > room ? '' : Array.from(line, escape).join('');
    used += size(`${escaped}\n`);
    if (line.length > room || used > room) break;
    kept.unshift(escaped);
  }
  const last = lines.at(-1);
  if (last === undefined) return null;
  if (kept.length === 0) return fit(last, fitting);
  return kept.length === lines.length ? kept.join('\n') : [mark, ...kept].join('\n');
}

/** Bytes of UTF-8. */
export function bytes(text: string): number {
  return Buffer.byteLength(text);
}

/** Bytes inside a JSON string. */
export function jsonBytes(text: string): number {
  return Buffer.byteLength(JSON.stringify(text)) - 2;
}

/** Between two characters that together would be markup. */
export const zeroWidthSpace = '\u200b';

/** Behind a character that would begin or end markup, so that it stands for itself where it cannot be escaped. */
export function defuse(characters: string): (character: string) => string {
  const live = new Set(characters);
  return (character) => (live.has(character) ? character + zeroWidthSpace : character);
}

function same(text: string): string {
  return text;
}

function units(text: string): number {
  return text.length;
}
