export const ranges = { '15m': 15 * 60_000, '1h': 3_600_000, '6h': 6 * 3_600_000, '24h': 24 * 3_600_000 } as const;
export type Range = keyof typeof ranges;

/** What the address of a node says: how far its charts look back. */
export interface NodeSearch {
  readonly range?: Range;
}

export function nodeSearch({ range }: Record<string, unknown>): NodeSearch {
  return typeof range === 'string' && range in ranges ? { range: range as Range } : {};
}
