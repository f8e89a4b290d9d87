import { spawn } from 'node:child_process';
import { afterEach, describe, expect, it } from 'vitest';
import { calm, holds, nodeBecomes, nodes, prepared, telling, toldOf } from '../support/end-to-end.ts';
import { HttpSink } from '../support/http-sink.ts';

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one[Symbol.asyncDispose]();
});

/** A real process that does nothing but use its CPU, under a name of its own. */
function busyProcess(): AsyncDisposable {
  const child = spawn(process.execPath, ['-e', 'process.title = "rw-busy"; for (;;) {}'], { stdio: 'ignore' });
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  return {
    [Symbol.asyncDispose]: () => {
      child.kill('SIGKILL');
      return ended;
    },
  };
}

describe('conditions of a real machine', () => {
  it('fire within seconds with a reason, are told again, and resolve when they hold no more', async () => {
    const sink = await HttpSink.open();
    const installation = await prepared();
    opened.push(sink, installation, busyProcess());
    const self = { memory_pressure_bytes: '1MiB' };
    await installation.collector({ ...telling(sink, { renotify_interval: '5s', events: ['condition'] }), self });
    const agent = installation.agent({
      ...calm,
      conditions: {
        ...calm.conditions,
        memory_pressure_threshold: 1,
        high_load_multiplier: 0.000_1,
        disk_pressure_threshold: 0.01,
      },
      process_conditions: [
        { match: { command_line: '*rw-busy*' }, high_cpu_percent: 5, memory_pressure_bytes: '1MiB' },
      ],
      self,
    });

    const expected = [
      'agent DiskPressure',
      'agent HighLoad',
      'agent MemoryPressure',
      'agent ProcessHighCPU',
      'agent ProcessMemoryPressure',
      'collector ProcessMemoryPressure',
    ];
    const named = (type: 'condition.fired' | 'condition.renotified' | 'condition.resolved') =>
      toldOf(sink, type).map(({ condition }) => `${condition?.component} ${condition?.type}`);
    await holds(() => expect([...new Set(named('condition.fired'))].toSorted()).toEqual(expected));

    const reasons = new Map(
      toldOf(sink, 'condition.fired').map(({ condition }) => [
        `${condition?.component} ${condition?.type}`,
        condition?.reason,
      ]),
    );
    expect(reasons.get('agent MemoryPressure')).toMatch(/\d.*threshold 1/);
    expect(reasons.get('agent HighLoad')).toMatch(/^load [\d.]+ on \d+ CPUs?/);
    const [node] = await nodes(installation);
    const used = node?.conditions.find(({ condition }) => condition === 'DiskPressure');
    expect(used).toMatchObject({ status: 'true' });
    expect(reasons.get('agent DiskPressure')).toContain('/');
    expect(reasons.get('agent ProcessHighCPU')).toContain('rw-busy');
    await holds(() => expect([...new Set(named('condition.renotified'))].toSorted()).toEqual(expected));
    const again = toldOf(sink, 'condition.renotified').find(({ repeat }) => repeat === 1);
    expect(again).toMatchObject({ transition: 'renotified', condition: { active: true } });

    await agent.end();
    installation.agent(calm);
    await nodeBecomes(installation, 'online');
    await holds(() =>
      expect([...new Set(named('condition.resolved'))].toSorted()).toEqual(
        expected.filter((name) => name.startsWith('agent')),
      ),
    );
    expect(named('condition.fired').length).toBe(
      new Set(toldOf(sink, 'condition.fired').map(({ incident, condition }) => `${incident?.id} ${condition?.reason}`))
        .size,
    );
    expect(toldOf(sink, 'condition.resolved').every(({ condition }) => condition?.active === false)).toBe(true);
  });
});
