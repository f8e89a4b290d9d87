import { describe, expect, it } from 'vitest';
import { saidOnce } from './said-once.ts';

const seenAt = '2026-11-22T04:00:09.000Z';
const told = {
  subscription: 's',
  receiver: 'pager',
  notified: true,
  reason: 'mirrored',
  detail: null,
  silence_id: null,
};
const word = (id: string, at: string, decisions = [] as (typeof told)[]) => ({ id, at, decisions });
const ids = (transitions: readonly { id: string }[]) => transitions.map(({ id }) => id).join('');

describe('the acknowledgement of an incident', () => {
  it('is told once, however many failed tasks it ends', () => {
    const transitions = [
      word('a', '2026-11-22T04:00:01.000Z'),
      word('b', seenAt),
      word('c', seenAt),
      word('d', seenAt),
    ];

    expect(ids(saidOnce(transitions, seenAt))).toBe('ab');
    expect(ids(saidOnce(transitions, null))).toBe('abcd');
  });

  it('is told with everyone who heard of it', () => {
    const transitions = [word('a', seenAt), word('b', seenAt, [told]), word('c', seenAt, [told])];

    expect(ids(saidOnce(transitions, seenAt))).toBe('bc');
  });
});
