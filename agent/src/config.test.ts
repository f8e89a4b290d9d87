import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { readAgentConfig, redactOf, warningSettings } from './config.ts';

const read = (environment: Record<string, string>) =>
  warningSettings(
    readAgentConfig({
      file: undefined,
      environment: Object.fromEntries(
        Object.entries(environment).map(([key, value]) => [`RUNNERWATCH_CONDITIONS_${key}`, value]),
      ),
    }),
  );

describe('the settings of early warnings', () => {
  it('clear at twice the time they warn within, unless chosen', () => {
    expect(read({}).memoryExhaustion).toEqual({ withinMs: 600_000, clearMs: 1_200_000, forMs: 30_000 });
    expect(read({ DISK_FULL_PREDICTED_WITHIN: '2h', DISK_FULL_PREDICTED_CLEAR: '3h' }).diskFull).toMatchObject({
      withinMs: 7_200_000,
      clearMs: 10_800_000,
    });
  });

  it('are off at 0, each by itself', () => {
    const off = read({
      MEMORY_EXHAUSTION_PREDICTED_WITHIN: '0',
      DISK_FULL_PREDICTED_WITHIN: '0',
      TASK_STALLED_FOR: '0',
      TASK_OVERRUN_THRESHOLD: '0',
    });

    expect(off).toMatchObject({ memoryExhaustion: null, diskFull: null, stalled: null, overrun: null });
  });

  it('are refused where a warning would end before it begins, naming the key', () => {
    expect(() => read({ MEMORY_EXHAUSTION_PREDICTED_CLEAR: '5m' })).toThrow(
      'conditions.memory_exhaustion_predicted_clear: expected at least memory_exhaustion_predicted_within',
    );
    expect(() => read({ TASK_OVERRUN_THRESHOLD: '100' })).toThrow('conditions.task_overrun_threshold');
  });

  it('take failed services for information, scopes for nothing, and mounts for warnings', () => {
    const { isTask, isWatched } = read({}).unitFailed;

    expect(
      ['api.service', 'ssh.service', 't1.scope', 'data.mount'].map((unit) => [isTask(unit), isWatched(unit)]),
    ).toEqual([
      [true, false],
      [false, false],
      [false, false],
      [false, true],
    ]);
  });
});

function configWithRedact(redact: object | undefined) {
  return readAgentConfig({ file: undefined, environment: {}, flags: { redact } });
}

describe('redact', () => {
  it('F125 is on when nothing is said, and off only when that is said', () => {
    expect(redactOf(configWithRedact(undefined))('password=hunter2')).toBe('password=[redacted: password]');
    expect(redactOf(configWithRedact({ patterns: [] }))('password=hunter2')).toBe('password=[redacted: password]');
    expect(redactOf(configWithRedact({ enabled: false }))('password=hunter2')).toBe('password=hunter2');
  });

  it('takes own patterns, with and without a name', () => {
    const redact = redactOf(
      configWithRedact({ patterns: ['CORP-[0-9]+', { name: 'patient', pattern: 'PAT-[0-9]+' }] }),
    );

    expect(redact('CORP-1 PAT-2')).toBe('[redacted: own pattern] [redacted: patient]');
  });

  it('F078 refuses at the start, by its place, a pattern that cannot be matched in linear time', () => {
    expect(() => configWithRedact({ patterns: ['ok', String.raw`(a+)\1`] })).toThrow(
      /redact\.patterns\.1: .*linear time/,
    );
    expect(() => configWithRedact({ patterns: [7] })).toThrow(
      /redact\.patterns.*expected a pattern, or a name and a pattern/,
    );
  });
});

it('F086 says in one sentence that the authorities to trust cannot be read', () => {
  const read = () => readAgentConfig({ file: undefined, environment: { RUNNERWATCH_CA_FILE: '/nonexistent/ca.pem' } });

  expect(read).toThrow('environment RUNNERWATCH_CA_FILE: ca_file: cannot read /nonexistent/ca.pem (ENOENT)');
});

it('F086 refuses a spool that holds nothing', () => {
  const read = () => readAgentConfig({ file: undefined, environment: { RUNNERWATCH_SPOOL_MAX_BYTES: '64KiB' } });

  expect(read).toThrow('environment RUNNERWATCH_SPOOL_MAX_BYTES: spool.max_bytes: expected at least 1MiB');
});

describe('fallback', () => {
  const readFallback = (environment: Record<string, string>) =>
    readAgentConfig({
      file: undefined,
      environment: Object.fromEntries(
        Object.entries(environment).map(([key, value]) => [`RUNNERWATCH_FALLBACK_${key}`, value]),
      ),
    }).fallback;

  it('is off by itself, waits a quarter of an hour, and takes its address and secret from files', () => {
    const folder = mkdtempSync(join(tmpdir(), 'fallback-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'url'), 'https://hooks.example.org/T0/canary\n');
    writeFileSync(join(folder, 'secret'), 'whsec_c2VjcmV0\n');

    expect(readFallback({})).toEqual({ after: 900_000 });
    expect(
      readFallback({ WEBHOOK_FILE: join(folder, 'url'), SECRET_FILE: join(folder, 'secret'), AFTER: '5m' }),
    ).toMatchObject({ webhook: 'https://hooks.example.org/T0/canary', secret: 'whsec_c2VjcmV0', after: 300_000 });
  });

  it('is refused without repeating what stands in a file', () => {
    const folder = mkdtempSync(join(tmpdir(), 'fallback-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    writeFileSync(join(folder, 'url'), 'hooks.example.org/canary');

    expect(() => readFallback({ WEBHOOK_FILE: join(folder, 'url') })).toThrow(
      /^(?!.*canary).*fallback\.webhook: expected a URL/,
    );
    expect(() => readFallback({ AFTER: '10ms' })).toThrow('fallback.after: expected at least 1s');
  });
});
