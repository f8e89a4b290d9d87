import type { Delivery } from './api-types.ts';

/* When to read again what the live stream does not tell: milliseconds for `refetchInterval`, false for never. */

const dayMs = 86_400_000;
/** While something is on its way. */
export const onTheWayMs = 2000;

/** When the first of these instants that is still to come is over. */
export function untilNext(instants: readonly (string | null)[], nowMs = Date.now()): number | false {
  const waits = instants.map((at) => Date.parse(at ?? '') - nowMs).filter((ms) => ms > 0);
  return waits.length > 0 && Math.min(dayMs, ...waits) + 500;
}

/** Soon, while one of them is on its way. */
export function whileOnTheWay(deliveries: readonly Pick<Delivery, 'state'>[]): number | false {
  return deliveries.some(({ state }) => state === 'pending') && onTheWayMs;
}
