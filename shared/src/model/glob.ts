/**
 * Whether the whole text fits a pattern in which `*` is any text and `?` one character. It never tries more than
 * text × pattern steps, whatever a person writes.
 */
export function matchesGlob(text: string, pattern: string): boolean {
  let textAt = 0;
  let patternAt = 0;
  let starAt = -1;
  let retryAt = 0;
  while (textAt < text.length) {
    if (pattern[patternAt] === '*') {
      starAt = patternAt;
      retryAt = textAt;
      patternAt += 1;
    } else if (pattern[patternAt] === '?' || pattern[patternAt] === text[textAt]) {
      textAt += 1;
      patternAt += 1;
    } else if (starAt !== -1) {
      // The last star takes one character more; earlier stars never need to.
      retryAt += 1;
      textAt = retryAt;
      patternAt = starAt + 1;
    } else {
      return false;
    }
  }
  while (pattern[patternAt] === '*') patternAt += 1;
  return patternAt === pattern.length;
}
