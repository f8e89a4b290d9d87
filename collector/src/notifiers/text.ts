/* Values as notifications write them, and texts from elsewhere made harmless. */

/** C0, DEL, C1, line and paragraph separators, and the marks that turn the direction of writing. */
const controls = /[\p{Cc}\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]+/gu;

/** One line that only shows: whatever could break a line, move a cursor or turn the writing is a space, half a character is U+FFFD. */
export function oneLine(text: string): string {
  return text.replaceAll(/\p{Cs}/gu, '\ufffd').replaceAll(controls, ' ');
}

/** At most so many UTF-16 units, never half a character, with `…` for what is cut. */
export function clip(text: string, unitsMax: number): string {
  if (text.length <= unitsMax) return text;
  const kept = text.slice(0, Math.max(0, unitsMax - 1));
  return `${/[\ud800-\udbff]$/.test(kept) ? kept.slice(0, -1) : kept}…`;
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
