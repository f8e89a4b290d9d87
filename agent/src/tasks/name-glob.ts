/**
 * Matches a whole text against a glob and says what its stars took: `*` is any run of characters (the first stars take as
 * few as they can), all else is literal. The parts between the stars are looked for from left to right and never again,
 * so no pattern and no name can make it slow. Null: no match.
 */
export function takeByGlob(glob: string, text: string): string[] | null {
  const [head = '', ...rest] = glob.split('*');
  const tail = rest.pop();
  if (tail === undefined) return glob === text ? [] : null;
  const end = text.length - tail.length;
  if (!text.startsWith(head) || !text.endsWith(tail) || end < head.length) return null;
  const taken: string[] = [];
  let from = head.length;
  for (const part of rest) {
    const at = text.indexOf(part, from);
    if (at === -1 || at + part.length > end) return null;
    taken.push(text.slice(from, at));
    from = at + part.length;
  }
  return [...taken, text.slice(from, end)];
}

/** How many stars a glob has: how many texts it takes. */
export function countStars(glob: string): number {
  return glob.split('*').length - 1;
}
