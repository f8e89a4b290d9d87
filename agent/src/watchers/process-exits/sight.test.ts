import { expect, it } from 'vitest';
import { judgeSight } from './sight.ts';

const all = { hasEvents: true, pidfdExit: true, hasCgroups: true, connectorReason: 'EPERM' };

it.each([
  ['seeing', null, all],
  ['seeing', null, { ...all, pidfdExit: false }],
  ['degraded', 'no cgroup2 tree', { ...all, hasCgroups: false }],
  ['degraded', 'EPERM', { ...all, hasEvents: false }],
  ['blind', 'CAP_NET_ADMIN', { ...all, hasEvents: false, pidfdExit: false }],
])('is %s, because of %s', (state, reason, sight) => {
  const judged = judgeSight(sight);

  expect(judged.state).toBe(state);
  if (reason === null) expect(judged.reason).toBeNull();
  else expect(judged.reason).toContain(reason);
  expect(judged.unseen).toContain(sight.hasEvents ? 'no message' : 'EPERM');
});
