import type { Delivery } from '../../data/api-types.ts';

/** What the address of the notifications says: which deliveries are shown. */
export interface NotificationsSearch {
  readonly state?: Delivery['state'];
}

export const deliveryStates = ['delivered', 'pending', 'dead', 'collapsed'] as const;

export function notificationsSearch({ state }: Record<string, unknown>): NotificationsSearch {
  const known = deliveryStates.find((one) => one === state);
  return known === undefined ? {} : { state: known };
}
