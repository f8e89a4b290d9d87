import fc from 'fast-check';
import { expect, it } from 'vitest';
import { parseTask } from './parse-task.ts';

const task = (more: object = {}) => JSON.stringify({ task_id: '1', status: 'running', ...more });

it('reads a task of either host', () => {
  const json = task({
    batch_id: '9',
    name: 'fit',
    owner_username: 'ada',
    command: 'python',
    arguments: ['train.py', '--epochs', '3'],
    assigned_node: 'gpu-1',
    status: 'FAILED',
    exit_code: 3,
    error_message: 'systemd-run failed with exit code 3',
    started_at: '2026-01-01T00:00:00',
  });

  expect(parseTask(json)).toEqual({
    taskId: '1',
    batchId: '9',
    name: 'fit',
    owner: 'ada',
    command: 'python train.py --epochs 3',
    nodeName: 'gpu-1',
    status: 'failed',
    exitCode: 3,
    message: 'systemd-run failed with exit code 3',
    hasStarted: true,
  });
});

it('keeps every digit of a snowflake', () => {
  const parsed = parseTask('{"task_id":7123456789012345679,"batch_id":7123456789012345681,"status":"running"}');

  expect(parsed).toMatchObject({ taskId: '7123456789012345679', batchId: '7123456789012345681' });
});

it('takes secrets out of the words it keeps', () => {
  const parsed = parseTask(
    task({
      command: 'train.sh',
      arguments: ['--password=hunter2hunter2'],
      error_message: 'AKIAIOSFODNN7EXAMPLE refused',
    }),
  );

  expect(JSON.stringify(parsed)).not.toMatch(/hunter2|AKIAIOSFODNN7EXAMPLE/);
  expect(parsed?.command).toContain('train.sh');
});

it('has no place for the environment', () => {
  const json = task({ env_vars: { API_KEY: 'canary' }, environment: { A: 'canary' }, required_gpus: ['canary'] });

  expect(JSON.stringify(parseTask(json))).not.toContain('canary');
});

it.each<[string, object, object]>([
  ['no exit code, which they write as -1', { exit_code: -1 }, { exitCode: null }],
  ['a kill by the runner, -9', { exit_code: -9 }, { exitCode: null }],
  ['the key of a VPS, which is no command', { task_type: 'vps', command: 'ssh-ed25519 AAAA' }, { command: null }],
  ['control characters', { name: 'a\u0000b\u001b[2J', error_message: '\ud800x' }, { name: 'ab[2J', message: 'x' }],
  ['nothing', { name: '', assigned_node: null }, { name: null, nodeName: null, hasStarted: false }],
  ['arguments that are none', { command: 'ls', arguments: 'x' }, { command: 'ls' }],
  ['a novel', { error_message: 'x'.repeat(9000) }, { message: `${'x'.repeat(2000)}…` }],
])('reads %s', (_, more, expected) => {
  expect(parseTask(task(more))).toMatchObject(expected);
});

it('takes nothing for a task that is none', () => {
  for (const json of ['{}', '{"task_id":"1"}', '[]', '{"task_id":null,"status":"x"}', '{"task_id":', 'x'])
    expect(parseTask(json)).toBeNull();
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(() => parseTask(text)).not.toThrow();
    }),
  );
});
