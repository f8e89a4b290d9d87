import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { TaskEnding, TaskStatus } from '@runnerwatch/shared/model/task.ts';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { pino } from 'pino';
import { expect, it } from 'vitest';
import * as z from 'zod/mini';
import { eventually } from '../../../test/support/eventually.ts';
import { HttpSink } from '../../../test/support/http-sink.ts';
import { temporaryFolderSync } from '../../../test/support/temporary-folder.ts';
import { hookConfig } from './config.ts';
import type { TaskEnded } from './document.ts';
import { Hooks } from './hooks.ts';

const at = Date.UTC(2026, 0, 1);

function ended(id: string, status: TaskStatus = 'failed', more: Partial<TaskEnding> = {}): TaskEnded {
  return {
    kind: 'task_ended',
    task: {
      id,
      task_id: id,
      name: 'train',
      job: 'fit',
      project: 'lm',
      owner: 'ada',
      source: 'systemd',
      unit: 'train.scope',
      container_id: null,
      command: null,
      started_at: null,
    },
    ending: {
      status,
      exit_code: 3,
      signal: null,
      ended_at: '2026-01-01T00:00:00.000Z',
      ended_at_approximate: false,
      duration_ms: 1,
      cpu_ms: 1,
      memory_peak_bytes: null,
      memory_limit_bytes: null,
      error_message: null,
      verdict: { cause: 'exit_code', confidence: 'proven', summary: 'exit code 3', evidence: [], advice: [] },
      ...more,
    },
    log_tail: ['last words'],
  };
}

/** Hooks as the agent has them, and what they log. */
function hooksOf(...hooks: object[]) {
  const logged: Record<string, unknown>[] = [];
  const opened = new Hooks({
    hooks: hooks.map((hook) => z.parse(hookConfig, hook)),
    node: { id: 'node-1', name: 'gpu-1', labels: { rack: 'r1' } },
    system: process,
    clock: systemClock,
    log: pino({}, { write: (line: string) => void logged.push(JSON.parse(line)) }),
  });
  return { hooks: opened, logged };
}

const shell = (script: string, ...args: string[]) => ['/bin/sh', '-c', script, 'sh', ...args];

function isAlive(pid: number): boolean {
  try {
    return !readFileSync(`/proc/${pid}/stat`, 'utf8').includes(') Z ');
  } catch {
    return false;
  }
}

it('gives a program the task on its standard input', async () => {
  const folder = temporaryFolderSync();
  const { hooks } = hooksOf({ exec: shell('cat > "$1/got.new" && mv "$1/got.new" "$1/got"', folder) });
  await using _ = hooks;

  hooks.take(ended('t1'), at);

  const got = await eventually(() => JSON.parse(readFileSync(join(folder, 'got'), 'utf8')) as object);
  expect(got).toMatchObject({
    version: 1,
    type: 'task.ended',
    at: '2026-01-01T00:00:00.000Z',
    node: { id: 'node-1', name: 'gpu-1', labels: { rack: 'r1' } },
    task: { id: 't1', owner: 'ada', status: 'failed', exit_code: 3, node: 'gpu-1', log_tail: ['last words'] },
  });
});

it('posts the task to an address', async () => {
  await using sink = await HttpSink.open();
  const { hooks } = hooksOf({ webhook: sink.url });
  await using _ = hooks;

  hooks.take(ended('t1'), at);

  await eventually(() => sink.requests.length === 1);
  expect(sink.bodies[0]).toMatchObject({ type: 'task.ended', task: { id: 't1', status: 'failed' } });
});

it.each<[string, TaskStatus, string[]]>([
  ['a failure', 'failed', ['end', 'fail']],
  ['an end that nobody saw', 'unknown', ['end', 'fail']],
  ['a timeout', 'timed_out', ['end', 'timeout']],
  ['a success', 'completed', ['end', 'success']],
])('tells %s to those who asked for it', async (_, status, expected) => {
  await using sink = await HttpSink.open();
  const every = ['end', 'success', 'fail', 'timeout'];
  const { hooks } = hooksOf(...every.map((event) => ({ events: [event], webhook: `${sink.url}/${event}` })));

  hooks.take(ended('t1', status), at);
  await hooks[Symbol.asyncDispose]();

  expect(sink.requests.map(({ path }) => path.split('/').at(-1)).toSorted()).toEqual(expected.toSorted());
});

it('tells the same end once, and again when it turns out to have been another', async () => {
  await using sink = await HttpSink.open();
  const { hooks } = hooksOf({ webhook: sink.url });

  hooks.take(ended('t1', 'unknown'), at);
  hooks.take(ended('t1', 'unknown'), at);
  hooks.take(ended('t1', 'failed'), at);
  await hooks[Symbol.asyncDispose]();

  expect(sink.bodies.map((body) => (body['task'] as { status: string }).status).toSorted()).toEqual([
    'failed',
    'unknown',
  ]);
});

it('ends a program that hangs with everything it has started, also what does not want to', async () => {
  const folder = temporaryFolderSync();
  const script = `trap '' TERM; sleep 600 & echo $! > "$1/child.new"; mv "$1/child.new" "$1/child"; wait; sleep 600`;
  const { hooks, logged } = hooksOf({ exec: shell(script, folder), timeout: '300ms' });
  await using _ = hooks;

  hooks.take(ended('t1'), at);

  await eventually(() => logged.length === 1);
  expect(logged).toMatchObject([{ msg: 'a hook failed', reason: 'it took longer than 300 ms', failed: 1 }]);
  const child = Number(readFileSync(join(folder, 'child'), 'utf8'));
  await eventually(() => !isAlive(child));
});

it('waits for nothing that a program leaves behind', async () => {
  const folder = temporaryFolderSync();
  const { hooks, logged } = hooksOf({
    exec: shell('sleep 600 & echo $! > "$1/child"; exit 0', folder),
    timeout: '30s',
  });

  hooks.take(ended('t1'), at);
  const before = performance.now();
  await hooks[Symbol.asyncDispose]();

  process.kill(Number(readFileSync(join(folder, 'child'), 'utf8')), 'SIGKILL');
  expect(performance.now() - before).toBeLessThan(2000);
  expect(logged).toEqual([]);
});

it('keeps only the beginning of what a program that floods complains about', async () => {
  const { hooks, logged } = hooksOf({ exec: shell('head -c 50000000 /dev/zero | tr "\\0" x >&2; exit 9') });
  await using _ = hooks;

  hooks.take(ended('t1'), at);

  await eventually(() => logged.length === 1);
  expect(String(logged[0]?.['reason']).length).toBeLessThan(350);
  expect(logged[0]?.['reason']).toMatch(/^it ended with exit code 9: xxx/);
});

it('lets at most four work at once, and passes over what a flood of ends leaves no room for', async () => {
  const folder = temporaryFolderSync();
  mkdirSync(join(folder, 'at-work'));
  const script = 'touch "$1/at-work/$$"; while [ ! -e "$1/go" ]; do sleep 0.05; done; rm "$1/at-work/$$"';
  const { hooks, logged } = hooksOf({ exec: shell(script, folder), timeout: '60s' });
  await using _ = hooks;
  const atWork = () => readdirSync(join(folder, 'at-work')).length;

  for (let n = 0; n < 1000; n += 1) hooks.take(ended(`t${n}`), at);

  await eventually(() => atWork() === 4);
  expect(hooks.counts).toEqual({ failed: 0, passedOver: 796 });
  expect(logged).toMatchObject([{ msg: 'more tasks end than hooks can be told of' }]);
  writeFileSync(join(folder, 'go'), '');
  await eventually(() => logged.length === 2, { timeoutMs: 60_000 });
  expect(logged[1]).toMatchObject({ msg: 'hooks are told of every end again', passed_over: 796 });
}, 90_000);

it('says that a hook fails once for each reason, counts every time, and says when it works again', async () => {
  let status = 500;
  await using sink = await HttpSink.open({ answer: () => ({ kind: 'status', status }) });
  const { hooks, logged } = hooksOf({ webhook: sink.url });
  await using _ = hooks;
  const tell = async (id: string) => {
    const before = sink.requests.length;
    hooks.take(ended(id), at);
    await eventually(() => sink.requests.length > before && hooks.isIdle);
  };

  await tell('t1');
  await tell('t2');
  status = 302;
  await tell('t3');
  status = 204;
  await tell('t4');

  expect(logged.map(({ msg, reason, failed }) => [msg, reason, failed])).toEqual([
    ['a hook failed', 'the answer is HTTP 500', 1],
    ['a hook failed', 'the answer is HTTP 302', 3],
    ['a hook works again', undefined, 3],
  ]);
});

it.each<[string, object, string]>([
  ['a program that is not there', { exec: ['/no/such/program'] }, 'it could not be started (ENOENT)'],
  ['a program that may not be run', { exec: ['/etc/passwd'] }, 'it could not be started (EACCES)'],
])('says what is wrong with %s', async (_, hook, reason) => {
  const { hooks, logged } = hooksOf(hook);
  await using _hooks = hooks;

  hooks.take(ended('t1'), at);

  await eventually(() => logged.length === 1);
  expect(logged).toMatchObject([{ reason }]);
});

it('says what is wrong with an address where nobody listens, without the address', async () => {
  const sink = await HttpSink.open();
  const { hooks, logged } = hooksOf({ webhook: `${sink.url}?token=canary` });
  await using _ = hooks;
  await sink[Symbol.asyncDispose]();

  hooks.take(ended('t1'), at);

  await eventually(() => logged.length === 1);
  expect(logged).toMatchObject([{ reason: 'no connection (ECONNREFUSED)' }]);
  expect(JSON.stringify(logged)).not.toContain('canary');
});

it('gives up on an address that does not answer in time', async () => {
  await using sink = await HttpSink.open({ answer: () => ({ kind: 'hang-before-headers' }) });
  const { hooks, logged } = hooksOf({ webhook: sink.url, timeout: '200ms' });
  await using _ = hooks;

  hooks.take(ended('t1'), at);

  await eventually(() => logged.length === 1);
  expect(logged).toMatchObject([{ reason: 'no answer within 200 ms' }]);
});

it('gives a program nothing of the environment but what it is meant to have', async () => {
  const folder = temporaryFolderSync();
  process.env['RUNNERWATCH_TOKEN'] = 'canary';
  const { hooks } = hooksOf({ exec: shell('env > "$1/env"', folder) });

  hooks.take(ended('t1'), at);
  await hooks[Symbol.asyncDispose]();
  delete process.env['RUNNERWATCH_TOKEN'];

  expect(readFileSync(join(folder, 'env'), 'utf8')).not.toContain('canary');
});

it('ends what is at work when the agent stops, within seconds', async () => {
  const { hooks, logged } = hooksOf({ exec: shell('sleep 600'), timeout: '10m' });

  hooks.take(ended('t1'), at);
  await hooks[Symbol.asyncDispose]();

  expect(logged).toMatchObject([{ msg: 'a hook failed', reason: 'the agent stopped' }]);
});

it.each<[string, object, string]>([
  ['neither program nor address', {}, 'expected either exec or webhook'],
  ['both', { exec: ['/bin/true'], webhook: 'http://a' }, 'expected either exec or webhook'],
  ['a program without its path', { exec: ['notify.sh'] }, 'expected the program by its absolute path'],
  ['an event that is none', { exec: ['/bin/true'], events: ['start'] }, 'expected one of end, success, fail, timeout'],
])('refuses a hook with %s', (_, hook, message) => {
  const result = z.safeParse(hookConfig, hook);

  expect(result.error?.issues[0]?.message).toContain(message);
});
