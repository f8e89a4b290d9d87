import { describe, expect, it } from 'vitest';
import type { TaskRow } from '../tasks/row.ts';
import { follow, type Ping, repeatMs } from './follow.ts';

const at = (ms: number) => new Date(Date.UTC(2026, 10, 22, 4) + ms);
const start = { kind: 'start' } as const;
const well = { kind: 'end', isFailure: false, exitCode: null } as const;
const code = (exitCode: number) => ({ kind: 'end', isFailure: exitCode !== 0, exitCode }) as const;

function told(stored: TaskRow | undefined, word: Ping['word'], more: Partial<Ping> & { atMs?: number } = {}) {
  const { atMs = 0, ...rest } = more;
  const ping = { job: { project: 'lm', name: 'backup' }, runId: null, owner: null, node: null, logTail: null };
  return follow(stored, { ...ping, word, ...rest }, { nodeId: 'n1', now: at(atMs) });
}

describe('what follows from a ping', () => {
  it('opens a run, which its end closes with code, time and evidence', () => {
    const opened = told(undefined, start);
    const { task, facts } = told(opened.task, code(3), { atMs: 90_000, logTail: ['copying', 'no space', ''] });

    expect(opened.task).toMatchObject({
      status: 'running',
      source: 'ping',
      project: 'lm',
      job: 'backup',
      nodeId: 'n1',
    });
    expect(opened.facts).toMatchObject([{ body: { kind: 'task_started' } }]);
    expect(task).toMatchObject({
      id: opened.task.id,
      status: 'failed',
      exitCode: 3,
      durationMs: 90_000,
      endedAtApproximate: false,
      errorMessage: 'no space',
      cause: 'exit_code',
      verdict: { confidence: 'likely', evidence: [{ source: 'ping', fact: 'told it failed with exit code 3' }] },
    });
    expect(facts).toMatchObject([{ body: { kind: 'task_ended', log_tail: ['copying', 'no space', ''] } }]);
  });

  it('stands for a run of which no start was told, whose time is not known', () => {
    const { task } = told(undefined, well);

    expect(task).toMatchObject({ status: 'completed', cause: 'success', startedAt: null, durationMs: null });
  });

  it('calls a code above 128 a code, and names what a shell means by it', () => {
    const { task } = told(undefined, code(137));

    expect(task).toMatchObject({ status: 'failed', exitCode: 137, signal: null });
    expect(task.verdict?.evidence[0]?.fact).toContain('signal 9');
  });

  it('says nothing twice of a run with an id, and keeps the first end', () => {
    const opened = told(undefined, start, { runId: 'r1' });
    const again = told(opened.task, start, { runId: 'r1', atMs: 3_600_000 });
    const ended = told(opened.task, well, { runId: 'r1', atMs: 3_600_000 });
    const late = told(ended.task, start, { runId: 'r1', atMs: 3_700_000 });
    const other = told(ended.task, code(1), { runId: 'r1', atMs: 3_700_000 });

    expect([again, late, other].map(({ facts, dead }) => [facts.length, dead])).toEqual([
      [0, null],
      [0, null],
      [0, null],
    ]);
    expect(other.task).toMatchObject({ taskId: 'r1', status: 'completed' });
    expect(told(undefined, start, { runId: 'r1' }).task.id).toBe(opened.task.id);
    expect(told(undefined, start, { runId: 'r2' }).task.id).not.toBe(opened.task.id);
  });

  it('takes a second start for a repeat at first, later for the death of the open run', () => {
    const opened = told(undefined, start);
    const repeat = told(opened.task, start, { atMs: repeatMs });
    const later = told(opened.task, start, { atMs: repeatMs + 1 });

    expect(repeat).toMatchObject({ facts: [], dead: null, task: { id: opened.task.id } });
    expect(later.dead).toMatchObject({ id: opened.task.id, status: 'unknown', cause: 'unknown', durationMs: null });
    expect(later.task).toMatchObject({ status: 'running', startedAt: at(repeatMs + 1) });
    expect(later.facts.map(({ body }) => body.kind)).toEqual(['task_ended', 'task_started']);
  });

  it('amends a run that was taken for lost with its node', () => {
    const opened = told(undefined, start);
    const lost: TaskRow = { ...opened.task, status: 'lost', cause: 'node_lost', endedAt: at(1000) };
    const { task, facts } = told(lost, well, { atMs: 2000 });

    expect(task).toMatchObject({ status: 'completed', amendments: 1 });
    expect(facts).toHaveLength(1);
  });
});
