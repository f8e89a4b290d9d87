export const spans = ['24h', '7d', '30d'] as const;

/** What the address of the analytics says. */
export interface AnalyticsSearch {
  readonly since?: (typeof spans)[number];
}

export function analyticsSearch({ since }: Record<string, unknown>): AnalyticsSearch {
  const known = spans.find((one) => one === since);
  return known === undefined ? {} : { since: known };
}
