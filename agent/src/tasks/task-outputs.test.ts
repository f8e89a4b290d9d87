import { expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { identify } from './identify.ts';
import { openRun } from './run.ts';
import { TaskOutputs } from './task-outputs.ts';

const file = { isStderr: false, path: '/shared/task_outputs/7.out', dev: '1', ino: '2' };
const both = [file, { isStderr: true, path: '/shared/task_errors/7.err', dev: '1', ino: '3' }];

function run(source: 'systemd' | 'run' = 'systemd', unit = 'a.scope') {
  const identity = identify(
    {
      source,
      runKey: 'a',
      unit,
      containerId: null,
      containerName: null,
      image: null,
      labels: {},
      description: null,
      command: null,
      user: null,
      environment: {},
      startedAt: null,
      run: null,
    },
    { nodeId: 'n', rules: [] },
  );
  return openRun({ key: 'systemd:a', source, identity, handle: 'a.scope', startedAt: null });
}

function outputs(looks: readonly (readonly (typeof file)[])[], lines: readonly string[] | null = ['last']) {
  const clock = new ManualClock();
  const known: unknown[] = [];
  let asked = 0;
  const reading = {
    find: async () => looks[asked++] ?? [],
    named: async (taskId: string) => [{ ...file, path: taskId }],
    read: async (files: readonly (typeof file)[]) => lines && [...lines, ...files.map(({ path }) => path)],
  };
  return { clock, known, asked: () => asked, of: new TaskOutputs({ reading, clock, known: (one) => known.push(one) }) };
}

it('learns the files of a task, also of one that redirects its output a moment after its start', async () => {
  const { of, clock, known } = outputs([[], both]);
  const task = run();
  const begun = of.begin(task);
  await clock.advance(0);
  expect(task.outputs).toEqual([]);

  await clock.advance(100);
  await begun;

  expect(task.outputs).toEqual(both);
  expect(known).toEqual([task]);
});

it('looks again when it saw the first of two redirections', async () => {
  const { of, clock } = outputs([[file], both]);
  const task = run();
  const begun = of.begin(task);
  await clock.advance(0);
  expect(task.outputs).toEqual([file]);

  await clock.advance(100);
  await begun;

  expect(task.outputs).toEqual(both);
});

it('goes on looking at a task that takes its time, and gives up in the end', async () => {
  const late = outputs([[], [], [], [file]]);
  const never = outputs([]);
  const [one, other] = [run(), run()];
  const begun = [late.of.begin(one), never.of.begin(other)];
  for (let second = 0; second < 100; second += 1) {
    for (const { clock, of } of [late, never]) {
      await clock.advance(1000);
      of.tick();
    }
  }
  await Promise.all(begun);
  await never.clock.advance(0);

  expect([one.outputs, late.asked()]).toEqual([[file], 4]);
  expect([other.outputs, never.asked()]).toEqual([[], 5]);
});

it('does not look at what runs under `run`, whose output passes through it', async () => {
  const { of, asked } = outputs([both]);

  await of.begin(run('run'));

  expect(asked()).toBe(0);
});

it('reads the files once, when the task has ended, and says when that is done', async () => {
  const { of, clock } = outputs([both]);
  const task = run();
  await of.begin(task);
  let times = 0;
  const done = () => {
    times += 1;
  };

  expect([of.isReading(task, done), of.isReading(task, done), of.linesOf(task)]).toEqual([true, true, null]);
  await clock.advance(0);

  expect([of.isReading(task, done), of.linesOf(task), times]).toEqual([
    false,
    ['last', ...both.map(({ path }) => path)],
    1,
  ]);
});

it('reads the files that its scheduler is known to write when none was seen', async () => {
  const { of, clock } = outputs([]);
  const task = run('systemd', 'hakuriver-task-7.scope');

  expect(of.isReading(task, () => {})).toBe(true);
  await clock.advance(0);

  expect(of.linesOf(task)).toEqual(['last', '7']);
});

it('has nothing to read of a task that writes into no file, nor of files that are gone', async () => {
  const { of, clock } = outputs([both], null);
  const task = run();
  expect(of.isReading(task, () => {})).toBe(false);
  await of.begin(task);
  of.isReading(task, () => {});
  await clock.advance(0);

  expect(of.linesOf(task)).toBeNull();
});
