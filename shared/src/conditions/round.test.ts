import { describe, expect, it } from 'vitest';
import { hostConditions, processConditions } from './catalogue.ts';
import { unreadSample } from './reading.ts';
import { type ConditionMemory, judgeRound } from './round.ts';
import { defaultSettings, percentLevel, ratioLevel } from './settings.ts';

function start() {
  let memory: ConditionMemory = new Map();
  return (seconds: number, usedPercent: number | null) => {
    const sample = {
      ...unreadSample('2026-01-01T00:00:00.000Z'),
      memory_total_bytes: 100_000,
      memory_available_bytes: usedPercent === null ? null : 100_000 - usedPercent * 1000,
    };
    const round = judgeRound({
      component: 'agent',
      conditions: hostConditions.slice(0, 1),
      reading: { sample, unreadDisks: [], ruleProcesses: null },
      settings: defaultSettings,
      memory,
      now: { wallMs: seconds * 1000, monotonicMs: seconds * 1000 },
    });
    memory = round.memory;
    return round.changed;
  };
}

describe('a round of judgments', () => {
  it('tells the first of each, also when all is well, and then only changes', () => {
    const judge = start();

    expect(judge(0, 20)).toEqual([
      {
        condition: 'MemoryPressure',
        component: 'agent',
        subject: '',
        status: 'false',
        severity: 'warning',
        reason: 'memory 20% used (threshold 90%)',
        value: 20,
        threshold: 90,
        since: '1970-01-01T00:00:00.000Z',
      },
    ]);
    expect(judge(1, 50)).toEqual([]);
    expect(judge(2, 92)).toMatchObject([{ status: 'true', since: '1970-01-01T00:00:02.000Z' }]);
    expect(judge(3, null)).toMatchObject([{ status: 'unknown', value: null }]);
    expect(judge(4, 20)).toMatchObject([{ status: 'false' }]);
  });

  it('tells the new reason of what fires at most once a minute, and a rise to critical at once', () => {
    const judge = start();
    judge(0, 91);

    expect(judge(1, 92)).toEqual([]);
    expect(judge(59, 93)).toEqual([]);
    expect(judge(60, 94)).toMatchObject([{ status: 'true', severity: 'warning', value: 94 }]);
    expect(judge(61, 97)).toMatchObject([{ status: 'true', severity: 'critical', value: 97 }]);
    expect(judge(62, 92)).toEqual([]);
  });

  it('judges a program that has no node below it by what it knows of itself', () => {
    const own = { rss_bytes: 2000, cpu_percent: null };
    const { changed } = judgeRound({
      component: 'collector',
      conditions: processConditions,
      reading: {
        sample: { ...unreadSample('2026-01-01T00:00:00.000Z'), self: own },
        unreadDisks: [],
        ruleProcesses: null,
      },
      settings: { ...defaultSettings, self: { memoryPressureBytes: 1000, highCpuPercent: 80, forMs: 0 } },
      memory: new Map(),
      now: { wallMs: 0, monotonicMs: 0 },
    });

    expect(changed.map(({ condition, component, status }) => [condition, component, status])).toEqual([
      ['ProcessMemoryPressure', 'collector', 'true'],
      ['ProcessHighCPU', 'collector', 'unknown'],
    ]);
  });
});

describe('levels', () => {
  it('clear a little below the threshold unless chosen', () => {
    expect(percentLevel({ threshold: 90 })).toEqual({ threshold: 90, clear: 85, forMs: 0 });
    expect(percentLevel({ threshold: 1 })).toEqual({ threshold: 1, clear: 0.5, forMs: 0 });
    expect(percentLevel({ threshold: 90, clear: 70, forMs: 5 })).toEqual({ threshold: 90, clear: 70, forMs: 5 });
    expect(ratioLevel({ threshold: 2 })).toEqual({ threshold: 2, clear: 1.8, forMs: 0 });
  });
});
