import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { buildProgram } from '@runnerwatch/collector/cli/program.ts';
import { beforeEach, describe, expect, it } from 'vitest';
import { ManualClock } from '../support/manual-clock.ts';
import { ownRig } from '../support/own-rig.ts';
import { startRouting } from '../support/routing-rig.ts';
import { temporaryFolderSync } from '../support/temporary-folder.ts';

describe('the command line, about who hears what', () => {
  const rig = ownRig();
  let clock: ManualClock;

  beforeEach(async () => {
    clock = new ManualClock(Date.now());
    await rig.node('n1');
  });

  async function start() {
    const product = await startRouting(rig, { clock });
    const run = async (...args: string[]) => {
      let out = '';
      let err = '';
      const program = buildProgram({
        io: { out: (text) => (out += text), err: (text) => (err += text), isTerminal: false, columns: null },
        env: { RUNNERWATCH_URL: product.url },
        home: temporaryFolderSync(),
        uid: 1000,
        fetch,
        now: () => clock.wallMs(),
        version: '0.1.0',
      });
      const code = await program.run(args);
      return {
        code,
        out,
        err,
        json: () => JSON.parse(out) as Record<string, never> & { id: string; items: Record<string, unknown>[] },
      };
    };
    return { ...product, run };
  }

  it('subscribes, lists, tries on the past, and unsubscribes by the beginning of an id or by name', async () => {
    await using product = await start();
    const { run } = product;
    await rig.taskEnded('n1', 't1', { status: 'failed', project: 'ml', name: 'train' });
    await product.engine.round();

    const flags = ['--match', 'project=ml', '--match', 'project=web', '--event', 'fail', '--max-alerts-per-job', '3'];
    const made = await run(
      'subscribe',
      '--name',
      'mine',
      ...flags,
      '--to',
      'log',
      '--for',
      '7d',
      '--quiet',
      '22:00-07:00',
      '--time-zone',
      'UTC',
    );
    expect(made.code).toBe(0);
    expect(made.out).toMatch(
      /^subscribed: mine\. Try it: runnerwatch notify test log; end it: runnerwatch unsubscribe [0-9a-f]{32}\n$/,
    );
    const { items } = (await run('subscriptions', '--json')).json();
    expect(items.at(-1)).toMatchObject({
      name: 'mine',
      origin: 'api',
      matchers: { project: ['ml', 'web'] },
      max_alerts_per_job: 3,
      quiet_hours: { time_zone: 'UTC', from: '22:00', to: '07:00' },
    });
    expect((await run('subscriptions')).out).toMatch(
      /mine .* log .* fail .* project=ml\|web .* never .* 3 a job, quiet 22:00-07:00 UTC/,
    );
    const test = await run('subscriptions', 'test', '--match', 'project=ml', '--event', 'fail', '--since', '1h');
    expect(test.out).toContain('1 of 1 past event would have matched.');
    expect(test.out).toContain('train on n1');
    expect((await run('subscriptions', 'test', '--json')).json()).toMatchObject({ matched: 1 });

    expect((await run('unsubscribe', 'mine', '--json')).json()).toMatchObject({ deleted: true });
    const again = await run('unsubscribe', 'mine');
    expect([again.code, again.err]).toEqual([1, expect.stringContaining('`runnerwatch subscriptions` lists them')]);
    expect((await run('unsubscribe', 'default-log')).err).toContain('configuration file');
  });

  it('says whom to tell when nobody acknowledges, and of an incident who was told, when and why', async () => {
    await using product = await start();
    const { run, engine } = product;
    await run('subscribe', '--name', 'prod', '--to', 'log', '--escalate', '1h=log', '--escalate', '15m=log');
    expect((await run('subscriptions')).out).toMatch(/prod .* then log after 15m, log after 1h/);
    expect((await run('subscribe', '--escalate', '15m')).err).toContain('such as 15m=oncall');
    expect((await run('subscribe', '--escalate', '15m=lead')).err).toContain('there is no notifier lead');

    await rig.condition('n1', { status: 'true' });
    await engine.round();
    await clock.advance(16 * 60_000);
    await engine.round();
    const { id = '' } = (await run('incidents', '--json')).json().items[0] as { id?: string };
    const shown = (await run('incidents', 'show', id)).out;

    expect(shown).toMatch(/Told\n +WHEN +WHOM +WHAT +WHY *\n +16m ago +log +fired +subscription default-log/i);
    expect(shown).toMatch(/just now +log +escalated +subscription \S+: not acknowledged since 2\S+Z/);
    expect((await run('explain', 'incident', id)).out).toMatch(
      /→ log: notified \(escalated not acknowledged since 2\S+Z\)/,
    );
  });

  it('watches, says how it stands, and stops', async () => {
    await using product = await start();
    const { run } = product;

    expect((await run('watch', 'status')).out).toContain('runnerwatch watch start');
    const made = (
      await run('watch', 'start', '--project', 'ml-*,web', '--for', '8h', '--only-failed', '--json')
    ).json();
    expect(made).toMatchObject({ projects: ['ml-*', 'web'], only_failed: true, max_alerts_per_job: 1 });
    expect((await run('watch', 'start')).out).toMatch(/^watching \* until 2/);
    expect((await run('watch', 'status')).out).toMatch(/active +ml-\*, web +failures +1 +log +2\S+ +0/);
    expect((await run('watch', 'stop', made.id)).out).toBe('stopped\n');
    expect((await run('watch', 'status', '--json')).json().items.map(({ active }) => active)).toEqual([true, false]);
    expect((await run('watch', 'stop', 'zzz')).code).toBe(1);
  });

  it('R92 does what it is asked in plain English, and shows the command for it', async () => {
    await using product = await start();
    const { run } = product;

    const started = await run('ask', 'Monitor', 'jobs', 'in', 'project', 'ml-team', 'for', '30', 'minutes');
    const status = await run('ask', 'What is the monitoring status?');
    const shown = await run('ask', '--dry-run', 'stop monitoring all');
    const unknown = await run('ask', 'make me a sandwich');

    expect(started).toMatchObject({ code: 0, err: '$ runnerwatch watch start --project ml-team --for 30m\n' });
    expect(status.out).toMatch(/active +ml-team +failures, warnings/);
    expect(shown).toMatchObject({ code: 0, out: '' });
    expect(unknown).toMatchObject({ code: 64, err: expect.stringContaining('ask --help') });
  });

  it('silences, shows what that hides first, and lets go', async () => {
    await using product = await start();
    const { run } = product;
    await rig.condition('n1', { status: 'true' });
    await product.engine.round();
    const order = ['silence', 'add', '--match', 'node=n1', '--by', 'ada', '--reason', 'new disks'];

    const dry = await run(...order, '--for', '2h', '--dry-run');
    expect(dry.out).toContain('It would hide 1 firing alert now. Nothing was stored.');
    expect(dry.out).toContain('MemoryPressure');
    expect((await run('silence', 'list')).out).toBe('Nothing is silenced.\n');
    const made = await run(...order, '--for', '2h', '--json');
    const { id } = made.json() as unknown as { id: string };
    await run(...order, '--every', '02:00-04:00', '--days', 'sat,sun', '--time-zone', 'Europe/Berlin');
    expect((await run('silence', 'list')).out).toMatch(/active +node=n1 +until 2\S+ +ada +new disks/);
    expect((await run('silence', 'list')).out).toContain('sat,sun 02:00-04:00 Europe/Berlin until it is ended');
    expect((await run('silence', 'expire', id)).out).toContain('told now');
    expect((await run('silence', 'list', '--all', '--json')).json().items).toHaveLength(2);
    expect((await run(...order)).err).toContain('expected how long');
    expect((await run('silence', 'add', '--match', 'node', '--by', 'a', '--reason', 'b')).code).toBe(64);
  });

  it('applies a file: shows the difference, makes it, and finds nothing to do the second time', async () => {
    await using product = await start();
    const { run } = product;
    const file = join(temporaryFolderSync(), 'alerts.yaml');
    const write = (content: string) => writeFileSync(file, content);
    await run('subscribe', '--name', 'by-hand');
    write(`
subscriptions:
  - { name: ml, matchers: { project: ml-* }, events: [fail], receiver: log, renotify_interval: 60m, escalate: [{ after: 60m, receiver: log }] }
  - { name: hook, target: { type: webhook, address: "http://127.0.0.1:9/secret-1" } }
silences:
  - matchers: { label.rack: r1 }
    author: ada
    reason: patches
    recurrence: { time_zone: Europe/Berlin, days: [sun], from: "02:00", to: "04:00" }
`);
    const dry = await run('apply', '-f', file, '--dry-run');
    expect(dry.out.split('\n').filter((line) => line.startsWith('+'))).toEqual([
      '+ subscription ml',
      '+ subscription hook',
      '+ silence label.rack=r1 by ada: patches',
    ]);
    expect(dry.out).toContain('Nothing was changed.');
    expect((await run('apply', '-f', file)).out).toContain('3 changes made.');
    expect((await run('apply', '-f', file, '--dry-run')).out).toBe('Everything is as the file says.\n');

    write(`
subscriptions:
  - { name: ml, matchers: { project: [ml-*, web] }, events: [fail], receiver: log, renotify_interval: 1h, max_alerts_per_job: 2, group_window: 2m, escalate: [{ after: 1h, receiver: log }, { after: 2h, receiver: log }] }
  - { name: hook, target: { type: webhook, address: "http://127.0.0.1:9/secret-2" } }
`);
    const steps = (await run('apply', '-f', file, '--dry-run', '--prune', '--json')).json() as unknown as {
      steps: unknown[];
    };
    expect(steps.steps).toEqual([
      {
        action: 'change',
        kind: 'subscription',
        name: 'ml',
        changes: [
          'matchers: {"project":["ml-*"]} → {"project":["ml-*","web"]}',
          'max_alerts_per_job: null → 2',
          'group_window: null → 120000',
          'escalate: [{"after":3600000,"receiver":"log"}] → [{"after":3600000,"receiver":"log"},{"after":7200000,"receiver":"log"}]',
        ],
      },
      { action: 'replace', kind: 'subscription', name: 'hook', changes: ['target'] },
      { action: 'delete', kind: 'subscription', name: 'by-hand', changes: [] },
      { action: 'delete', kind: 'silence', name: 'label.rack=r1 by ada: patches', changes: [] },
    ]);
    expect((await run('apply', '-f', file, '--prune')).code).toBe(0);
    expect((await run('apply', '-f', file, '--prune')).out).toBe('Everything is as the file says.\n');
    expect((await run('subscriptions', '--json')).json().items.map(({ name }) => name)).toEqual([
      'default-log',
      'ml',
      'hook',
    ]);

    write('subscriptions: [{ name: x, evnts: [fail] }]\n');
    expect((await run('apply', '-f', file)).err).toMatch(/alerts\.yaml:1:\d+/);
    write('subscriptions: [{ name: x, events: [sometimes] }]\n');
    expect(await run('apply', '-f', file)).toMatchObject({ code: 1, err: expect.stringContaining('events') });
  });

  it.each([
    [['subscribe', '--help'], 'runnerwatch subscribe --match owner=ada'],
    [['subscriptions', 'test', '--help'], '--since 7d'],
    [['watch', 'start', '--help'], 'everything, for 30 minutes'],
    [['silence', 'add', '--help'], '--reason "new disks"'],
    [['apply', '--help'], 'goes by its name'],
  ])('teaches: %s', async (args, example) => {
    await using product = await start();
    const { code, out } = await product.run(...args);

    expect(code).toBe(0);
    expect(out).toContain(example);
  });
});
