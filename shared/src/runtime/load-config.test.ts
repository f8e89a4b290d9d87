import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import * as z from 'zod/mini';
import { temporaryFolderSync } from '../../../test/support/temporary-folder.ts';
import * as field from './config-fields.ts';
import { ConfigFault, type ConfigSource, loadConfig } from './load-config.ts';

const schema = z.strictObject({
  listen: z._default(field.text, '127.0.0.1:4777'),
  heartbeat_timeout: z._default(field.duration, 30_000),
  token: z.optional(field.text),
  token_file: z.optional(field.path),
  hosts: z.optional(z.array(z.strictObject({ token: z.optional(field.text), token_file: z.optional(field.path) }))),
  notifications: z.prefault(
    z.strictObject({ enabled: z._default(field.boolean, true), renotify_interval: z._default(field.duration, 0) }),
    {},
  ),
  collector_urls: z._default(field.listOf(field.httpUrl), ['http://127.0.0.1:4777']),
  level: z.optional(z.enum(['low', 'high'])),
});

function load(content: string, more: Partial<ConfigSource> = {}) {
  const path = join(temporaryFolderSync(), 'collector.yaml');
  writeFileSync(path, content);
  return () => loadConfig(schema, { file: { path, required: true }, environment: {}, ...more });
}

describe('configuration', () => {
  it('takes a flag over the environment over the file over the default', () => {
    const environment = { RUNNERWATCH_LISTEN: 'env:1', RUNNERWATCH_NOTIFICATIONS_RENOTIFY_INTERVAL: '5m' };

    const config = load('listen: file:1\nheartbeat_timeout: 20s\n', { environment, flags: { listen: 'flag:1' } })();

    expect(config).toMatchObject({
      listen: 'flag:1',
      heartbeat_timeout: 20_000,
      notifications: { enabled: true, renotify_interval: 300_000 },
    });
    expect(Object.isFrozen(config.notifications)).toBe(true);
  });

  it('reads lists from the environment, by comma or as YAML', () => {
    const urls = ['http://a:1', 'http://b:2'];

    expect(
      load('', { environment: { RUNNERWATCH_COLLECTOR_URLS: 'http://a:1, http://b:2' } })().collector_urls,
    ).toEqual(urls);
    expect(
      load('', { environment: { RUNNERWATCH_COLLECTOR_URLS: '["http://a:1", "http://b:2"]' } })().collector_urls,
    ).toEqual(urls);
  });

  it.each([
    ['listn: x\n', /collector\.yaml:1:1: listn: unknown key/],
    ['listen: a\nnotifications:\n  renotify: 5m\n', /:3:3: notifications\.renotify: unknown key/],
    ['heartbeat_timeout: soon\n', /:1:1: heartbeat_timeout: expected a duration such as/],
    ['notifications:\n  enabled: perhaps\n', /:2:3: notifications\.enabled: expected true or false/],
    ['collector_urls: [http://ok:1, "ftp://x"]\n', /:1:31: collector_urls\.1: expected a URL such as/],
    ['notifications: 5\n', /:1:1: notifications: expected keys and values$/],
    ['hosts: {}\n', /:1:1: hosts: expected a list$/],
    ['level: loud\n', /:1:1: level: expected one of low, high$/],
    ['listen: "unclosed\n', /:\d+:\d+: not valid YAML/],
    ['- a\n- b\n', /expected keys and values/],
  ])('F086 names file, line, key and what was expected for %j', (content, sentence) => {
    expect(load(content)).toThrow(sentence);
  });

  it('F086 names the variable when the environment is wrong', () => {
    expect(load('', { environment: { RUNNERWATCH_HEARTBEAT_TIMEOUT: 'x' } })).toThrow(
      /^environment RUNNERWATCH_HEARTBEAT_TIMEOUT: heartbeat_timeout: expected a duration/,
    );
  });

  it('F086 names file and line also of what is wrong only beside other values, and of a secret that cannot be read', () => {
    const path = join(temporaryFolderSync(), 'collector.yaml');
    writeFileSync(path, '# ours\nheartbeat_timeout: 5s\nhosts:\n  - token_file: /nonexistent\n');
    const read = (environment: Record<string, string>, file: string | undefined) => () =>
      loadConfig(schema, { file: file ? { path: file, required: true } : undefined, environment }, () => {
        throw new ConfigFault('heartbeat_timeout', 'expected more');
      });

    expect(read({}, path)).toThrow(`${path}:4:5: hosts.0.token_file: cannot read /nonexistent (ENOENT)`);
    writeFileSync(path, '# ours\nheartbeat_timeout: 5s\n');
    expect(read({}, path)).toThrow(`${path}:2:1: heartbeat_timeout: expected more`);
    expect(read({ RUNNERWATCH_HEARTBEAT_TIMEOUT: '6s' }, path)).toThrow(
      'environment RUNNERWATCH_HEARTBEAT_TIMEOUT: heartbeat_timeout: expected more',
    );
    expect(read({}, undefined)).toThrow(/^configuration: heartbeat_timeout: expected more$/);
  });

  it('takes a section whose every line is commented out as not given', () => {
    expect(load('notifications:\n  # enabled: false\nlisten:\n')()).toMatchObject({
      listen: '127.0.0.1:4777',
      notifications: { enabled: true },
    });
  });

  it('says when a file that was named is not there', () => {
    expect(() =>
      loadConfig(schema, { file: { path: '/nonexistent/x.yaml', required: true }, environment: {} }),
    ).toThrow(/there is no such file; name another with --config/);
  });

  it('takes a secret of the environment over the file, whichever way each of them says it', () => {
    const file = join(temporaryFolderSync(), 'token');
    writeFileSync(file, 's3cret\n');

    expect(load(`token_file: ${file}\n`, { environment: { RUNNERWATCH_TOKEN: 'mine' } })().token).toBe('mine');
    expect(load('token: other\n', { environment: { RUNNERWATCH_TOKEN_FILE: file } })().token).toBe('s3cret');
    expect(load('', { environment: { RUNNERWATCH_TOKEN: 'mine', RUNNERWATCH_TOKEN_FILE: file } })).toThrow(
      /token: give either token or token_file/,
    );
  });

  it('reads a secret from its own file, and refuses both', () => {
    const file = join(temporaryFolderSync(), 'token');
    writeFileSync(file, 's3cret\n');

    expect(load(`token_file: ${file}\n`)().token).toBe('s3cret');
    expect(load(`token_file: ${file}\ntoken: other\n`)).toThrow(/token: give either token or token_file/);
    expect(load('token_file: /nonexistent/token\n')).toThrow(/token_file: cannot read \/nonexistent\/token \(ENOENT\)/);
    expect(load(`hosts: [{ token_file: ${file} }]\n`)().hosts?.[0]?.token).toBe('s3cret');
    expect(load('hosts: [{ token_file: /nonexistent }]\n')).toThrow(/hosts\.0\.token_file: cannot read/);
  });
});
