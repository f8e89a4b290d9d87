/*
 * Words that look drawn by lot. What a log is full of looks nearly so: commits, digests, container ids, UUIDs, paths, mangled
 * names, keys that are public. A random base64 word of 40 characters changes between capitals, small letters and digits at
 * three places of five; what a person or a compiler made up, at one of five.
 */

/** A long word that was drawn by lot, whatever stands around it. */
export function isRandomWord(word: string): boolean {
  if (word.length < minWordChars || isPublic(word)) return false;
  const rest = word.replace(knownParts, '');
  if (rest.length < minWordChars || !/[a-z]/.test(rest) || !/[A-Z]/.test(rest)) return false;
  return (rest.match(/\d/g) ?? []).length >= 2 && changesOf(rest) >= 0.42 && entropyOf(rest) >= 4.2;
}

/** A value behind a name that sounds like a key: here less will do. */
export function isRandomValue(value: string): boolean {
  if (value.length < minValueChars || /\s/.test(value) || isPublic(value) || isPath(value)) return false;
  if (isHex(value)) return value.length >= 32;
  const rest = value.replace(knownParts, '');
  if (rest.length < minValueChars || !/\d/.test(rest)) return false;
  return changesOf(rest) >= 0.28 && entropyOf(rest) >= 3.3;
}

/** Words that {@link isRandomWord} is asked about. */
export const longWord = /(?<![\w+/=.-]|(?:SHA|sha)(?:1|256|384|512):)[A-Za-z0-9][\w+/=-]{31,2000}/g;

const minWordChars = 32;
const minValueChars = 16;

/** UUIDs, and runs of hexadecimal digits as commits, digests, container ids and addresses are. */
const knownParts = /[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}|(?:0x)?[0-9a-f]{7,}|[0-9A-F]{12,}/g;

/** Digests that say what they are, public keys, mangled names of C++, Rust and Swift. */
function isPublic(word: string): boolean {
  return /^(?:(?:sha|SHA)(?:1|224|256|384|512)\b|md5\b|h1:|AAAA[A-E][23]Nz|_?_[ZR]|\$s)/.test(word);
}

/** A path, a URL, or the name of a file. */
export function isPath(word: string): boolean {
  return /^(?:\.{0,2}|~|[A-Za-z]:|[a-z][a-z0-9+.-]*:)\//.test(word) || /\.[a-z][a-z0-9]{0,5}$/.test(word);
}

function isHex(text: string): boolean {
  return /^[0-9a-f]+$/i.test(text);
}

/** Of all neighbouring characters, how many are of different kinds: small, capital, digit. */
function changesOf(text: string): number {
  let changes = 0;
  let before = '';
  for (const character of text) {
    const kind = character >= 'a' && character <= 'z' ? 'a' : character >= 'A' && character <= 'Z' ? 'A' : '0';
    if (before !== '' && kind !== before) changes += 1;
    before = kind;
  }
  return changes / Math.max(1, text.length - 1);
}

/** Shannon's, in bits for each character. */
function entropyOf(text: string): number {
  const counts = new Map<string, number>();
  for (const character of text) counts.set(character, (counts.get(character) ?? 0) + 1);
  let bits = 0;
  for (const count of counts.values()) bits -= (count / text.length) * Math.log2(count / text.length);
  return bits;
}
