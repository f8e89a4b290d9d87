import { expect, it } from 'vitest';
import { Ghosts, type Presence } from './ghosts.ts';

const absent = (endedAt: number | null = null): Presence => ({
  kind: 'absent',
  nodeId: 'n1',
  nodeName: 'gpu-1',
  endedAt,
});
const present: Presence = { kind: 'present' };
const unseen: Presence = { kind: 'unseen' };

/** Looks at the given seconds, everything told being written down. */
function watch(looks: readonly [second: number, presence: Presence | null][], ghosts = new Ghosts('river')) {
  return looks.flatMap(([second, presence]) => {
    const running = new Map(presence === null ? [] : [['7', presence]]);
    const reports = ghosts.judge(running, second * 1000);
    for (const report of reports) ghosts.told(report);
    return reports.map(({ report }) => `${second}: ${report.status}`);
  });
}

it.each<[string, [number, Presence | null][], string[]]>([
  [
    'a task that never was there',
    [
      [0, absent()],
      [4, absent()],
      [6, absent()],
      [9, absent()],
    ],
    ['6: true'],
  ],
  [
    'a task that ended while nobody looked',
    [
      [5, absent(1000)],
      [7, absent(1000)],
    ],
    ['7: true'],
  ],
  ['only one look, however late', [[20, absent(1000)]], []],
  [
    'a scheduler that is a little slow',
    [
      [0, absent()],
      [4, null],
    ],
    [],
  ],
  [
    'a task that takes a moment to start',
    [
      [0, absent()],
      [4, present],
      [20, present],
    ],
    [],
  ],
  [
    'a suspicion that begins anew',
    [
      [0, absent()],
      [4, present],
      [6, absent()],
      [10, absent()],
    ],
    [],
  ],
  [
    'the scheduler gives in',
    [
      [0, absent()],
      [6, absent()],
      [9, null],
      [12, null],
    ],
    ['6: true', '9: false'],
  ],
  [
    'the task comes back',
    [
      [0, absent()],
      [6, absent()],
      [9, present],
    ],
    ['6: true', '9: false'],
  ],
  [
    'a node that goes blind keeps what was said',
    [
      [0, absent()],
      [6, absent()],
      [9, unseen],
      [12, unseen],
    ],
    ['6: true'],
  ],
  [
    'a node that nobody sees',
    [
      [0, unseen],
      [60, unseen],
    ],
    [],
  ],
])('judges %s', (_, looks, expected) => {
  expect(watch(looks)).toEqual(expected);
});

it('says it again until it is written down', () => {
  const ghosts = new Ghosts('river');
  const look = (at: number) => ghosts.judge(new Map([['7', absent()]]), at);

  look(0);

  expect([look(6000).length, look(7000).length]).toEqual([1, 1]);
});

it('ends what fired before a restart', () => {
  const ghosts = new Ghosts('river');
  ghosts.restore('7', 'n1');

  expect(
    watch(
      [
        [0, absent()],
        [1, null],
      ],
      ghosts,
    ),
  ).toEqual(['1: false']);
});

it('looks again soon while something is suspected, and just in time', () => {
  const ghosts = new Ghosts('river');
  expect(ghosts.nextLookMs(0)).toBeNull();

  ghosts.judge(new Map([['7', absent()]]), 0);

  expect(ghosts.nextLookMs(0)).toBe(5001);
  expect(ghosts.nextLookMs(4900)).toBe(1000);
});
