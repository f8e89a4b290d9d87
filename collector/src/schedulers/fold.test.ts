import type { Confidence, TaskStatus } from '@runnerwatch/shared/model/task.ts';
import { describe, expect, it } from 'vitest';
import { taskRecord } from '../tasks/record.ts';
import type { TaskRow } from '../tasks/row.ts';
import { foldWord, taskOfWord } from './fold.ts';
import type { SchedulerTask } from './scheduler.ts';

const now = new Date('2026-01-01T00:00:00.000Z');
const speaker = { name: 'cluster', type: 'kohakuriver' } as const;

const word = (status: string, more: Partial<SchedulerTask> = {}): SchedulerTask => ({
  taskId: '7123456789012345678',
  batchId: '9',
  name: 'fit',
  owner: 'ada',
  command: 'python train.py',
  nodeName: 'gpu-1',
  status,
  exitCode: null,
  message: null,
  hasStarted: true,
  ...more,
});

function stored(status: TaskStatus, more: Partial<TaskRow> & { confidence?: Confidence } = {}): TaskRow {
  const { confidence = 'proven', ...rest } = more;
  const hasEnded = status !== 'running';
  return {
    id: 'x',
    taskId: '7123456789012345678',
    nodeId: 'n1',
    name: 'kohakuriver-task-7123456789012345678',
    job: null,
    project: null,
    owner: null,
    source: 'docker',
    unit: null,
    containerId: 'c1',
    command: 'sh -c run',
    status,
    exitCode: null,
    signal: null,
    startedAt: now,
    endedAt: hasEnded ? now : null,
    endedAtApproximate: false,
    durationMs: null,
    cpuMs: null,
    memoryPeakBytes: null,
    memoryLimitBytes: null,
    errorMessage: null,
    verdict: hasEnded ? { cause: 'unknown', confidence, summary: '', evidence: [], advice: [] } : null,
    cause: hasEnded ? 'unknown' : null,
    scheduler: null,
    errorExcerpt: null,
    logTail: null,
    amendments: 0,
    receivedAt: now,
    ...rest,
  };
}

describe('the word of a scheduler beside what the node saw', () => {
  it.each<[string, [TaskRow, SchedulerTask], string | null]>([
    [
      'killed_oom of a task that was killed by someone',
      [stored('killed', { signal: 'SIGKILL' }), word('killed_oom', { exitCode: 137 })],
      'cluster said killed_oom (exit code 137); the node proved killed (SIGKILL)',
    ],
    [
      'killed_oom of a task that ended with the code 137',
      [stored('failed', { exitCode: 137 }), word('killed_oom', { exitCode: 137 })],
      'cluster said killed_oom (exit code 137); the node proved failed (exit code 137)',
    ],
    [
      'killed_oom of a task that the OOM killer took',
      [stored('killed_oom'), word('killed_oom', { exitCode: 137 })],
      null,
    ],
    [
      'failed of a task at its memory limit',
      [stored('killed_oom', { signal: 'SIGKILL' }), word('failed', { exitCode: 247 })],
      'cluster said failed (exit code 247); the node proved killed_oom (SIGKILL)',
    ],
    [
      'stopped of a task that outlived its runner',
      [stored('completed', { exitCode: 0 }), word('stopped')],
      'cluster said stopped; the node proved completed (exit code 0)',
    ],
    [
      'lost of a task whose node was only slow',
      [stored('completed', { exitCode: 0, confidence: 'likely' }), word('lost')],
      'cluster said lost; what the node saw says completed (exit code 0)',
    ],
    ['the same', [stored('failed', { exitCode: 3 }), word('failed', { exitCode: 3 })], null],
    ['running, while the node has not told', [stored('failed'), word('running')], null],
  ])('%s', (_, [row, told], note) => {
    const { row: folded, hasNewEnd } = foldWord(row, told, { speaker, now });

    expect(hasNewEnd).toBe(false);
    expect(folded).toMatchObject({ status: row.status, verdict: row.verdict, amendments: 0 });
    expect(taskRecord(folded, 'gpu-1').scheduler).toEqual({
      name: 'cluster',
      status: told.status,
      exit_code: told.exitCode,
      message: null,
      batch_id: '9',
      corrected: note !== null,
      note,
    });
  });

  it('fills in what the node does not know, and nothing that it does', () => {
    const { row } = foldWord(stored('running', { owner: 'kim', command: null }), word('running'), { speaker, now });

    expect(row).toMatchObject({ job: 'fit', owner: 'kim', command: 'python train.py', source: 'docker' });
  });

  it('changes nothing when it is said again', () => {
    const { row } = foldWord(stored('running'), word('running'), { speaker, now });

    expect(foldWord(row, word('running'), { speaker, now })).toMatchObject({ isChanged: false, isSettled: false });
  });

  it('never ends a task that runs on its node', () => {
    const { row, isSettled } = foldWord(stored('running'), word('lost'), { speaker, now });

    expect(row).toMatchObject({ status: 'running', scheduler: { status: 'lost' } });
    expect(isSettled).toBe(false);
  });

  it.each<[string, TaskRow]>([
    ['that nobody saw', stored('unknown', { confidence: 'unknown' })],
    ['of a node that fell silent', stored('lost', { confidence: 'likely' })],
  ])('stands in for an end %s', (_, row) => {
    const folded = foldWord(row, word('failed', { exitCode: 3 }), { speaker, now });

    expect(folded).toMatchObject({ hasNewEnd: true, isSettled: true });
    expect(folded.row).toMatchObject({
      status: 'failed',
      exitCode: 3,
      amendments: 1,
      source: 'docker',
      verdict: { cause: 'exit_code', confidence: 'likely', evidence: [{ source: 'kohakuriver' }] },
    });
  });
});

describe('a task of which only its scheduler speaks', () => {
  it.each<[SchedulerTask, object]>([
    [word('completed', { exitCode: 0 }), { status: 'completed', cause: 'success' }],
    [word('failed', { exitCode: 3 }), { status: 'failed', cause: 'exit_code', exitCode: 3 }],
    [
      word('failed', { hasStarted: false, message: 'Task assignment timed out' }),
      { status: 'failed', cause: 'start_failed', errorMessage: 'Task assignment timed out' },
    ],
    [word('killed'), { status: 'killed', cause: 'stopped_by_user' }],
    [word('killed', { message: 'Killed by runner: memory' }), { status: 'killed', cause: 'stopped_by_system' }],
    [word('lost', { message: 'Node gpu-1 went offline' }), { status: 'lost', cause: 'node_lost' }],
    [word('killed_oom'), { status: 'killed_oom', cause: 'oom_limit' }],
    [word('killed_oom', { exitCode: 137 }), { status: 'killed', cause: 'signal', exitCode: 137 }],
    [word('stopped', { message: 'assumed task stopped' }), { status: 'unknown', cause: 'unknown' }],
  ])('%o', (told, expected) => {
    const row = taskOfWord(told, { speaker, nodeId: 'n1', now });

    expect(row).toMatchObject({
      ...expected,
      source: 'kohakuriver',
      endedAtApproximate: true,
      owner: 'ada',
      job: 'fit',
    });
    expect(row.verdict?.confidence).toBe(row.status === 'unknown' ? 'unknown' : 'likely');
    expect(row.verdict?.evidence).toMatchObject([
      { source: 'kohakuriver', fact: expect.stringContaining(told.status) as string },
    ]);
    expect(taskRecord(row, 'gpu-1').scheduler).toMatchObject({ status: told.status, corrected: false });
  });

  it('is amended when its scheduler thinks again', () => {
    const lost = taskOfWord(word('lost'), { speaker, nodeId: 'n1', now });

    const folded = foldWord(lost, word('completed', { exitCode: 0 }), { speaker, now });

    expect(folded).toMatchObject({ hasNewEnd: true, row: { id: lost.id, status: 'completed', amendments: 1 } });
  });

  it('has the same id each time, and another one with another scheduler', () => {
    const idOf = (name: string) => taskOfWord(word('failed'), { speaker: { ...speaker, name }, nodeId: 'n1', now }).id;

    expect(idOf('a')).toBe(idOf('a'));
    expect(idOf('a')).not.toBe(idOf('b'));
  });
});
