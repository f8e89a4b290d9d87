/** What a fact says of itself. Null or absent: it has no such attribute, and no matcher on it holds. */
export interface Attributes {
  readonly node?: string | null;
  readonly node_id?: string | null;
  readonly name?: string | null;
  readonly job?: string | null;
  readonly project?: string | null;
  readonly owner?: string | null;
  readonly source?: string | null;
  readonly status?: string | null;
  readonly cause?: string | null;
  readonly condition?: string | null;
  readonly severity?: string | null;
  readonly labels?: Readonly<Record<string, string>>;
}

/** The keys a matcher may have, beside `label.<name>`. */
export const matcherKeys = [
  'node',
  'name',
  'job',
  'project',
  'owner',
  'source',
  'status',
  'cause',
  'condition',
  'severity',
] as const;
export type MatcherKey = (typeof matcherKeys)[number] | `label.${string}`;

/** Holds when one of the patterns fits the attribute. */
export interface Matcher {
  readonly key: MatcherKey;
  readonly patterns: readonly string[];
}

/** What people are told of a key that is none. */
export const matcherExpected = `expected one of ${matcherKeys.join(', ')} or label.<name>`;

export function isMatcherKey(key: string): key is MatcherKey {
  return isLabelKey(key) || matcherKeys.some((one) => one === key);
}

/** Matchers as people write them: a key, and a pattern or several. Keys that are none are left out. */
export function matchersOf(written: Readonly<Record<string, string | readonly string[]>>): Matcher[] {
  return Object.entries(written)
    .filter((entry): entry is [MatcherKey, string | readonly string[]] => isMatcherKey(entry[0]))
    .map(([key, value]) => ({ key, patterns: typeof value === 'string' ? [value] : value }));
}

/** The first matcher that does not hold; null when all do. No matchers: everything fits. */
export function findMismatch(matchers: readonly Matcher[], attributes: Attributes): Matcher | null {
  return matchers.find((matcher) => !holds(matcher, attributes)) ?? null;
}

function holds({ key, patterns }: Matcher, attributes: Attributes): boolean {
  const values = valuesOf(key, attributes);
  return patterns.some((pattern) => values.some((value) => fits(pattern, value)));
}

function valuesOf(key: MatcherKey, attributes: Attributes): string[] {
  if (isLabelKey(key)) {
    const name = key.slice('label.'.length);
    const labels = attributes.labels ?? {};
    const value = Object.hasOwn(labels, name) ? labels[name] : undefined;
    return value === undefined ? [] : [value];
  }
  const values = key === 'node' ? [attributes.node, attributes.node_id] : [attributes[key]];
  return values.filter((value) => value !== undefined && value !== null);
}

export function isLabelKey(key: string): key is `label.${string}` {
  return key.startsWith('label.') && key.length > 'label.'.length;
}

/**
 * Whether a pattern fits all of a text: `*` is any run of characters, `?` any one, everything else itself.
 * Two positions and one place to fall back to: at most pattern × text steps, whatever the pattern.
 */
export function fits(pattern: string, text: string): boolean {
  let p = 0;
  let t = 0;
  let starAt = -1;
  let resumeAt = 0;
  while (t < text.length) {
    const want = pattern[p];
    if (want === '*') {
      starAt = p;
      p += 1;
      resumeAt = t;
    } else if (want !== undefined && (want === '?' || want === text[t])) {
      p += 1;
      t += 1;
    } else if (starAt >= 0) {
      p = starAt + 1;
      resumeAt += 1;
      t = resumeAt;
    } else {
      return false;
    }
  }
  while (pattern[p] === '*') p += 1;
  return p === pattern.length;
}
