import { describe, expect, it } from 'vitest';
import { judgeDelivery } from './delivery-failed.ts';

const well = { receiver: 'hook', hasGivenUp: false, failingSince: null, lastError: null };
const minute = 60_000;

describe('DeliveryFailed', () => {
  it('F105 holds from the first notification that is given up', () => {
    expect(judgeDelivery({ ...well, hasGivenUp: true, lastError: 'HTTP 410' }, 5)).toMatchObject({
      subject: 'hook',
      status: 'true',
      reason: 'notifications to hook were given up: HTTP 410',
    });
    expect(judgeDelivery(well, 5)).toMatchObject({ status: 'false', reason: 'hook takes notifications' });
  });

  it('holds of a receiver that has answered nothing for 15 minutes, not before', () => {
    const silent = { ...well, failingSince: 0, lastError: 'connection refused' };

    expect(judgeDelivery(silent, 15 * minute - 1).status).toBe('false');
    expect(judgeDelivery(silent, 15 * minute)).toMatchObject({
      status: 'true',
      reason: 'hook has taken nothing for 15 minutes: connection refused',
      since: 0,
    });
  });
});
