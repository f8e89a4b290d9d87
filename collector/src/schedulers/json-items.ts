/** Deeper or longer than any task; what passes it is not the list we asked for. */
const itemCharactersMax = 1024 * 1024;

export class NotAnArrayError extends Error {
  override readonly name = 'NotAnArrayError';
}

/**
 * Cuts the text of a JSON array into the texts of its items as it arrives in pieces, so that a long list is never whole in
 * memory and never parsed in one breath. The items themselves are not checked: whoever parses them does.
 */
export class JsonItems {
  readonly #onItem: (text: string) => void;
  #state: 'before' | 'between' | 'inside' | 'after' = 'before';
  #item = '';
  #depth = 0;
  #isInString = false;
  #isEscaped = false;

  constructor(onItem: (text: string) => void) {
    this.#onItem = onItem;
  }

  /** The closing bracket has come. */
  get isComplete(): boolean {
    return this.#state === 'after';
  }

  /** @throws NotAnArrayError */
  push(piece: string): void {
    let start = 0;
    for (let at = 0; at < piece.length; at += 1) {
      const character = piece.charCodeAt(at);
      if (this.#state === 'inside') {
        if (!this.#closes(character)) continue;
        this.#take(piece.slice(start, at + 1));
        this.#onItem(this.#item);
        this.#item = '';
        this.#state = 'between';
      } else if (this.#opens(character)) start = at;
    }
    if (this.#state === 'inside') this.#take(piece.slice(start));
  }

  #take(text: string): void {
    if (this.#item.length + text.length > itemCharactersMax) throw new NotAnArrayError('an item is too long');
    this.#item += text;
  }

  /** Outside of items only blanks, commas and the array's own brackets may stand. */
  #opens(character: number): boolean {
    if (character <= blank) return false;
    if (this.#state === 'before' && character === openBracket) this.#state = 'between';
    else if (this.#state === 'between' && character === closeBracket) this.#state = 'after';
    else if (this.#state === 'between' && character === openBrace) {
      this.#state = 'inside';
      this.#depth = 1;
      return true;
    } else if (this.#state !== 'between' || character !== comma) throw new NotAnArrayError('not an array of objects');
    return false;
  }

  #closes(character: number): boolean {
    if (this.#isEscaped) this.#isEscaped = false;
    else if (this.#isInString) {
      if (character === backslash) this.#isEscaped = true;
      else if (character === quote) this.#isInString = false;
    } else if (character === quote) this.#isInString = true;
    else if (character === openBrace || character === openBracket) this.#depth += 1;
    else if (character === closeBrace || character === closeBracket) this.#depth -= 1;
    return this.#depth === 0;
  }
}

const blank = 0x20;
const quote = 0x22;
const comma = 0x2c;
const openBracket = 0x5b;
const backslash = 0x5c;
const closeBracket = 0x5d;
const openBrace = 0x7b;
const closeBrace = 0x7d;

/** Whole numbers of 16 digits and more become texts of the same digits: a JavaScript number would round them. Strings stay as they are. */
export function quoteLongIntegers(json: string): string {
  if (!/[:,[\s-]\d{16}/.test(json)) return json;
  return json.replace(/"(?:[^"\\]|\\[^])*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/g, (token) =>
    /^-?\d{16,}$/.test(token) ? `"${token}"` : token,
  );
}
