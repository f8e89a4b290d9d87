import { describe, expect, it } from 'vitest';
import type { DiskUse, NodeSample } from '../model/sample.ts';
import { hostConditions, processConditions } from './catalogue.ts';
import { judge } from './condition.ts';
import { type NodeReading, type RuleProcesses, unreadSample } from './reading.ts';
import { type ConditionSettings, defaultSettings, type ProcessRule, parseProcessMatch } from './settings.ts';

const GiB = 1024 ** 3;

function reading(sample: Partial<NodeSample>, rest: Partial<Omit<NodeReading, 'sample'>> = {}): NodeReading {
  const whole = { ...unreadSample('2026-01-01T00:00:00.000Z'), ...sample };
  return { sample: whole, unreadDisks: [], ruleProcesses: [], ...rest };
}

function judged(found: NodeReading, settings: ConditionSettings = defaultSettings) {
  return [...hostConditions, ...processConditions].flatMap((condition) =>
    condition.measure(found, settings).map((measurement) => {
      const state = judge({ measurement, previous: null, now: { wallMs: 0, monotonicMs: 0 } });
      return { type: condition.type, subject: measurement.subject, ...state };
    }),
  );
}

function one(type: string, found: NodeReading, settings?: ConditionSettings) {
  return judged(found, settings).find((state) => state.type === type);
}

function disk(mount: string, usedPercent: number, inodesPercent: number | null = 1): DiskUse {
  return {
    mount,
    device: '/dev/vda1',
    fstype: 'ext4',
    total_bytes: 100,
    used_bytes: usedPercent,
    available_bytes: 100 - usedPercent,
    used_percent: usedPercent,
    inodes_used_percent: inodesPercent,
  };
}

function rule(text: string, limits: Partial<ProcessRule>): ProcessRule {
  const match = parseProcessMatch(text);
  if (match === null) throw new Error(`no match in ${text}`);
  return { match, memoryPressureBytes: null, highCpuPercent: null, forMs: 0, ...limits };
}

describe('a node of which nothing is read', () => {
  it('is unknown in every host condition', () => {
    expect(judged(reading({})).map(({ type, status }) => [type, status])).toEqual([
      ['MemoryPressure', 'unknown'],
      ['HighLoad', 'unknown'],
      ['DiskPressure', 'unknown'],
      ['InodePressure', 'unknown'],
    ]);
  });
});

describe('MemoryPressure', () => {
  it('judges what is not available', () => {
    const found = one('MemoryPressure', reading({ memory_total_bytes: 1000, memory_available_bytes: 80 }));

    expect(found).toMatchObject({ status: 'true', value: 92, reason: 'memory 92% used (threshold 90%)' });
  });

  it('is well at exactly its threshold', () => {
    const at = reading({ memory_total_bytes: 1000, memory_available_bytes: 100 });

    expect(one('MemoryPressure', at)).toMatchObject({ status: 'false', reason: 'memory 90% used (threshold 90%)' });
  });

  it('says so many decimals that the reason is no riddle', () => {
    const barely = reading({ memory_total_bytes: 1000, memory_available_bytes: 97 });

    expect(one('MemoryPressure', barely)?.reason).toBe('memory 90.3% used (threshold 90%)');
  });
});

describe('HighLoad', () => {
  it('judges the load of one minute against a multiple of the CPUs', () => {
    expect(one('HighLoad', reading({ load1: 8.1, cpu_count: 4 }))).toMatchObject({
      status: 'true',
      value: 8.1,
      threshold: 8,
      reason: 'load 8.10 on 4 CPUs (threshold 8)',
    });
    expect(one('HighLoad', reading({ load1: 8, cpu_count: 4 }))?.status).toBe('false');
  });

  it('is unknown when the number of CPUs is', () => {
    expect(one('HighLoad', reading({ load1: 80 }))).toMatchObject({
      status: 'unknown',
      reason: 'cannot be read: number of CPUs',
    });
  });
});

describe('DiskPressure and InodePressure', () => {
  it('name every offending disk with its use', () => {
    const found = reading({ disks: [disk('/', 92), disk('/boot', 30, 99), disk('/data', 97)] });

    expect(one('DiskPressure', found)?.reason).toBe('/data 97% used, / 92% used (threshold 90%)');
    expect(one('InodePressure', found)?.reason).toBe('/boot 99% of inodes used (threshold 90%)');
  });

  it('are unknown while a disk does not answer, unless another is full', () => {
    const dead = { unreadDisks: ['/shared'] };

    expect(one('DiskPressure', reading({ disks: [disk('/', 20)] }, dead))).toMatchObject({
      status: 'unknown',
      reason: 'cannot be read: /shared',
    });
    expect(one('DiskPressure', reading({ disks: [disk('/', 95)] }, dead))?.status).toBe('true');
  });

  it('know that some file systems count no inodes', () => {
    expect(one('InodePressure', reading({ disks: [disk('/', 20, null)] }))).toMatchObject({
      status: 'false',
      value: null,
      reason: 'no mounted disk counts inodes',
    });
  });
});

describe('process conditions', () => {
  const settings: ConditionSettings = {
    ...defaultSettings,
    processRules: [rule('python3', { memoryPressureBytes: 4 * GiB, highCpuPercent: 150 })],
    self: { memoryPressureBytes: 100, highCpuPercent: 50, forMs: 0 },
  };
  const processes = (found: RuleProcesses['processes']): NodeReading =>
    reading({ self: { rss_bytes: 90, cpu_percent: 60 } }, { ruleProcesses: [{ match: 'python3', processes: found }] });

  it('judge each process of a rule on its own, and our own process', () => {
    const found = judged(
      processes([
        { pid: 7, name: 'python3', rssBytes: 5 * GiB, cpuPercent: 100 },
        { pid: 8, name: 'python3', rssBytes: 3 * GiB, cpuPercent: 180 },
      ]),
      settings,
    ).slice(4);

    expect(found.map(({ type, subject, status, reason }) => [type, subject, status, reason])).toEqual([
      ['ProcessMemoryPressure', 'self', 'false', 'own process 90 B (threshold 100 B)'],
      ['ProcessMemoryPressure', 'python3', 'true', 'python3 (pid 7) 5.0 GiB (threshold 4.0 GiB)'],
      ['ProcessHighCPU', 'self', 'true', 'own process 60% CPU (threshold 50%)'],
      ['ProcessHighCPU', 'python3', 'true', 'python3 (pid 8) 180% CPU (threshold 150%)'],
    ]);
  });

  it('are well when no process matches, and unknown when none could be read', () => {
    const absent = judged(processes([]), settings).filter(({ subject }) => subject === 'python3');
    const unread = judged(reading({}, { ruleProcesses: null }), settings).slice(4);

    expect(absent.map(({ status, reason }) => [status, reason])).toEqual([
      ['false', 'no process matches'],
      ['false', 'no process matches'],
    ]);
    expect(unread.map(({ status }) => status)).toEqual(['unknown', 'unknown', 'unknown', 'unknown']);
  });

  it('do not doubt a process for another that is seen for the first time', () => {
    const found = processes([
      { pid: 7, name: 'python3', rssBytes: 1, cpuPercent: 10 },
      { pid: 8, name: 'python3', rssBytes: 1, cpuPercent: null },
    ]);

    expect(judged(found, settings).at(-1)).toMatchObject({ type: 'ProcessHighCPU', status: 'false' });
  });

  it('are only there with a limit', () => {
    expect(judged(processes([]), defaultSettings).slice(4)).toEqual([]);
  });
});
