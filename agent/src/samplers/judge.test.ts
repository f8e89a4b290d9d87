import { unreadSample } from '@runnerwatch/shared/conditions/reading.ts';
import { defaultSettings } from '@runnerwatch/shared/conditions/settings.ts';
import { expect, it } from 'vitest';
import { Judge } from './judge.ts';

it('tells every condition of the node at first, then what changed', () => {
  const judge = new Judge({ ...defaultSettings, self: { memoryPressureBytes: 10, highCpuPercent: null, forMs: 0 } });
  const reading = (load1: number) => ({
    sample: {
      ...unreadSample('2026-01-01T00:00:00.000Z'),
      load1,
      cpu_count: 2,
      self: { rss_bytes: 20, cpu_percent: 1 },
    },
    unreadDisks: [],
    ruleProcesses: [],
  });

  const first = judge.take(reading(1), { wallMs: 0, monotonicMs: 0 });
  const second = judge.take(reading(4.5), { wallMs: 1000, monotonicMs: 1000 });

  expect(first.map(({ condition, subject, status }) => [condition, subject, status])).toEqual([
    ['MemoryPressure', '', 'unknown'],
    ['HighLoad', '', 'false'],
    ['DiskPressure', '', 'unknown'],
    ['InodePressure', '', 'unknown'],
    ['ProcessMemoryPressure', 'self', 'true'],
  ]);
  expect(second).toMatchObject([
    { condition: 'HighLoad', component: 'agent', status: 'true', value: 4.5, threshold: 4 },
  ]);
  expect(judge.current()).toHaveLength(5);
});

it('ends what fired before its start and is judged no more, once', () => {
  const self = { memoryPressureBytes: 10, highCpuPercent: null, forMs: 0 };
  const reading = {
    sample: { ...unreadSample('2026-01-01T00:00:00.000Z'), self: { rss_bytes: 20, cpu_percent: 1 } },
    unreadDisks: [],
    ruleProcesses: [],
  };
  const before = new Judge({ ...defaultSettings, self });
  before.take(reading, { wallMs: 0, monotonicMs: 0 });
  const firing = before.firing();
  const after = new Judge(defaultSettings, firing);

  const [first, second] = [1000, 2000].map((ms) => after.take(reading, { wallMs: ms, monotonicMs: ms }));

  expect(firing).toMatchObject([{ condition: 'ProcessMemoryPressure', subject: 'self', status: 'true' }]);
  expect(first?.at(-1)).toMatchObject({
    condition: 'ProcessMemoryPressure',
    subject: 'self',
    status: 'false',
    reason: 'not judged any more: the configuration was changed',
    since: '1970-01-01T00:00:01.000Z',
  });
  expect(second).toEqual([]);
});
