/** Which UTF-16 units a place of a pattern takes. */
export interface CharSet {
  readonly ranges: readonly (readonly [number, number])[];
  readonly isNegated: boolean;
  has(code: number): boolean;
}

export function charSet(ranges: CharSet['ranges'], isNegated: boolean): CharSet {
  const isIn = (code: number) => ranges.some(([from, to]) => code >= from && code <= to) !== isNegated;
  const ascii = Uint8Array.from({ length: 128 }, (_, code) => (isIn(code) ? 1 : 0));
  return { ranges, isNegated, has: (code) => (code < 128 ? ascii[code] === 1 : isIn(code)) };
}

export function unionOf(
  sets: readonly CharSet[],
  { isNegated, ignoresCase }: { readonly isNegated: boolean; readonly ignoresCase: boolean },
): CharSet {
  const ranges = sets.flatMap((set) => (set.isNegated ? complementOf(set.ranges) : set.ranges));
  return charSet(ignoresCase ? [...ranges, ...ranges.flatMap(otherCase)] : ranges, isNegated);
}

/** The one unit of a set of one unit; nothing for others. */
export function codes({ ranges, isNegated }: CharSet): number[] {
  const [range] = ranges;
  return ranges.length === 1 && !isNegated && range !== undefined && range[0] === range[1] ? [range[0]] : [];
}

const digit: CharSet['ranges'] = [[48, 57]];
const word: CharSet['ranges'] = [...digit, [65, 90], [95, 95], [97, 122]];
const space: CharSet['ranges'] = [
  [9, 13],
  [32, 32],
  [0xa0, 0xa0],
  [0x1680, 0x1680],
  [0x2000, 0x200a],
  [0x2028, 0x2029],
  [0x202f, 0x202f],
  [0x205f, 0x205f],
  [0x3000, 0x3000],
  [0xfeff, 0xfeff],
];

/** As in JavaScript's regular expressions. */
export const classEscapes: Readonly<Record<string, CharSet>> = {
  d: charSet(digit, false),
  D: charSet(digit, true),
  w: charSet(word, false),
  W: charSet(word, true),
  s: charSet(space, false),
  S: charSet(space, true),
  n: charSet([[10, 10]], false),
  r: charSet([[13, 13]], false),
  t: charSet([[9, 9]], false),
};

export function isWordCode(code: number): boolean {
  return classEscapes['w']?.has(code) === true;
}

const highest = 0xffff;

function complementOf(ranges: CharSet['ranges']): CharSet['ranges'] {
  const gaps: [number, number][] = [];
  let next = 0;
  for (const [from, to] of ranges.toSorted((a, b) => a[0] - b[0])) {
    if (from > next) gaps.push([next, from - 1]);
    next = Math.max(next, to + 1);
  }
  return next > highest ? gaps : [...gaps, [next, highest]];
}

/** The letters A to Z of a range as small ones, and the other way round. */
function otherCase([from, to]: readonly [number, number]): (readonly [number, number])[] {
  const shifted = (low: number, high: number, by: number): (readonly [number, number])[] => {
    const start = Math.max(from, low);
    const end = Math.min(to, high);
    return start > end ? [] : [[start + by, end + by]];
  };
  return [...shifted(65, 90, 32), ...shifted(97, 122, -32)];
}
