import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import {
  allTasks,
  calm,
  closed,
  holds,
  nodeBecomes,
  nodes,
  pass,
  prepared,
  runCommand,
  runShell,
  telling,
  told,
  toldOf,
} from '../support/end-to-end.ts';
import { HttpSink } from '../support/http-sink.ts';
import { haveRight } from '../support/tool.ts';

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one[Symbol.asyncDispose]();
});

const heartbeatTimeoutMs = 3000;

async function rig(more: { renotify_interval?: string; events?: string[] } = {}) {
  const sink = await HttpSink.open();
  const installation = await prepared();
  opened.push(sink, installation);
  const collector = await installation.collector({
    ...telling(sink, more),
    heartbeat_timeout: `${heartbeatTimeoutMs}ms`,
  });
  return { sink, installation, collector };
}

describe('a node that falls silent', () => {
  it('is told once when its agent is killed, and once when it returns', async () => {
    const { sink, installation } = await rig();
    const agent = installation.agent(calm);
    await nodeBecomes(installation, 'online');

    await agent.end('SIGKILL');
    await holds(() => expect(toldOf(sink, 'node.unreachable').length).toBe(1));
    await nodeBecomes(installation, 'offline');
    agent.startAgain();
    await holds(() => expect(toldOf(sink, 'node.recovered').length).toBe(1));

    await nodeBecomes(installation, 'online');
    expect(toldOf(sink, 'node.unreachable')[0]).toMatchObject({
      transition: 'unreachable',
      incident: { status: 'open', severity: 'critical' },
      condition: { type: 'ComponentUnreachable', active: true, component: 'agent' },
      node: { status: 'offline' },
    });
    expect(toldOf(sink, 'node.recovered')[0]).toMatchObject({
      transition: 'resolved',
      incident: { status: 'resolved' },
      condition: { active: false },
      node: { status: 'online' },
    });
    expect(new Set(sink.ids).size).toBe(sink.ids.length);
    expect(sink.ids.length).toBe(2);
  });

  it('F081 is told of although its agent died while the collector was down', async () => {
    const { sink, installation, collector } = await rig();
    const agent = installation.agent(calm);
    await nodeBecomes(installation, 'online');

    await collector.end('SIGKILL');
    await agent.end('SIGKILL');
    collector.startAgain();
    await installation.ready(collector);

    await holds(() => expect(toldOf(sink, 'node.unreachable').length).toBe(1));
  });

  it('is no death after the goodbye of a SIGTERM', async () => {
    const { sink, installation } = await rig();
    const agent = installation.agent(calm);
    await nodeBecomes(installation, 'online');

    expect(await agent.end('SIGTERM')).toBe(0);

    expect((await nodeBecomes(installation, 'stopped')).goodbye_reason).toBe('stopping');
    await pass(heartbeatTimeoutMs * 2);
    expect((await nodes(installation)).map(({ status }) => status)).toEqual(['stopped']);
    expect(sink.requests).toEqual([]);
  });

  it('takes its running tasks with it as lost, and amends them when the truth arrives', async () => {
    const { sink, installation } = await rig();
    const agent = installation.agent(calm);
    await nodeBecomes(installation, 'online');
    const command = runCommand(installation, ['sh', '-c', 'echo $$; exec sleep 100'], ['--name', 'long']);
    const [pid] = (await once(command.stdout, 'data')) as [Buffer];
    const ended = closed(command);
    await holds(async () => expect((await allTasks(installation)).map(({ status }) => status)).toEqual(['running']));

    await agent.end('SIGKILL');
    await holds(() => expect(toldOf(sink, 'node.unreachable').length).toBe(1));
    const [lost] = await allTasks(installation);
    process.kill(Number(pid.toString()), 'SIGKILL');
    await ended;
    agent.startAgain();
    await holds(async () => expect((await allTasks(installation)).map(({ status }) => status)).toEqual(['killed']));

    expect(lost).toMatchObject({ status: 'lost', verdict: { cause: 'node_lost', confidence: 'likely' } });
    expect(toldOf(sink, 'node.unreachable')[0]?.group).toMatchObject([{ task: { name: 'long', status: 'lost' } }]);
    await holds(() =>
      expect(toldOf(sink, 'task.amended')).toMatchObject([
        { transition: 'amended', task: { name: 'long', status: 'killed', signal: 'SIGKILL' } },
      ]),
    );
    expect(await allTasks(installation)).toMatchObject([{ amendments: 1 }]);
  });

  it('F085 is not judged for the five seconds in which the collector itself stood still', async () => {
    const { sink, installation, collector } = await rig();
    installation.agent(calm);
    await nodeBecomes(installation, 'online');

    collector.signal('SIGSTOP');
    await pass(5000);
    collector.signal('SIGCONT');
    await runShell(installation, 'exit 3');

    await holds(() => expect(toldOf(sink, 'task.ended').length).toBe(1));
    await pass(heartbeatTimeoutMs);
    expect((await nodes(installation)).map(({ status }) => status)).toEqual(['online']);
    expect(told(sink).map(({ type }) => type)).toEqual(['task.ended']);
    expect(collector.output).toContain('was not listening for a while');
  });
});

const fakeTime = readdirSync('/usr/lib')
  .map((name) => join('/usr/lib', name, 'faketime/libfaketime.so.1'))
  .find((path) => existsSync(path));

describe.runIf(haveRight(fakeTime !== undefined, 'libfaketime: Debian: apt-get install faketime'))(
  'a clock that is wrong',
  () => {
    it('F019 by an hour, a day or ten years is told once each, and nobody is held for dead or alive because of it', async () => {
      const { sink, installation } = await rig();
      const offsets = { ahead: '+1h', behind: '-1d', future: '+3650d' };
      const agents = Object.entries(offsets).map(([name, offset]) =>
        installation.agent(calm, {
          RUNNERWATCH_NODE_NAME: name,
          RUNNERWATCH_DATA_DIR: join(installation.dataDir, name),
          LD_PRELOAD: fakeTime ?? '',
          FAKETIME: offset,
          FAKETIME_DONT_FAKE_MONOTONIC: '1',
          DONT_FAKE_MONOTONIC: '1',
        }),
      );
      await holds(async () =>
        expect((await nodes(installation)).map(({ status }) => status)).toEqual(Array(3).fill('online')),
      );
      await holds(() => expect(toldOf(sink, 'condition.fired').length).toBe(3), { timeoutMs: 60_000 });
      await pass(heartbeatTimeoutMs);

      const skews = new Map(
        (await nodes(installation)).map((node) => [node.name, (node.clock_skew_ms ?? 0) / 3_600_000]),
      );
      expect(skews.get('ahead')).toBeCloseTo(1, 1);
      expect(skews.get('behind')).toBeCloseTo(-24, 1);
      expect(skews.get('future')).toBeCloseTo(24 * 3650, 1);
      expect(toldOf(sink, 'condition.fired').map(({ condition }) => condition?.type)).toEqual(
        Array(3).fill('ClockSkew'),
      );
      expect(toldOf(sink, 'node.unreachable')).toEqual([]);
      await agents[0]?.end('SIGKILL');
      await holds(() => expect(toldOf(sink, 'node.unreachable').map(({ node }) => node?.name)).toEqual(['ahead']));
      expect(toldOf(sink, 'condition.fired').length).toBe(3);
    });
  },
);

describe('a restart of the collector', () => {
  it('F082 fires nothing again, and says again what still holds in its time', async () => {
    const { sink, installation, collector } = await rig({ renotify_interval: '12s' });
    installation.agent({ ...calm, conditions: { ...calm.conditions, memory_pressure_threshold: 1 } });
    await holds(() => expect(toldOf(sink, 'condition.fired').length).toBe(1));

    await collector.end('SIGKILL');
    collector.startAgain();
    await installation.ready(collector);
    await holds(() => expect(toldOf(sink, 'condition.renotified').length).toBe(1));

    const [fired] = toldOf(sink, 'condition.fired');
    const [again] = toldOf(sink, 'condition.renotified');
    const afterMs = Date.parse(again?.at ?? '') - Date.parse(fired?.at ?? '');
    expect(afterMs).toBeGreaterThanOrEqual(12_000);
    expect(afterMs).toBeLessThan(22_000);
    expect(again).toMatchObject({ repeat: 1, incident: { id: fired?.incident?.id }, condition: { active: true } });
    expect(toldOf(sink, 'condition.fired').length).toBe(1);
  });
});
