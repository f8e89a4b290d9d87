import { expect, it } from 'vitest';
import { cloneGoneMs, judgeClone } from './agent-cloned.ts';

const now = Date.UTC(2026, 10, 22, 12);
const sight = { admitted: '10.0.0.7', refused: '10.0.0.9', seenAt: now };

it('F048 names both addresses of two agents that are alive with one identity', () => {
  const judgment = judgeClone({ sight, listeningSince: now }, now + 1);

  expect(judgment).toMatchObject({ status: 'true', severity: 'critical' });
  expect(judgment?.reason).toMatch(/10\.0\.0\.7.*10\.0\.0\.9/);
});

it('F048 is over when the second one has not knocked for ten minutes of listening, and not before', () => {
  expect(judgeClone({ sight, listeningSince: 0 }, now + cloneGoneMs)).toMatchObject({ status: 'true' });
  expect(judgeClone({ sight, listeningSince: 0 }, now + cloneGoneMs + 1)).toMatchObject({ status: 'false' });
  expect(judgeClone({ sight: null, listeningSince: now }, now + cloneGoneMs)).toBeNull();
  expect(judgeClone({ sight: null, listeningSince: now }, now + cloneGoneMs + 1)).toMatchObject({ status: 'false' });
});
