/*
 * What a task wrote, made harmless and readable: one record is one line, and the line only shows. What a terminal would obey
 * (ECMA-48, "Control Functions for Coded Character Sets") or a reader would not see is gone before anybody looks.
 */

/** One line: no escape sequences, no control characters, no marks that hide or turn text; of a progress bar its last state. */
export function neutralise(line: string): string {
  if (!unsound.test(line)) return line;
  const text = lastState(overstruck(line.replace(escapes, '')));
  return text
    .replaceAll('\t', '    ')
    .replace(/[\p{Zl}\p{Zp}\n]/gu, ' ')
    .replace(/\p{Cf}+/gu, '')
    .replace(/[\p{Cc}\p{Cs}\ufffd]+/gu, '\ufffd');
}

/** At most so many UTF-16 units, never inside a character; what is missing is said. */
export function cutText(text: string, maxChars: number): string {
  if (text.length <= maxChars || (text.length <= maxChars + markChars && cutBefore.test(text))) return text;
  const kept = wholeCharacters(text.slice(0, maxChars));
  return `${kept}… [${text.length - kept.length} more characters]`;
}

/**
 * The beginning of a text that is not known whole. Its last word may be the first half of a secret that nobody would know
 * for one any more, so it goes too.
 */
export function withoutHalfWord(text: string): string {
  return wholeCharacters(text).replace(/\S{1,200}$/, '');
}

/** Lines pass here more than once, on their way through `runnerwatch run` for one. */
const cutBefore = /… \[\d+ more (?:characters|bytes)\]$/;
const markChars = 40;

const unsound = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\ufffd]/u;

/** In turn: OSC; DCS, SOS, PM and APC; CSI; any other. Of one that does not end only the beginning is taken. */
const escapes = new RegExp(
  [
    String.raw`(?:\x1b\]|\x9d)[^\x07\x1b\x9b-\x9f]*(?:\x07|\x1b\\|\x9c)`,
    String.raw`(?:\x1b[PX^_]|[\x90\x98\x9e\x9f])[^\x1b\x90\x98\x9b-\x9f]*(?:\x1b\\|\x9c)`,
    String.raw`(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]`,
    String.raw`\x1b[ -/]*[0-~]`,
  ].join('|'),
  'g',
);

/** A backspace takes the character before it, as nroff(1) writes bold and underlined text. */
function overstruck(text: string): string {
  if (!text.includes('\b')) return text;
  const kept: string[] = [];
  for (const character of text) {
    if (character === '\b') kept.pop();
    else kept.push(character);
  }
  return kept.join('');
}

/** A progress bar redraws its line with carriage returns: what stood there last counts. */
function lastState(text: string): string {
  if (!text.includes('\r')) return text;
  return text.split('\r').findLast((state) => state.trim() !== '') ?? '';
}

function wholeCharacters(text: string): string {
  return text.replace(/[\uD800-\uDBFF]$/, '');
}
