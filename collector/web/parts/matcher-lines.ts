/** What a silence or a subscription is about, as the API has it. */
export type Matchers = Readonly<Record<string, readonly string[]>>;

/** One line of the field: a key, and patterns with commas between them. */
export interface MatcherLine {
  readonly key: string;
  readonly patterns: string;
}

export function linesOf(matchers: Matchers): MatcherLine[] {
  return Object.entries(matchers).map(([key, patterns]) => ({ key, patterns: patterns.join(', ') }));
}

/** Lines that are not filled in yet count for nothing. */
export function matchersOf(lines: readonly MatcherLine[]): Matchers {
  const matchers: Record<string, string[]> = {};
  for (const { key, patterns } of lines) {
    const given = patterns
      .split(',')
      .map((pattern) => pattern.trim())
      .filter(Boolean);
    if (key.trim() !== '' && given.length > 0) matchers[key.trim()] = [...(matchers[key.trim()] ?? []), ...given];
  }
  return matchers;
}
