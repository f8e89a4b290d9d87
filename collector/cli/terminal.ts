/*
 * Words from nodes and tasks reach a person's terminal here, and a terminal obeys what it is sent. So whatever could move
 * the cursor, hide text or begin a line of its own is made visible instead; colour is added by us, after that.
 */

export type Paint = 'bold' | 'dim' | 'red' | 'green' | 'yellow' | 'blue' | 'magenta' | 'cyan';

export interface Terminal {
  /** Columns to fit into; null when the output is not a terminal. */
  readonly columns: number | null;
  readonly hasColour: boolean;
}

export type Style = (paint: Paint, text: string) => string;

/** Colour for a terminal that has it; the text alone otherwise. */
export function createStyle({ hasColour }: Terminal): Style {
  return (paint, text) => (hasColour && text !== '' ? `\u001b[${codes[paint]}m${text}\u001b[0m` : text);
}

/** C0, DEL, C1, line and paragraph separators, and the marks that turn the direction of writing. */
const controls = /[\u0000-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]/g;

/** One line that only shows: a tab or line break becomes a space, any other control its picture or U+FFFD. */
export function neutralise(text: string): string {
  return text.replace(controls, (character) => {
    const code = character.charCodeAt(0);
    if (code === 9 || code === 10 || code === 13) return ' ';
    return code < 32 ? String.fromCharCode(0x2400 + code) : '\ufffd';
  });
}

/** Columns a text takes: none for combining marks and joiners, two for wide characters (Unicode TR 11, in its main blocks). */
export function displayWidth(text: string): number {
  let width = 0;
  for (const character of text) width += characterWidth(character.codePointAt(0) ?? 0);
  return width;
}

/** The text in at most so many columns, its end replaced by `…` when it is longer. */
export function clip(text: string, columns: number): string {
  if (displayWidth(text) <= columns) return text;
  let kept = '';
  let width = 0;
  for (const character of text) {
    const next = characterWidth(character.codePointAt(0) ?? 0);
    if (width + next > columns - 1) break;
    kept += character;
    width += next;
  }
  return columns < 1 ? '' : `${kept}…`;
}

/** The text in lines of at most so many columns, broken at spaces where there are any. */
export function wrap(text: string, columns: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && displayWidth(longer) > columns) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, line];
}

const codes: Readonly<Record<Paint, number>> = {
  bold: 1,
  dim: 2,
  red: 31,
  green: 32,
  yellow: 33,
  blue: 34,
  magenta: 35,
  cyan: 36,
};

function characterWidth(code: number): number {
  if ((code >= 0x300 && code <= 0x36f) || code === 0x200d || code === 0x200b || (code >= 0xfe00 && code <= 0xfe0f))
    return 0;
  return wideBlocks.some(([from, to]) => code >= from && code <= to) ? 2 : 1;
}

const wideBlocks: readonly (readonly [number, number])[] = [
  [0x1100, 0x115f],
  [0x2e80, 0xa4cf],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f900, 0x1f9ff],
  [0x20000, 0x3fffd],
];
