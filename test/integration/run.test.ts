import { execFileSync, type SpawnOptions, spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import {
  chmodSync,
  closeSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { build } from 'esbuild';
import { pino } from 'pino';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { readPidStat } from '../../agent/src/proc/pid-stat.ts';
import { announceAgent } from '../../agent/src/run/rendezvous.ts';
import { factFile } from '../../agent/src/watchers/inbox/fact-file.ts';
import { createInboxWatcher, type InboxWatcher } from '../../agent/src/watchers/inbox.ts';
import { createProcessExitsWatcher, type ProcessExitsWatcher } from '../../agent/src/watchers/process-exits.ts';
import type { RunEnded, RunStarted, Sighting } from '../../agent/src/watchers/watcher.ts';
import { eventually } from '../support/eventually.ts';
import { haveRoot, haveTool, isRoot } from '../support/tool.ts';

const log = pino({ level: 'silent' });
let built: string;
let bundle: string;
let dataDir: string;

beforeAll(async () => {
  built = mkdtempSync(join(tmpdir(), 'run-test-'));
  chmodSync(built, 0o755);
  bundle = join(built, 'run.cjs');
  const entry = join(import.meta.dirname, '../../agent/src/run/main.ts');
  await build({
    entryPoints: [entry],
    bundle: true,
    platform: 'node',
    format: 'cjs',
    target: 'node20',
    outfile: bundle,
    logLevel: 'error',
  });
});
afterAll(() => rmSync(built, { recursive: true, force: true }));
beforeEach(() => {
  dataDir = mkdtempSync(join(built, 'data-'));
});

/** Starts `runnerwatch run` and gathers what it says. */
function start(words: readonly string[], options: SpawnOptions = {}, under: readonly string[] = []) {
  const env = { ...process.env, RUNNERWATCH_DATA_DIR: dataDir, ...options.env };
  const [command = process.execPath, ...rest] = [...under, process.execPath, bundle, ...words];
  const child = spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'], ...options, env });
  const out: Buffer[] = [];
  const err: Buffer[] = [];
  child.stdout?.on('data', (chunk: Buffer) => out.push(chunk));
  child.stderr?.on('data', (chunk: Buffer) => err.push(chunk));
  const ended = once(child, 'close').then(([code]) => ({
    code: code as number | null,
    out: Buffer.concat(out),
    err: Buffer.concat(err).toString(),
  }));
  return { child, ended, out: () => Buffer.concat(out).toString() };
}

const run = (words: readonly string[], options?: SpawnOptions) => start(words, options).ended;

/** As another user where nobody else's agent is: one of another test, or of this machine, would get what is to be recorded. */
function runAlone(words: readonly string[], { uid, env }: { uid: number; env: Record<string, string> }) {
  if (!isRoot) return run(words, { env });
  const script = 'mount -t tmpfs none /run && exec setpriv --reuid "$0" --regid "$0" --clear-groups "$@"';
  return start(words, { env }, ['unshare', '--mount', 'sh', '-c', script, String(uid)]).ended;
}

/** The kernel throws SIGTSTP away in a process group that no job-control shell looks after (setpgid(2), "orphaned"), as CI's may be. */
async function stopsAtTstp(): Promise<boolean> {
  const sleeper = spawn('sleep', ['60'], { stdio: 'ignore' });
  await once(sleeper, 'spawn');
  sleeper.kill('SIGTSTP');
  const state = await eventually(() => {
    const now = readPidStat('/', sleeper.pid ?? 0)?.state;
    return now === 'T' || now === 'S' ? now : undefined;
  });
  sleeper.kill('SIGKILL');
  return state === 'T';
}

function facts(kind: 'begin' | 'end', directory = dataDir) {
  const inbox = join(directory, 'agent/inbox');
  const names = existsSync(inbox) ? readdirSync(inbox).filter((name) => name.endsWith(`.${kind}.json`)) : [];
  return names.map((name) => factFile.parse(JSON.parse(readFileSync(join(inbox, name), 'utf8'))));
}

const endOf = () => facts('end')[0]?.ended;

describe('runnerwatch run', () => {
  it.each([0, 1, 3, 137, 255])('leaves with the command’s own exit code %i', async (code) => {
    const { code: own } = await run([
      '--job',
      'j',
      '--project',
      'p',
      '--owner',
      'o',
      '--name',
      'n',
      '--',
      'sh',
      '-c',
      `exit ${code}`,
    ]);

    expect(own).toBe(code);
    expect(endOf()).toMatchObject({ wait_status: code << 8, timed_out: false, start_error: null });
    expect(facts('begin')[0]?.begun).toMatchObject({
      job: 'j',
      project: 'p',
      owner: 'o',
      name: 'n',
      command: `sh -c 'exit ${code}'`,
    });
  });

  it.each([
    ['KILL', 9],
    ['TERM', 15],
    ['SEGV', 11],
  ])('leaves with 128 + n when SIG%s ended the command, and keeps the signal as a signal', async (name, signal) => {
    const { code } = await run(['--', 'sh', '-c', `kill -${name} $$`]);

    expect(code).toBe(128 + signal);
    expect((endOf()?.wait_status ?? 0) & 0x7f).toBe(signal);
  });

  it('leaves with 127 for a command that is not found, 126 for one that cannot be executed, and says so', async () => {
    writeFileSync(join(dataDir, 'plain'), 'text', { mode: 0o644 });

    const missing = await run(['--', '/nowhere/at-all']);
    expect(missing).toMatchObject({ code: 127, err: 'runnerwatch run: /nowhere/at-all: not found\n' });
    expect(endOf()).toMatchObject({ wait_status: null, start_error: '/nowhere/at-all: not found' });
    expect((await run(['--', join(dataDir, 'plain')])).code).toBe(126);
  });

  it('leaves with 125 for wrong options, and shows its help', async () => {
    expect(await run(['--timeout', 'soon', '--', 'true'])).toMatchObject({
      code: 125,
      err: expect.stringContaining('--timeout'),
    });
    expect((await run(['--help'])).out.toString()).toContain('Usage: runnerwatch run');
  });

  it('passes 100,000 lines on, in order, and keeps the last 100', async () => {
    const { out } = await run(['--', 'seq', '100000']);

    expect(createHash('sha256').update(out).digest('hex')).toBe(
      createHash('sha256')
        .update(execFileSync('seq', ['100000'], { maxBuffer: 1e7 }))
        .digest('hex'),
    );
    expect(endOf()?.log_tail).toEqual(Array.from({ length: 100 }, (_, index) => String(99_901 + index)));
  });

  it('passes binary bytes and a line of 1 MiB on untouched', async () => {
    const bytes = Buffer.from(Array.from({ length: 256 * 1024 }, (_, index) => (index * 7919) % 256));
    writeFileSync(
      join(dataDir, 'bytes'),
      Buffer.concat([bytes, Buffer.alloc(1024 * 1024, 'x'), Buffer.from('\nend\n')]),
    );

    const { out } = await run(['--', 'cat', join(dataDir, 'bytes')]);

    expect(out.equals(readFileSync(join(dataDir, 'bytes')))).toBe(true);
    expect(endOf()?.log_tail?.at(-1)).toBe('end');
    expect(
      statSync(
        join(
          dataDir,
          'agent/inbox',
          readdirSync(join(dataDir, 'agent/inbox')).find((name) => name.includes('end')) ?? '',
        ),
      ).size,
    ).toBeLessThan(256 * 1024);
  });

  it('marks lines of standard error, and lets the command open /dev/stderr by name', async () => {
    const { out, err } = await run([
      '--',
      'sh',
      '-c',
      'echo one; sleep 0.05; echo two > /dev/stderr; sleep 0.05; printf three',
    ]);

    expect(out.toString()).toBe('one\nthree');
    expect(err).toBe('two\n');
    expect(endOf()?.log_tail).toEqual(['one', 'stderr: two', 'three']);
  });

  it('keeps the order of both streams when they go to one place', async () => {
    const path = join(dataDir, 'both');
    const fd = openSync(path, 'w');

    await run(['--', 'sh', '-c', 'for i in 1 2 3 4 5 6 7 8; do echo out $i; echo err $i >&2; done'], {
      stdio: ['ignore', fd, fd],
    });
    closeSync(fd);

    const expected = Array.from({ length: 8 }, (_, index) => `out ${index + 1}\nerr ${index + 1}\n`).join('');
    expect(readFileSync(path, 'utf8')).toBe(expected);
  });

  it('hands standard input on', async () => {
    const { child, ended } = start(['--', 'cat'], { stdio: ['pipe', 'pipe', 'pipe'] });
    child.stdin?.end('hello');
    expect((await ended).out.toString()).toBe('hello');
  });

  it('reads no more from the command than its own reader takes', async () => {
    const { child, ended } = start(['--', 'sh', '-c', 'head -c 3000000 /dev/zero; echo finished >&2']);
    child.stdout?.pause();
    let err = '';
    child.stderr?.on('data', (chunk: Buffer) => {
      err += chunk;
    });
    await eventually(() => (child.stdout?.readableLength ?? 0) > 0 && (child.stdout?.readableLength ?? 0));
    expect(err).toBe('');
    child.stdout?.resume();
    const { out } = await ended;
    expect(out).toHaveLength(3_000_000);
    expect(err).toBe('finished\n');
  });

  it('lets the command learn that its reader has gone', async () => {
    const shell = spawnSync(
      'sh',
      ['-c', '{ "$0" "$1" -- yes; echo $? >&3; } 3>&2 | head -n 1', process.execPath, bundle],
      {
        env: { ...process.env, RUNNERWATCH_DATA_DIR: dataDir },
        timeout: 10_000,
      },
    );

    expect(shell.stdout.toString()).toBe('y\n');
    expect(shell.stderr.toString()).toBe(`${128 + constants.signals.SIGPIPE}\n`);
  });

  it('does not wait for what the command leaves in the background', async () => {
    const { code, out } = await run(['--', 'sh', '-c', 'sleep 60 & echo $!; exit 4']);

    const left = Number(out.toString());
    expect({ code, comm: readPidStat('/', left)?.comm }).toEqual({ code: 4, comm: 'sleep' });
    process.kill(left);
  });

  const signals: NodeJS.Signals[] = ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1', 'SIGUSR2', 'SIGQUIT'];
  it.each(signals)('passes %s on to the command', async (signal) => {
    const command = `trap 'echo caught; exit 33' ${signal.slice(3)}; echo ready; while :; do sleep 0.02; done`;
    const { child, ended, out } = start(['--', 'sh', '-c', command], { detached: true });
    await eventually(() => out().includes('ready'));

    child.kill(signal);

    expect(await ended).toMatchObject({ code: 33, out: Buffer.from('ready\ncaught\n') });
  });

  it('stops and goes on with the command', async () => {
    const { child, ended } = start(['--', 'sh', '-c', 'read line; exit 6'], { stdio: ['pipe', 'pipe', 'pipe'] });
    const command = await eventually(() => facts('begin')[0]?.begun.pid);

    const mayStop = await stopsAtTstp();

    child.kill('SIGTSTP');
    await eventually(() => readPidStat('/', child.pid ?? 0)?.state === 'T');
    if (mayStop) await eventually(() => readPidStat('/', command)?.state === 'T');
    child.kill('SIGCONT');
    child.stdin?.end();

    expect((await ended).code).toBe(6);
  });

  it('ends a command that takes too long, with everything it started', async () => {
    const { code } = await run([
      '--timeout',
      '300ms',
      '--',
      'sh',
      '-c',
      'sleep 60 & echo $! > "$0"; sleep 60; exit 0',
      join(dataDir, 'pid'),
    ]);

    expect(code).toBe(124);
    expect(endOf()).toMatchObject({ timed_out: true, wait_status: 15 });
    const left = Number(readFileSync(join(dataDir, 'pid'), 'utf8'));
    await eventually(() => ['Z', undefined].includes(readPidStat('/', left)?.state));
  });

  it('kills a command that does not heed the end of its time', async () => {
    const { code } = await run(['--timeout', '200ms', '--', 'sh', '-c', 'trap "" TERM; while :; do sleep 0.1; done']);

    expect(code).toBe(124);
    expect(endOf()).toMatchObject({ timed_out: true, wait_status: 9 });
  });

  it('measures processor time and memory of the command, and says unknown for one too short to look at', async () => {
    await run([
      '--',
      process.execPath,
      '-e',
      'const a = Buffer.alloc(120e6, 1); const t = Date.now(); while (Date.now() - t < 700) a[5]++;',
    ]);
    expect(endOf()?.cpu_ms).toBeGreaterThan(300);
    expect(endOf()?.memory_peak_bytes).toBeGreaterThan(120e6);

    rmSync(join(dataDir, 'agent'), { recursive: true });
    await run(['--', 'true']);
    expect(endOf()?.memory_peak_bytes).toBeNull();
  });

  it('runs the command all the same when nothing can be recorded, with one warning', async () => {
    writeFileSync(join(dataDir, 'file'), '');

    const { code, out, err } = await run(['--', 'sh', '-c', 'echo works; exit 5'], {
      env: { RUNNERWATCH_DATA_DIR: join(dataDir, 'file') },
    });

    expect({ code, out: out.toString() }).toEqual({ code: 5, out: 'works\n' });
    expect(err.trimEnd().split('\n')).toEqual([
      expect.stringMatching(/^runnerwatch run: this run could not be recorded .*ENOTDIR/),
    ]);
  });

  it.skipIf(!haveTool('script', 'Debian: apt-get install bsdutils'))('leaves a terminal a terminal', async () => {
    const shell = spawnSync(
      'script',
      ['-qec', `"${process.execPath}" "${bundle}" -- sh -c 'test -t 1 && test -t 2 && echo tty'`, '/dev/null'],
      {
        env: { ...process.env, RUNNERWATCH_DATA_DIR: dataDir },
      },
    );

    expect(shell.stdout.toString()).toContain('tty');
    expect(endOf()?.log_tail).toBeNull();
  });
});

describe.skipIf(!haveTool('unshare', 'Debian: apt-get install util-linux'))('finding the agent', () => {
  it('records into the data directory of an agent that runs, as long as it runs', async () => {
    const [runtime, agentData, home] = ['xdg-', 'agent-', 'home-'].map((prefix) =>
      mkdtempSync(join(built, prefix)),
    ) as [string, string, string];
    for (const path of [runtime, agentData, home]) chmodSync(path, 0o777);
    mkdirSync(join(agentData, 'agent/inbox'), { recursive: true });
    chmodSync(join(agentData, 'agent/inbox'), 0o1777);
    const uid = isRoot ? 65_534 : (process.getuid?.() ?? 0);
    const announcement = announceAgent({ pid: process.pid, dataDir: agentData }, { uid, xdgRuntimeDir: runtime });
    const env = { RUNNERWATCH_DATA_DIR: '', XDG_RUNTIME_DIR: runtime, XDG_STATE_HOME: home };

    expect((await runAlone(['--', 'true'], { uid, env })).err).toBe('');
    announcement.withdraw();
    expect((await runAlone(['--', 'true'], { uid, env })).err).toBe('');

    expect(facts('end', agentData)).toHaveLength(1);
    expect(facts('end', join(home, 'runnerwatch'))).toHaveLength(1);
  });

  it.skipIf(!haveRoot())(
    'is not stopped by the runtime directory of another user, kept across su, nor by having no home',
    async () => {
      const closed = mkdtempSync(join(built, 'closed-'));
      const env = { RUNNERWATCH_DATA_DIR: '', XDG_RUNTIME_DIR: closed, XDG_STATE_HOME: '', HOME: '' };

      const { code, err } = await runAlone(['--', 'sh', '-c', 'exit 6'], { uid: 54_321, env });

      expect(code).toBe(6);
      expect(err).toMatch(/^runnerwatch run: this run could not be recorded \(.+\)\n$/);
    },
  );

  it.skipIf(!haveRoot())('lets an unprivileged user record into an inbox that only its agent may list', async () => {
    const { inbox, sightings } = await openInbox();
    chmodSync(dataDir, 0o711);

    const { code, err } = await run(['--', 'sh', '-c', 'id -u; exit 8'], {
      uid: 65_534,
      gid: 65_534,
      env: { HOME: '/nonexistent' },
    });

    expect({ code, err }).toEqual({ code: 8, err: '' });
    const ended = await eventually(() =>
      sightings.find((sighting): sighting is RunEnded => sighting.kind === 'run_ended'),
    );
    expect(ended).toMatchObject({ waitStatus: 8 << 8, logTail: ['65534'] });
    inbox.settle(ended.runId);
    expect(readdirSync(join(dataDir, 'agent/inbox'))).toEqual([]);
  });
});

const open: { stop(): Promise<void> }[] = [];
afterEach(async () => {
  for (const watcher of open.splice(0)) await watcher.stop();
});

async function openInbox({ logLines = 100 } = {}): Promise<{
  inbox: InboxWatcher;
  sightings: Sighting[];
  exits: ProcessExitsWatcher;
}> {
  const sightings: Sighting[] = [];
  const exits = createProcessExitsWatcher({
    root: '/',
    cgroupRoot: null,
    report: () => undefined,
    clock: systemClock,
    log,
  });
  const inbox = createInboxWatcher({
    root: '/',
    dataDir,
    logLines,
    report: (sighting) => sightings.push(sighting),
    clock: systemClock,
    log,
    follow: (...follow) => exits.follow(...follow),
    unfollow: (pid) => exits.unfollow(pid),
  });
  open.push(inbox, exits);
  await exits.start(new AbortController().signal);
  await inbox.start(new AbortController().signal);
  return { inbox, sightings, exits };
}

const started = (sightings: readonly Sighting[]) =>
  sightings.filter((sighting): sighting is RunStarted => sighting.kind === 'run_started');
const ended = (sightings: readonly Sighting[]) =>
  sightings.filter((sighting): sighting is RunEnded => sighting.kind === 'run_ended');

describe('the inbox', () => {
  it('knows when output of a run last passed through, and of none while it is silent', {
    timeout: 30_000,
  }, async () => {
    const { inbox, sightings } = await openInbox();
    const said = start(['--name', 'chatty', '--', 'sh', '-c', 'read line; echo epoch 1; exec sleep 60'], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });
    const begun = await eventually(() => sightings.find((one): one is RunStarted => one.kind === 'run_started'));
    const beganAt = inbox.outputAt(begun.runId) ?? 0;
    const spokeAt = Date.now();

    said.child.stdin?.end('go\n');
    await eventually(() => (inbox.outputAt(begun.runId) ?? 0) > beganAt, { timeoutMs: 10_000 });

    expect(inbox.outputAt(begun.runId)).toBeGreaterThanOrEqual(spokeAt - 1000);
    expect(inbox.outputAt('no-such-run')).toBeNull();
    expect(facts('begin')).toHaveLength(1);
    said.child.kill('SIGTERM');
    await said.ended;
  });

  it('reports a run’s beginning while it runs, and its end', async () => {
    const { sightings, inbox } = await openInbox();
    const { child, ended: over } = start(['--job', 'j', '--', 'sh', '-c', 'read x; echo bye; exit 3'], {
      stdio: ['pipe', 'pipe', 'pipe'],
    });

    const [begun] = await eventually(() => (started(sightings).length > 0 ? started(sightings) : undefined));
    expect(begun).toMatchObject({
      job: 'j',
      timeoutMs: null,
      startTicks: readPidStat('/', begun?.pid ?? 0)?.startTicks,
    });
    child.stdin?.end('\n');
    await over;

    await eventually(() => ended(sightings).length > 0);
    expect(ended(sightings)).toMatchObject([
      { runId: begun?.runId, waitStatus: 3 << 8, approximate: false, logTail: ['bye'] },
    ]);
    expect(inbox.state()).toMatchObject({ name: 'inbox' });
  });

  it.each([
    [2, ['2', '3']],
    [0, []],
  ])('keeps the last %i lines when it is told so', async (logLines, kept) => {
    const { sightings } = await openInbox({ logLines });

    await run(['--', 'sh', '-c', 'echo 1; echo 2; echo 3; exit 2']);

    expect((await eventually(() => ended(sightings)[0])).logTail).toEqual(kept);
  });

  it('F001 reports again after a restart until the run is settled, then never', async () => {
    await run(['--', 'sh', '-c', 'exit 2']);
    const first = await openInbox();
    expect(ended(first.sightings)).toHaveLength(1);
    await first.inbox.stop();

    const second = await openInbox();
    expect(ended(second.sightings)).toHaveLength(1);
    second.inbox.settle(ended(second.sightings)[0]?.runId ?? '');
    await second.inbox.stop();

    const third = await openInbox();
    expect(third.sightings).toEqual([]);
  });

  it('ends a run whose wrapper was killed with what the kernel says of the command', async () => {
    const { sightings } = await openInbox();
    const { child, ended: over } = start(['--', 'sh', '-c', 'sleep 0.5; exit 9']);
    await eventually(() => started(sightings).length > 0);

    child.kill('SIGKILL');
    await over;

    const end = await eventually(() => ended(sightings)[0]);
    expect(end).toMatchObject({
      waitStatus: 9 << 8,
      approximate: true,
      blindReason: expect.stringContaining('killed'),
    });
  });

  it('ends it as unknown when the command is gone as well before anybody looked', async () => {
    const { child } = start(['--', 'sleep', '60']);
    const command = await eventually(() => facts('begin')[0]?.begun.pid);
    child.kill('SIGKILL');
    await once(child, 'close');
    process.kill(command, 'SIGKILL');
    await eventually(() => ['Z', undefined].includes(readPidStat('/', command)?.state));

    const { sightings } = await openInbox();

    const end = await eventually(() => ended(sightings)[0]);
    expect(end.approximate).toBe(true);
    expect(end.waitStatus === null ? end.blindReason : '').toMatch(end.waitStatus === null ? /was killed/ : /^$/);
  });

  it('ends a run of before a restart of the machine as unknown, and not before it began', async () => {
    await run(['--', 'true']);
    const [begin] = moveToEarlierBoot();
    const [end] = facts('end');
    rmSync(join(dataDir, 'agent/inbox', `${end?.run_id}.end.json`));

    const { sightings } = await openInbox();

    expect(ended(sightings)).toMatchObject([
      { waitStatus: null, approximate: true, blindReason: expect.stringContaining('restarted') },
    ]);
    expect(ended(sightings)[0]?.at).toBeGreaterThanOrEqual(Date.parse(begin?.begun.started_at ?? ''));
  });

  it('takes the word of a run that ended in the restart of the machine', async () => {
    await run(['--', 'sh', '-c', 'exit 4']);
    moveToEarlierBoot();

    const { sightings } = await openInbox();

    expect(ended(sightings)).toMatchObject([{ waitStatus: 4 << 8, approximate: false }]);
  });

  /** What was recorded is from before a restart of this machine. */
  function moveToEarlierBoot(): ReturnType<typeof facts> {
    return facts('begin').map((begin) => {
      const before = {
        ...begin,
        boot_id: '00000000-0000-4000-8000-000000000000',
        wrapper_pid: 1,
        begun: { ...begin.begun, pid: 1 },
      };
      writeFileSync(join(dataDir, 'agent/inbox', `${begin.run_id}.begin.json`), JSON.stringify(before));
      return before;
    });
  }

  it('sets hostile files aside, and follows none of them', async () => {
    const inbox = join(dataDir, 'agent/inbox');
    mkdirSync(inbox, { recursive: true });
    symlinkSync('/etc/passwd', join(inbox, 'aaaaaaaa.begin.json'));
    execFileSync('mkfifo', [join(inbox, 'bbbbbbbb.begin.json')]);
    mkdirSync(join(inbox, 'cccccccc.begin.json'));
    writeFileSync(join(inbox, 'dddddddd.begin.json'), Buffer.alloc(300 * 1024, ' '));
    writeFileSync(join(inbox, 'eeeeeeee.end.json'), '{"version":1}');
    writeFileSync(join(inbox, 'ffffffff.end.json'), 'no json');
    writeFileSync(join(inbox, 'stray'), '');

    const { sightings } = await openInbox();

    expect(sightings).toEqual([]);
    expect(readdirSync(inbox)).toEqual([]);
    expect(readdirSync(join(dataDir, 'agent/inbox-refused'))).toHaveLength(7);
    expect(statSync(inbox).mode & 0o7777).toBe(0o1733);
  });
});
