import {
  type Confidence,
  cause as causeOf,
  confidence as confidenceOf,
  type TaskEnding,
  type TaskIdentity,
  type TaskStatus,
} from '@runnerwatch/shared/model/task.ts';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { foldEnd, foldStart, type Outcome } from './lifecycle.ts';
import type { TaskRow } from './row.ts';

const told = { nodeId: 'n', receivedAt: new Date('2026-01-01T00:00:00.000Z') };

const identity: TaskIdentity = {
  id: 'x',
  task_id: '42',
  name: 'train',
  job: null,
  project: 'p',
  owner: null,
  source: 'systemd',
  unit: 'x.scope',
  container_id: null,
  command: null,
  started_at: null,
};

function ending(status: TaskStatus, confidence: Confidence): TaskEnding {
  return {
    status,
    exit_code: null,
    signal: null,
    ended_at: '2026-01-01T00:00:00.000Z',
    ended_at_approximate: false,
    duration_ms: null,
    cpu_ms: null,
    memory_peak_bytes: null,
    memory_limit_bytes: null,
    error_message: null,
    verdict: { cause: 'unknown', confidence, summary: `${status} ${confidence}`, evidence: [], advice: [] },
  };
}

interface Word {
  readonly status: TaskStatus;
  readonly confidence: Confidence;
  readonly logTail?: string[];
}

function end(stored: TaskRow | undefined, { status, confidence, logTail }: Word) {
  return foldEnd(stored, identity, { ...told, ending: ending(status, confidence), logTail: logTail ?? null });
}

/** `oom_limit proven 3`: cause, confidence and how many facts. */
function said(words: string): TaskEnding {
  const [cause = '', confidence = '', facts] = words.split(' ');
  const evidence = Array.from({ length: Number(facts) }, (_, index) => ({
    source: 'kernel',
    at: '2026-01-01T00:00:00.000Z',
    fact: `fact ${index}`,
  }));
  const end = ending('failed', confidenceOf.parse(confidence));
  return { ...end, verdict: { ...end.verdict, cause: causeOf.parse(cause), evidence } };
}

describe('the life of a stored task', () => {
  it('runs, then ends', () => {
    const running = foldStart(undefined, identity, told);
    const { row, outcome } = end(running, { status: 'failed', confidence: 'proven' });

    expect(running).toMatchObject({ id: 'x', status: 'running', endedAt: null, amendments: 0 });
    expect(row).toMatchObject({ status: 'failed', amendments: 0 });
    expect(outcome).toBe('stored');
  });

  it('stays ended when its start comes later, and learns from it', () => {
    const { row } = end(undefined, { status: 'completed', confidence: 'proven' });
    const later = foldStart(
      row,
      { ...identity, job: 'nightly', name: 'other name', started_at: '2025-12-31T00:00:00.000Z' },
      told,
    );

    expect(later).toMatchObject({
      status: 'completed',
      job: 'nightly',
      name: 'train',
      startedAt: new Date('2025-12-31T00:00:00.000Z'),
    });
  });

  it('keeps the log of the end before when the better end has none', () => {
    const first = end(undefined, { status: 'unknown', confidence: 'unknown', logTail: ['last words'] });
    const second = end(first.row, { status: 'failed', confidence: 'proven' });

    expect(second).toMatchObject({ outcome: 'amended', row: { logTail: ['last words'], amendments: 1 } });
  });

  it('runs again when its agent says so of a lost one', () => {
    const lost: TaskRow = { ...end(undefined, { status: 'lost', confidence: 'likely' }).row };
    const revived = foldStart(lost, identity, told);

    expect(revived).toMatchObject({ status: 'running', endedAt: null, verdict: null, amendments: 1 });
  });

  it('replaces a guess by any word of the agent, and an end by a better proven one only', () => {
    const rank = { unknown: 0, likely: 1, proven: 2 };
    const word = fc.record({
      status: fc.constantFrom<TaskStatus>('completed', 'failed', 'killed', 'unknown', 'lost'),
      confidence: fc.constantFrom<Confidence>('proven', 'likely', 'unknown'),
    });
    fc.assert(
      fc.property(word, word, (first, second) => {
        const { row } = end(undefined, first);
        const after = end(row, second);
        const isTruth = first.status === 'lost' && second.status !== 'lost';
        const expected = isTruth || rank[second.confidence] > rank[first.confidence];
        expect(after.outcome).toBe(expected ? 'amended' : 'kept');
        expect(after.row.status).toBe(expected ? second.status : first.status);
        expect(after.row.amendments).toBe(expected ? 1 : 0);
      }),
    );
  });

  it.each<[string, [string, string], Outcome]>([
    ['SIGKILL by unknown, then the OOM killer', ['signal proven 1', 'oom_limit proven 3'], 'amended'],
    ['an exit code, then a likely reason', ['exit_code proven 1', 'gpu_fault likely 2'], 'amended'],
    ['a likely reason, then the bare exit code', ['disk_full likely 3', 'exit_code proven 2'], 'kept'],
    ['a likely reason, then a proven one', ['oom_host likely 2', 'oom_limit proven 2'], 'amended'],
    ['a proven reason, then a likely other', ['oom_limit proven 2', 'disk_full likely 5'], 'kept'],
    ['another cause from no more evidence', ['stopped_by_user proven 2', 'timeout proven 2'], 'kept'],
    ['another cause from more evidence', ['stopped_by_user proven 2', 'stopped_by_system proven 3'], 'amended'],
    ['the same cause from more evidence', ['oom_limit proven 2', 'oom_limit proven 5'], 'kept'],
    ['a code, then a likely signal', ['exit_code proven 1', 'signal likely 3'], 'kept'],
  ])('judges a second end: %s', (_, [first, second], expected) => {
    const { row } = foldEnd(undefined, identity, { ...told, ending: said(first), logTail: null });

    const after = foldEnd(row, identity, { ...told, ending: said(second), logTail: null });

    expect(after.outcome).toBe(expected);
    expect(after.row.cause).toBe((expected === 'amended' ? second : first).split(' ')[0]);
    expect(foldEnd(after.row, identity, { ...told, ending: said(second), logTail: null }).outcome).toBe('kept');
  });

  it('comes to the same in whatever order and however often its start and its end are told', () => {
    fc.assert(
      fc.property(fc.array(fc.constantFrom('start', 'end'), { minLength: 1, maxLength: 8 }), (words) => {
        let row: TaskRow | undefined;
        for (const word of words)
          row =
            word === 'start'
              ? foldStart(row, identity, told)
              : end(row, { status: 'failed', confidence: 'proven' }).row;
        expect(row).toMatchObject({ status: words.includes('end') ? 'failed' : 'running', amendments: 0 });
      }),
    );
  });
});
