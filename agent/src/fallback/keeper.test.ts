import type { FallbackFrame } from '@runnerwatch/shared/protocol/frames.ts';
import { describe, expect, it, onTestFinished } from 'vitest';
import { silentLog } from '../../../test/support/database.ts';
import { eventually } from '../../../test/support/eventually.ts';
import { type Answer, HttpSink } from '../../../test/support/http-sink.ts';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import { Fallback } from './keeper.ts';
import { readState } from './state.ts';

const minuteMs = 60_000;
const tickMs = 5000;
const serverError: Answer = { kind: 'status', status: 500 };

async function begin({ answer }: { answer?: () => Answer } = {}) {
  const sink = await HttpSink.open(answer === undefined ? {} : { answer });
  const clock = new ManualClock();
  const collector = { connected: true, isUnwanted: false, lastError: null as string | null };
  /** What a try that does not wait would find. */
  const found = { isThere: false, isUnwanted: false };
  const tryAll = async () => {
    collector.connected ||= found.isThere;
    collector.isUnwanted = found.isUnwanted;
    return collector.connected;
  };
  const said: FallbackFrame[] = [];
  const disk = { text: null as string | null, isFull: false };
  const fallback = new Fallback({
    webhook: sink.url,
    secret: undefined,
    afterMs: 15 * minuteMs,
    node: { id: 'id-1', name: 'n1', labels: {} },
    collectorUrls: ['http://collector:4777'],
    unsent: async () => ({ records: 0, taskFailures: 0, isCounted: true }),
    kept: {
      load: () => disk.text,
      save: async (text) => {
        if (disk.isFull) throw new Error('ENOSPC');
        disk.text = text;
      },
    },
    clock,
    log: silentLog,
  });
  onTestFinished(async () => {
    await fallback[Symbol.asyncDispose]();
    await sink[Symbol.asyncDispose]();
  });
  fallback.start({ state: () => collector, tryAll, say: (frame) => said.push(frame) });
  fallback.hear({ kind: 'deputy', place: { key: 'k1', rank: 0 }, obstacle: null });
  /** Tick by tick, each of which is waited for. */
  const pass = async (ms: number) => {
    for (let passed = 0; passed < ms; passed += tickMs) {
      await clock.advance(tickMs);
      await eventually(() => clock.sleeping === 1);
    }
  };
  const types = () => sink.bodies.map(({ type }) => type);
  return { sink, clock, collector, found, said, disk, fallback, pass, types };
}

describe('F128 an agent’s fallback', () => {
  it('counts no time in which it did not run', async () => {
    const { collector, clock, pass, types } = await begin();
    collector.connected = false;
    await pass(14 * minuteMs);

    await clock.advance(60 * minuteMs);
    await eventually(() => clock.sleeping === 1);
    expect(types()).toEqual([]);
    await pass(minuteMs);

    expect(types()).toEqual(['collector.unreachable']);
  });

  it('tries again, ever more slowly, under one id, until it is taken; and then no more', async () => {
    const { sink, collector, pass } = await begin({ answer: () => serverError });
    collector.connected = false;
    await pass(15 * minuteMs);
    await pass(60 * minuteMs);
    const inTheFirstHour = sink.requests.length;

    sink.answer = () => ({ kind: 'status', status: 204 });
    await pass(10 * minuteMs);
    const taken = sink.requests.length;
    await pass(24 * 60 * minuteMs);

    expect(inTheFirstHour).toBeGreaterThan(8);
    expect(inTheFirstHour).toBeLessThan(80);
    expect(sink.requests).toHaveLength(taken);
    expect(new Set(sink.ids).size).toBe(1);
  });

  it.each(['isThere', 'isUnwanted'] as const)(
    'says nothing when a last look finds the collector (%s)',
    async (what) => {
      const { collector, found, pass, types, fallback } = await begin();
      collector.connected = false;
      found[what] = true;

      await pass(20 * minuteMs);

      expect(types()).toEqual([]);
      expect(fallback.state).toMatchObject({ told: null, aloneMs: 0 });
    },
  );

  it('says to the collector what may have come through, and forgets what cannot have', async () => {
    const { collector, pass, said, sink, fallback } = await begin({ answer: () => ({ kind: 'status', status: 404 }) });
    collector.connected = false;
    await pass(16 * minuteMs);
    collector.connected = true;
    await pass(minuteMs);
    expect([sink.requests.length > 0, said, fallback.state.told]).toEqual([true, [], null]);

    sink.answer = () => ({ kind: 'accept-then-cut' });
    collector.connected = false;
    await pass(16 * minuteMs);
    collector.connected = true;
    await pass(tickMs);

    expect(said).toEqual([{ kind: 'fallback', key: 'k1', transition: 'fired' }]);
  });

  it('gives the all-clear by itself to a collector that does not know the word', async () => {
    const { collector, pass, types, said, disk } = await begin();
    collector.connected = false;
    await pass(15 * minuteMs);

    collector.connected = true;
    await pass(5 * minuteMs);
    expect(types()).toEqual(['collector.unreachable']);
    await pass(30 * minuteMs);

    expect(types()).toEqual(['collector.unreachable', 'collector.recovered']);
    expect(said.length).toBeGreaterThan(9);
    expect(readState(disk.text).told).toBeNull();
  });

  it('tells people although its disk takes nothing', async () => {
    const { collector, pass, types, disk } = await begin();
    await pass(minuteMs);
    disk.isFull = true;
    collector.connected = false;

    await pass(20 * minuteMs);

    expect(types()).toEqual(['collector.unreachable']);
  });

  it('leaves its place when it stops while all is well, and takes it along out of an outage', async () => {
    const well = await begin();
    await well.pass(tickMs);
    await well.fallback[Symbol.asyncDispose]();

    const alone = await begin();
    alone.collector.connected = false;
    await alone.pass(minuteMs);
    await alone.fallback[Symbol.asyncDispose]();

    expect(readState(well.disk.text).place).toBeNull();
    expect(readState(alone.disk.text)).toMatchObject({ place: { key: 'k1', rank: 0 }, aloneMs: minuteMs });
  });
});
