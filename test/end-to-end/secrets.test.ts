import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { calm, closed, holds, prepared, runCommand, type TaskItem, telling, toldOf } from '../support/end-to-end.ts';
import { HttpSink } from '../support/http-sink.ts';
import type { Installation } from '../support/product.ts';

/* Made of pieces, so that nobody takes a line of this file for a secret. */
const canaries = [
  `ghp_${'c4N4'.repeat(9)}`,
  `AKIA${'C4N4R7QW'.repeat(2)}`,
  `hf_${'cAnA'.repeat(9)}`,
  `sk-ant-api03-${'c4N4ry'.repeat(15)}`,
  'canary-password-1',
  'canary-password-2',
  `eyJhbGciOiJIUzI1NiJ9.eyJj${'Yw4N'.repeat(10)}.${'c4Na'.repeat(10)}`,
  `MIIEc4n4ry${'Ab3d'.repeat(13)}`,
  'CANARY-31337',
] as const;
const [github, aws, hub, claude, database, flag, jwt, keyBody, own] = canaries;

const script = [
  `echo "clone https://${github}@git.example/x"`,
  `echo "AWS_ACCESS_KEY_ID=${aws}" >&2`,
  String.raw`printf 'half \033[1m${hub.slice(0, 12)}\033[0m${hub.slice(12)}\n'`,
  `echo "key ${claude}"`,
  `echo "postgres://train:${database}@db/runs"`,
  `echo "Authorization: Bearer ${jwt}"`,
  `printf -- '-----BEGIN PRIVATE KEY-----\\n${keyBody}\\n-----END PRIVATE KEY-----\\n'`,
  `echo "joined as ${own}"`,
  'echo "Traceback (most recent call last):" >&2',
  `echo "ValueError: cannot log in with ${github}" >&2`,
  'exit 1',
].join('\n');

describe('secrets in what a task says and is called', () => {
  let sink: HttpSink;
  let installation: Installation;

  beforeAll(async () => {
    sink = await HttpSink.open();
    installation = await prepared();
    await installation.collector(telling(sink));
  });
  afterAll(async () => {
    await installation[Symbol.asyncDispose]();
    await sink[Symbol.asyncDispose]();
  });

  /** Every byte below the data directory: spool, inbox, ledger, state, and the database's own files. */
  function onDisk(): Buffer[] {
    return readdirSync(installation.dataDir, { recursive: true, withFileTypes: true })
      .filter((entry) => entry.isFile())
      .map((entry) => readFileSync(join(entry.parentPath, entry.name)));
  }

  it('F125 reach neither disk, nor database, nor API, nor webhook; what remains says what it was', async () => {
    const child = runCommand(installation, ['sh', '-c', `: --password ${flag}\n${script}`]);
    const passedOn: Buffer[] = [];
    child.stdout?.on('data', (chunk: Buffer) => passedOn.push(chunk));
    await closed(child);
    // The inbox, before any agent has seen it; the pattern of this node is known only to the agent.
    const left = canaries.filter((canary) => onDisk().some((bytes) => bytes.includes(canary)));
    const agent = installation.agent({ ...calm, redact: { patterns: [{ name: 'member', pattern: 'CANARY-[0-9]+' }] } });
    await holds(() => expect(toldOf(sink, 'task.ended').length).toBe(1));
    const { items } = await installation.get<{ items: TaskItem[] }>('/tasks');
    const detail = await installation.get<{ log_tail: string[]; error_excerpt: string[]; error_message: string }>(
      `/tasks/${items[0]?.id ?? ''}`,
    );
    const shown = await installation.cli(['tasks', 'show', items[0]?.id ?? '']);
    await agent.end();

    expect(Buffer.concat(passedOn).toString()).toContain(github);
    expect(left).toEqual([own]);
    const everywhere = [
      ...onDisk().map((bytes) => bytes.toString('latin1')),
      JSON.stringify(items),
      JSON.stringify(detail),
      JSON.stringify(sink.requests),
      shown.stdout,
      agent.output,
    ];
    expect(canaries.filter((canary) => everywhere.some((text) => text.includes(canary)))).toEqual([]);
    expect(detail.log_tail.filter((line) => !line.startsWith('stderr: '))).toEqual([
      'clone https://[redacted: github token]@git.example/x',
      'half [redacted: hugging face token]',
      'key [redacted: anthropic key]',
      'postgres://train:[redacted: url password]@db/runs',
      'Authorization: Bearer [redacted: json web token]',
      '[redacted: private key]',
      'joined as [redacted: member]',
    ]);
    expect(detail.error_message).toBe('ValueError: cannot log in with [redacted: github token]');
    expect(detail.error_excerpt.at(-1)).toBe(detail.error_message);
    expect(items[0]?.command).toContain('--password [redacted: password]');
    expect(shown.stdout).toContain('What it said');
  });
});
