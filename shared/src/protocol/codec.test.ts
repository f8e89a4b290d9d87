import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { EventBody } from '../model/event.ts';
import { toInstant } from '../model/instant.ts';
import type { SourceState } from '../model/node.ts';
import { decode, encode, encodeBatch, maxFrameBytes, maxFrameDepth } from './codec.ts';
import type { AgentFrame, CollectorFrame } from './frames.ts';

const instant = fc.integer({ min: 0, max: 4_102_444_800_000 }).map(toInstant);
const orNull = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: null });
const count = fc.maxSafeNat();
const text = fc.string({ unit: 'binary', maxLength: 40 });
const uuid = fc.uuid();
const finite = fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => (Object.is(value, -0) ? 0 : value));

const task = fc.record({
  id: text,
  task_id: text,
  name: text,
  job: orNull(text),
  project: orNull(text),
  owner: orNull(text),
  source: fc.constantFrom('systemd' as const, 'docker' as const, 'podman' as const, 'run' as const),
  unit: orNull(text),
  container_id: orNull(text),
  command: orNull(text),
  started_at: orNull(instant),
});

const ending = fc.record({
  status: fc.constantFrom('completed' as const, 'failed' as const, 'unknown' as const),
  exit_code: orNull(fc.integer()),
  signal: orNull(text),
  ended_at: instant,
  ended_at_approximate: fc.boolean(),
  duration_ms: orNull(finite),
  cpu_ms: orNull(finite),
  memory_peak_bytes: orNull(finite),
  memory_limit_bytes: orNull(finite),
  error_message: orNull(text),
  verdict: fc.record({
    cause: fc.constantFrom('success' as const, 'exit_code' as const, 'oom_limit' as const),
    confidence: fc.constantFrom('proven' as const, 'likely' as const),
    summary: text,
    evidence: fc.array(fc.record({ source: text, at: instant, fact: text }), { maxLength: 3 }),
    advice: fc.array(text, { maxLength: 3 }),
  }),
});

const body: fc.Arbitrary<EventBody> = fc.oneof(
  fc.record({ kind: fc.constant('task_started' as const), task }),
  fc.record({
    kind: fc.constant('task_ended' as const),
    task,
    ending,
    log_tail: orNull(fc.array(text, { maxLength: 5 })),
  }),
  fc.record({
    kind: fc.constant('gap' as const),
    gap: fc.record({
      source: text,
      cause: text,
      lost: orNull(count),
      at_most: orNull(count),
      from: orNull(instant),
      to: orNull(instant),
      lane: orNull(fc.constantFrom('ends' as const, 'facts' as const)),
      from_seq: orNull(count),
      to_seq: orNull(count),
    }),
  }),
);

const positions = fc.record({ ends: count, facts: count });
const agentFrames: fc.Arbitrary<AgentFrame> = fc.oneof(
  fc.record({
    kind: fc.constant('batch' as const),
    lane: fc.constantFrom('ends' as const, 'facts' as const),
    events: fc.array(fc.record({ seq: fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), at: instant, body }), {
      minLength: 1,
      maxLength: 4,
    }),
  }),
  fc.record({
    kind: fc.constant('hello' as const),
    protocol: fc.record({ min: fc.nat(), max: fc.nat() }),
    node_id: uuid,
    agent_version: text,
    stream_id: uuid,
    last: positions,
    oldest: positions,
    heartbeat_interval_ms: fc.integer({ min: 1 }),
    at: instant,
    node: fc.record({
      name: text,
      labels: fc.dictionary(
        text.filter((key) => key !== '__proto__'),
        text,
        { noNullPrototype: true },
      ),
      boot_id: orNull(text),
      inventory: fc.constant(null),
      sources: fc.constant<SourceState[]>([]),
    }),
  }),
  fc.record({ kind: fc.constant('ping' as const), id: fc.integer(), at: instant }),
  fc.record({
    kind: fc.constant('goodbye' as const),
    reason: fc.constantFrom('stopping' as const, 'rebooting' as const),
  }),
  fc.record({
    kind: fc.constant('fallback' as const),
    key: text,
    transition: fc.constantFrom('fired' as const, 'resolved' as const),
  }),
);
const collectorFrames: fc.Arbitrary<CollectorFrame> = fc.oneof(
  fc.record({
    kind: fc.constant('welcome' as const),
    protocol: fc.nat(),
    collector_id: text,
    committed: positions,
    at: instant,
  }),
  fc.record({
    kind: fc.constant('ack' as const),
    lane: fc.constantFrom('ends' as const, 'facts' as const),
    seq: count,
  }),
  fc.record({ kind: fc.constant('pong' as const), id: fc.integer(), at: instant }),
  fc.record({
    kind: fc.constant('deputy' as const),
    place: orNull(fc.record({ key: text, rank: fc.nat() })),
    obstacle: orNull(text),
  }),
  fc.record({
    kind: fc.constant('all_clear' as const),
    key: text,
    teller: fc.constantFrom('you' as const, 'other' as const, 'nobody' as const),
  }),
  fc.record({ kind: fc.constant('refused' as const), code: text, message: text }),
);

const ack = { kind: 'ack', lane: 'ends', seq: 1 } as const;

describe('codec', () => {
  it('gives back every frame that was encoded', () => {
    fc.assert(
      fc.property(agentFrames, (frame) => {
        expect(decode(encode(frame), 'agent')).toEqual({ kind: 'frame', frame });
      }),
    );
    fc.assert(
      fc.property(collectorFrames, (frame) => {
        expect(decode(encode(frame), 'collector')).toEqual({ kind: 'frame', frame });
      }),
    );
  });

  it('builds the same batch from event texts as from events', () => {
    const events = [1, 2].map((seq) => ({
      seq,
      at: toInstant(0),
      body: { kind: 'task_started' as const, task: fc.sample(task, 1)[0] },
    }));

    const text = encodeBatch(
      'facts',
      events.map((event) => JSON.stringify(event)),
    );

    expect(decode(text, 'agent')).toEqual({ kind: 'frame', frame: { kind: 'batch', lane: 'facts', events } });
  });

  it('answers any text with a value and never throws', () => {
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.json(),
          fc.json().map((json) => `{"kind":"batch","events":${json}}`),
        ),
        (text) => {
          expect(['frame', 'unknown', 'refused']).toContain(decode(text, 'agent').kind);
          expect(['frame', 'unknown', 'refused']).toContain(decode(text, 'collector').kind);
        },
      ),
    );
  });

  it('answers a frame with flipped characters with a value and never throws', () => {
    fc.assert(
      fc.property(agentFrames, fc.nat(), fc.string({ minLength: 1, maxLength: 3 }), (frame, place, junk) => {
        const text = encode(frame);
        const at = place % text.length;

        const decoded = decode(text.slice(0, at) + junk + text.slice(at + junk.length), 'agent');

        if (decoded.kind === 'refused') expect(decoded.what).not.toBe('');
      }),
    );
  });

  it('ignores fields it has not heard of', () => {
    expect(decode(JSON.stringify({ ...ack, colour: 'green' }), 'collector')).toEqual({ kind: 'frame', frame: ack });
  });

  it('tells an unknown kind from a broken frame', () => {
    expect(decode('{"kind":"dance"}', 'collector')).toEqual({
      kind: 'unknown',
      where: 'kind',
      what: 'unknown kind "dance"',
    });
    expect(decode('{"kind":7}', 'collector')).toMatchObject({ kind: 'refused', where: 'kind' });
    expect(decode('{"kind":"ping","id":1,"at":"2026-01-01T00:00:00.000Z"}', 'collector').kind).toBe('unknown');
  });

  it('F074 names the field that is wrong and what it should be', () => {
    const events = [
      { seq: 1, at: toInstant(0), body: { kind: 'gap', gap: { source: 'spool', cause: 'x', lost: 'many' } } },
    ];

    expect(decode(JSON.stringify({ kind: 'batch', lane: 'ends', events }), 'agent')).toMatchObject({
      kind: 'refused',
      reason: 'invalid',
      where: 'events[0].body.gap.lost',
      what: 'expected number',
    });
    expect(decode('{"kind":"ack","lane":"middle","seq":1}', 'collector')).toMatchObject({
      where: 'lane',
      what: 'expected "ends" or "facts"',
    });
    expect(decode('{"kind":"ack","lane":"ends"}', 'collector')).toMatchObject({ where: 'seq' });
    expect(decode('{', 'collector')).toMatchObject({ reason: 'not_json' });
    expect(decode('null', 'collector')).toMatchObject({ reason: 'invalid' });
  });

  it.each(['9007199254740993', '-1', '1.5', '1e400', '"1"', 'null'])('F074 refuses %s as a sequence number', (seq) => {
    expect(decode(`{"kind":"ack","lane":"ends","seq":${seq}}`, 'collector')).toMatchObject({
      kind: 'refused',
      where: 'seq',
    });
  });

  it('F074 refuses what is too big or too deep before building anything from it', () => {
    expect(decode('['.repeat(1_000_000), 'agent')).toMatchObject({ reason: 'too_deep' });
    expect(decode(`{"kind":"x","a":${'['.repeat(maxFrameDepth)}${']'.repeat(maxFrameDepth)}}`, 'agent')).toMatchObject({
      reason: 'too_deep',
    });
    expect(decode(`"${'['.repeat(1000)}"`, 'agent')).toMatchObject({ reason: 'invalid' });
    expect(decode(`"${'a'.repeat(maxFrameBytes)}"`, 'agent')).toMatchObject({ reason: 'too_big' });
    expect(decode(`"${'é'.repeat(maxFrameBytes / 2)}"`, 'agent')).toMatchObject({ reason: 'too_big' });
  });

  it('F074 lets no key reach a prototype', () => {
    const hostile = fc.sample(agentFrames, 200).find((frame) => frame.kind === 'hello');
    const text = encode(hostile ?? { kind: 'ping', id: 1, at: toInstant(0) }).replace(
      /"labels":\{[^}]*\}/,
      '"labels":{"__proto__":"x","constructor":"y"}',
    );

    decode(text, 'agent');
    const withProto = decode(
      '{"kind":"ack","lane":"ends","seq":1,"__proto__":{"admin":true},"constructor":{"prototype":{"admin":true}}}',
      'collector',
    );

    expect(withProto).toEqual({ kind: 'frame', frame: ack });
    expect('admin' in {}).toBe(false);
    expect(Object.keys(withProto.kind === 'frame' ? withProto.frame : {})).toEqual(['kind', 'lane', 'seq']);
  });
});
