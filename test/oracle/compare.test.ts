import { describe, expect, it } from 'vitest';
import { type Account, compare, type StoredTask, type Told, type Truth, tableOf } from './compare.ts';
import { kinds } from './kinds.ts';

function kind(name: string) {
  const found = kinds.find((one) => one.name === name);
  if (found === undefined) throw new Error(`no kind ${name}`);
  return found;
}

const truth: Truth = { name: 'a', kind: kind('scope-3'), endedAt: 1000, isOnlyLookedAt: false };
const right: StoredTask = {
  id: '1',
  name: 'a',
  status: 'failed',
  exit_code: 3,
  signal: null,
  verdict: { cause: 'exit_code', confidence: 'proven', summary: 'Failed with exit 3.' },
};
const unseen: StoredTask = {
  ...right,
  status: 'unknown',
  exit_code: null,
  verdict: { cause: 'unknown', confidence: 'unknown', summary: 'Ended: it ended while the agent was not running.' },
};
const told: Told = { id: 'n1', type: 'task.ended', taskId: '1', status: 'failed' };
const end = { taskId: '1', status: 'failed', confidence: 'proven' } as const;
const blind = [{ from: 500, to: 1500 }];

function found(change: Partial<Account>) {
  const account = {
    truths: [truth],
    tasks: [right],
    ends: [end],
    told: [told],
    blind: [],
    gaps: [],
    engineRestarts: [],
    ...change,
  };
  const { findings, explained } = compare(account);
  return { faults: findings.map(({ fault }) => fault), explained };
}

describe('the comparison of what happened with what was stored and told', () => {
  it('finds nothing when all is told as it was, once', () => {
    expect(found({})).toEqual({ faults: [], explained: [] });
  });

  it('misses what was not stored, and what never ended', () => {
    expect(found({ tasks: [] }).faults).toEqual(['missing']);
    expect(found({ tasks: [{ ...right, status: 'running' }] }).faults).toEqual(['missing']);
  });

  it('accepts that a container was likely told to stop where its engine came back, and nothing else', () => {
    const box = { truths: [{ ...truth, kind: kind('box-ok') }], engineRestarts: blind };
    const stopped = (confidence: 'likely' | 'proven'): Partial<Account> => ({
      tasks: [
        {
          ...right,
          status: 'completed',
          exit_code: 0,
          verdict: { cause: 'stopped_by_user', confidence, summary: 'It was told to stop.' },
        },
      ],
      told: [{ ...told, status: 'completed' }],
    });

    expect(found({ ...box, ...stopped('likely') }).faults).toEqual([]);
    expect(found({ ...box, ...stopped('proven') }).faults).toEqual(['wrong']);
    expect(found({ ...box, ...stopped('likely'), engineRestarts: [] }).faults).toEqual(['wrong']);
  });

  it('accepts a container as unknown only where its engine was killed, and with the reason', () => {
    const box = { truths: [{ ...truth, kind: kind('box-7') }], told: [{ ...told, status: 'unknown' as const }] };
    const because = (summary: string) => [
      { ...unseen, verdict: { cause: 'unknown', confidence: 'unknown', summary } as const },
    ];
    const tasks = because('Ended, and nobody could see how: its engine had removed it.');

    expect(found({ ...box, tasks, engineRestarts: blind })).toEqual({ faults: [], explained: ['a'] });
    expect(found({ ...box, tasks }).faults).toEqual(['unexplained']);
    expect(found({ ...box, tasks: because('Ended.'), engineRestarts: blind }).faults).toEqual(['unexplained']);
  });

  it('accepts that a container is not there within a gap that was told of its engine', () => {
    const box = { truths: [{ ...truth, kind: kind('box-7') }], tasks: [] };
    const gap = { source: 'docker', from: 500, to: 1500 };

    expect(found({ ...box, gaps: [gap] })).toEqual({ faults: [], explained: ['a'] });
    expect(found({ ...box, gaps: [{ ...gap, to: 900 }] }).faults).toEqual(['missing']);
    expect(found({ ...box, gaps: [{ ...gap, source: 'podman' }] }).faults).toEqual(['missing']);
    expect(found({ tasks: [], gaps: [gap] }).faults).toEqual(['missing']);
  });

  it('sees two tasks of one end, and an end stored again', () => {
    expect(found({ tasks: [right, { ...right, id: '2' }] }).faults).toEqual(['doubled']);
    expect(found({ ends: [end, end] }).faults).toEqual(['doubled']);
  });

  it('takes an end that proves an earlier one for no repetition', () => {
    expect(found({ ends: [{ ...end, status: 'unknown', confidence: 'unknown' }, end] }).faults).toEqual([]);
  });

  it.each<Partial<StoredTask>>([
    { status: 'completed' },
    { status: 'lost' },
    { exit_code: 4 },
    { exit_code: null },
    { signal: 'SIGKILL' },
    { verdict: { cause: 'signal', confidence: 'proven', summary: '' } },
    { verdict: null },
  ])('calls %o wrong', (change) => {
    expect(
      found({ tasks: [{ ...right, ...change }], told: [{ ...told, status: change.status ?? 'failed' }] }).faults,
    ).toEqual(['wrong']);
  });

  it('accepts unknown of a scope that ended while nobody could see, when the verdict says so', () => {
    const toldUnknown = { told: [{ ...told, status: 'unknown' as const }], tasks: [unseen] };

    expect(found({ ...toldUnknown, blind })).toEqual({ faults: [], explained: ['a'] });
    expect(found({ ...toldUnknown, truths: [{ ...truth, isOnlyLookedAt: true }] }).explained).toEqual(['a']);
    expect(found(toldUnknown).faults).toEqual(['unexplained']);
    const silent = { ...unseen, verdict: { cause: 'unknown', confidence: 'unknown', summary: 'not seen' } as const };
    expect(found({ ...toldUnknown, tasks: [silent], blind }).faults).toEqual(['unexplained']);
    expect(found({ ...toldUnknown, blind, truths: [{ ...truth, kind: kind('service-7') }] }).faults).toEqual([
      'unexplained',
    ]);
  });

  it('lets a stopped unit keep its signal to itself only while nobody could see', () => {
    const stopped: Truth = { ...truth, kind: kind('scope-stop') };
    const task: StoredTask = {
      ...right,
      status: 'killed',
      exit_code: null,
      verdict: { cause: 'stopped_by_user', confidence: 'likely', summary: '' },
    };
    const account = { truths: [stopped], tasks: [task], told: [{ ...told, status: 'killed' as const }] };

    expect(found({ ...account, blind }).faults).toEqual([]);
    expect(found(account).faults).toEqual(['wrong']);
  });

  it('wants one notification of the end, and the last one to say what is stored', () => {
    expect(found({ told: [] }).faults).toEqual(['untold']);
    expect(found({ told: [told, { ...told, id: 'n2' }] }).faults).toEqual(['told twice']);
    const lost: Told = { ...told, status: 'lost' };
    expect(found({ told: [lost] }).faults).toEqual(['untold']);
    const amended: Told = { ...told, id: 'n2', type: 'task.amended' };
    expect(found({ told: [lost, amended] }).faults).toEqual([]);
    expect(found({ told: [amended] }).faults).toEqual([]);
  });

  it('sums up in a table', () => {
    const account = { truths: [truth], tasks: [], ends: [], told: [], blind: [], gaps: [], engineRestarts: [] };

    const lines = tableOf(account, compare(account)).split('\n');

    expect(lines.map((line) => line.trim().split(/\s{2,}/))).toEqual([
      ['kind', 'ends', 'unseen, said why', 'missing', 'doubled', 'wrong', 'unexplained', 'untold', 'told twice'],
      ['scope-3', '1', '0', '1', '0', '0', '0', '0', '0'],
      ['all', '1', '0', '1', '0', '0', '0', '0', '0'],
    ]);
  });
});
