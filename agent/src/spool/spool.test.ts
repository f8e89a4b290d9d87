import { copyFile, mkdir, readdir, readFile, rename, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { EventBody, Gap } from '@runnerwatch/shared/model/event.ts';
import { describe, expect, it, onTestFinished } from 'vitest';
import { noon, taskEnded, taskIdOf, taskStarted } from '../../../test/support/events.ts';
import { temporaryFolder } from '../../../test/support/temporary-folder.ts';
import type { SpoolProblem } from './problem.ts';
import { describeProblem } from './problem.ts';
import { recordHeaderBytes } from './record.ts';
import { segmentHeaderBytes } from './segment.ts';
import { InvalidEventError, openSpool, type Spool, type SpoolOptions } from './spool.ts';

const all = 100 * 1024 * 1024;

async function open(
  folder: string,
  options: Partial<SpoolOptions> = {},
): Promise<{ spool: Spool; problems: SpoolProblem[] }> {
  const problems: SpoolProblem[] = [];
  const spool = await openSpool({
    folder,
    report: (problem) => problems.push(problem),
    now: () => noon,
    tickMs: 0,
    reserveBytes: 0,
    ...options,
  });
  onTestFinished(() => spool.close());
  return { spool, problems };
}

async function filled(folder: string, ids: readonly string[], options: Partial<SpoolOptions> = {}): Promise<void> {
  const { spool } = await open(folder, options);
  for (const id of ids) await spool.append(taskEnded(id), noon);
  await spool.close();
}

async function idsIn(spool: Spool, after = 0): Promise<(string | undefined)[]> {
  return (await spool.read('ends', after, all)).map((event) => taskIdOf(event.text));
}

async function gapsIn(spool: Spool, lane: 'ends' | 'facts' = 'ends'): Promise<Gap[]> {
  const bodies = (await spool.read(lane, 0, all)).map((event) => (JSON.parse(event.text) as { body: EventBody }).body);
  return bodies.flatMap((body) => (body.kind === 'gap' ? [body.gap] : []));
}

async function segmentsOf(folder: string, lane = 'ends'): Promise<string[]> {
  return (await readdir(join(folder, lane))).sort().map((name) => join(folder, lane, name));
}

async function flip(path: string, offset: number): Promise<void> {
  const bytes = await readFile(path);
  bytes.writeUInt8(bytes.readUInt8(offset) ^ 0x10, offset);
  await writeFile(path, bytes);
}

const ids = (count: number, from = 1) => Array.from({ length: count }, (_, index) => `t${index + from}`);
/** One record each. */
const tiny = { segmentBytes: 1 };

describe('spool', () => {
  it('numbers each lane from 1 and gives back what was written, in order', async () => {
    const { spool } = await open(await temporaryFolder());

    const numbers = await Promise.all([
      spool.append(taskEnded('a'), noon),
      spool.append(taskStarted('b'), noon),
      spool.append(taskEnded('c'), noon + 1),
    ]);

    expect(numbers).toEqual([1, 1, 2]);
    expect(await spool.read('ends', 0, all)).toEqual([
      { seq: 1, text: JSON.stringify({ seq: 1, at: '2026-01-01T12:00:00.000Z', body: taskEnded('a') }) },
      { seq: 2, text: JSON.stringify({ seq: 2, at: '2026-01-01T12:00:00.001Z', body: taskEnded('c') }) },
    ]);
    expect(spool.positions).toEqual({ last: { ends: 2, facts: 1 }, oldest: { ends: 1, facts: 1 } });
  });

  it('goes on with its stream, its numbers and its cursor after a restart', async () => {
    const folder = await temporaryFolder();
    const { spool: first } = await open(folder);
    await first.append(taskEnded('a'), noon);
    await first.append(taskEnded('b'), noon);
    await first.read('ends', 0, all);
    first.acknowledge('ends', 1);
    const { streamId } = first;
    await first.close();

    const { spool, problems } = await open(folder);

    expect(problems).toEqual([]);
    expect(spool.streamId).toBe(streamId);
    expect(spool.acknowledged).toEqual({ ends: 1, facts: 0 });
    expect(await spool.append(taskEnded('c'), noon)).toBe(3);
    expect(await idsIn(spool, 1)).toEqual(['b', 'c']);
  });

  it('reads in portions of the asked size, at least one event, over segment borders', async () => {
    const { spool } = await open(await temporaryFolder(), { segmentBytes: 2000 });
    for (const id of ids(20)) await spool.append(taskEnded(id), noon);
    const seen: number[] = [];

    for (
      let events = await spool.read('ends', 0, 1800);
      events.length > 0;
      events = await spool.read('ends', seen.at(-1) ?? 0, 1800)
    ) {
      expect(events.length).toBeLessThan(4);
      seen.push(...events.map((event) => event.seq));
    }

    expect(seen).toEqual(ids(20).map((_, index) => index + 1));
    expect((await spool.read('ends', 7, 1)).map((event) => event.seq)).toEqual([8]);
  });

  it('refuses an event that its own schema refuses, before it can block the lane', async () => {
    const { spool } = await open(await temporaryFolder());
    const wrong = taskEnded('a');

    await expect(spool.append({ ...wrong, log_tail: [3] } as unknown as EventBody, noon)).rejects.toThrow(
      InvalidEventError,
    );

    expect(spool.positions.last.ends).toBe(0);
  });

  it('F091 F092 keeps acknowledged records for a collector that comes back from a backup', async () => {
    const { spool, problems } = await open(await temporaryFolder(), tiny);
    for (const id of ids(5)) await spool.append(taskEnded(id), noon);
    await spool.read('ends', 0, all);
    spool.acknowledge('ends', 5);

    const settled = await spool.settle({ ends: 2, facts: 0 });

    expect(settled).toEqual({ kind: 'ready', after: { ends: 2, facts: 0 } });
    expect(problems).toEqual([{ kind: 'rewound', lane: 'ends', fromSeq: 3, toSeq: 5 }]);
    expect(await idsIn(spool, 2)).toEqual(['t3', 't4', 't5']);
  });

  it('forgets acknowledged records beyond the size or age they are kept for, and says so to who asks again', async () => {
    let now = noon;
    const { spool } = await open(await temporaryFolder(), { ...tiny, keepBytes: 3000, keepMs: 1000, now: () => now });
    for (const id of ids(8)) await spool.append(taskEnded(id), noon);
    await spool.read('ends', 0, all);
    spool.acknowledge('ends', 8);

    await spool.tick();
    const kept = spool.positions.oldest.ends;
    now += 2000;
    await spool.tick();

    expect(kept).toBeGreaterThan(3);
    expect(spool.positions.oldest.ends).toBe(8);
    expect(await gapsIn(spool)).toMatchObject([
      { cause: 'no_longer_held', lost: null, at_most: 7, from_seq: 1, to_seq: 7 },
    ]);
  });

  it('ignores an acknowledgement of what was never given out', async () => {
    const { spool } = await open(await temporaryFolder());
    await spool.append(taskEnded('a'), noon);

    spool.acknowledge('ends', 7);

    expect(spool.acknowledged.ends).toBe(0);
    expect(await idsIn(spool)).toEqual(['a']);
  });

  it('F002 cuts a torn last record back, wherever it was torn, and delivers every earlier one once', async () => {
    const folder = await temporaryFolder();
    await filled(folder, ['a', 'b', 'c']);
    const [path = ''] = await segmentsOf(folder);
    const whole = await readFile(path);
    const size = (whole.length - segmentHeaderBytes) / 3;

    for (const cut of [1, recordHeaderBytes - 1, recordHeaderBytes, recordHeaderBytes + 1, size - 1]) {
      await writeFile(path, whole.subarray(0, segmentHeaderBytes + 2 * size + cut));
      const { spool, problems } = await open(folder);

      expect(problems).toEqual([{ kind: 'torn', lane: 'ends', file: path, sizeBytes: cut }]);
      expect(await idsIn(spool)).toEqual(['a', 'b']);
      expect(await spool.append(taskEnded('d'), noon)).toBe(3);
      expect(await idsIn(spool)).toEqual(['a', 'b', 'd']);
      await spool.close();
    }
  });

  it('F003 loses only the record that holds a flipped byte, keeps it aside and puts a gap in its place', async () => {
    const folder = await temporaryFolder();
    await filled(folder, ['a', 'b', 'c']);
    const [path = ''] = await segmentsOf(folder);
    const whole = await readFile(path);
    const size = (whole.length - segmentHeaderBytes) / 3;

    for (let offset = 0; offset < whole.length; offset += 13) {
      await writeFile(path, whole);
      await flip(path, offset);
      await rm(join(folder, 'quarantine'), { recursive: true, force: true });
      const hit = offset < segmentHeaderBytes ? undefined : Math.floor((offset - segmentHeaderBytes) / size);
      const { spool, problems } = await open(folder, { tickMs: 0 });

      const expected = ['a', 'b', 'c'].map((id, index) => (index === hit ? undefined : id));
      expect(await idsIn(spool), `byte ${offset}`).toEqual(expected);
      expect(
        problems.filter((problem) => problem.kind === 'damaged'),
        `byte ${offset}`,
      ).toHaveLength(1);
      expect(await readdir(join(folder, 'quarantine'))).toHaveLength(1);
      if (hit !== undefined) expect(await gapsIn(spool)).toMatchObject([{ cause: 'damaged', from_seq: hit + 1 }]);
      expect(await spool.append(taskEnded('d'), noon)).toBeGreaterThan(3);
      expect((await idsIn(spool)).at(-1)).toBe('d');
      await spool.close();
      for (const extra of (await segmentsOf(folder)).slice(1)) await rm(extra);
      await rm(join(folder, 'cursor'));
    }
  });

  it('F003 says a damaged spot once, not at every start', async () => {
    const folder = await temporaryFolder();
    await filled(folder, ['a', 'b', 'c']);
    await flip((await segmentsOf(folder))[0] ?? '', segmentHeaderBytes + recordHeaderBytes + 3);
    await (await open(folder)).spool.close();

    const { problems, spool } = await open(folder);

    expect(problems).toEqual([]);
    expect(await gapsIn(spool)).toMatchObject([{ lost: 1, from_seq: 1, to_seq: 1, lane: 'ends' }]);
  });

  it('F004 names a missing segment and puts one gap in its place', async () => {
    const folder = await temporaryFolder();
    await filled(folder, ids(5), tiny);
    const paths = await segmentsOf(folder);
    await rm(paths[1] ?? '');
    await rm(paths[2] ?? '');

    const { spool, problems } = await open(folder);

    expect(await idsIn(spool)).toEqual(['t1', undefined, 't4', 't5']);
    expect(await gapsIn(spool)).toMatchObject([{ cause: 'missing', lost: null, at_most: 2, from_seq: 2, to_seq: 3 }]);
    expect(problems).toEqual([{ kind: 'missing', lane: 'ends', fromSeq: 2, toSeq: 3 }]);
  });

  it('F004 sets odd files aside or leaves them, never follows a link and never deletes what it does not understand', async () => {
    const folder = await temporaryFolder();
    await filled(folder, ['a']);
    const [path = ''] = await segmentsOf(folder);
    const outside = join(folder, 'outside');
    await copyFile(path, outside);
    const before = await readFile(outside);
    const at = (seq: number) => join(folder, 'ends', `${String(seq).padStart(16, '0')}.seg`);
    await writeFile(at(2), '');
    await symlink(outside, at(3));
    await writeFile(at(4), 'these are somebody’s notes'.repeat(10));
    await mkdir(at(5));
    await writeFile(join(folder, 'ends', 'notes.txt'), 'mine');
    await copyFile(path, at(6));

    const { spool, problems } = await open(folder);
    await spool.append(taskEnded('b'), noon);
    await spool.append(taskEnded('c'), noon);

    expect(
      problems.map((problem) => (problem.kind === 'odd_file' ? [problem.what, problem.aside !== null] : problem)),
    ).toEqual([
      { kind: 'torn', lane: 'ends', file: at(2), sizeBytes: 0 },
      ['symbolic_link', false],
      ['foreign', true],
      ['not_a_file', false],
      ['foreign', false],
      ['foreign', false],
    ]);
    expect(await idsIn(spool)).toEqual(['a', 'b', 'c']);
    expect(await readFile(outside)).toEqual(before);
    expect(await readFile(join(folder, 'ends', 'notes.txt'), 'utf8')).toBe('mine');
    expect(await readdir(join(folder, 'quarantine'))).toHaveLength(1);
    for (const problem of problems) expect(describeProblem(problem)).toMatch(/ends\//);
  });

  it('F004 moves even a link out of the way when its name is needed, without touching where it leads', async () => {
    const folder = await temporaryFolder();
    await filled(folder, ['a'], tiny);
    const outside = join(folder, 'outside');
    await writeFile(outside, 'mine');
    await symlink(outside, join(folder, 'ends', '0000000000000002.seg'));

    const { spool } = await open(folder, tiny);
    await spool.append(taskEnded('b'), noon);

    expect(await idsIn(spool)).toEqual(['a', 'b']);
    expect(await readFile(outside, 'utf8')).toBe('mine');
  });

  it('F004 leaves a segment of an unknown version alone and gives none of its numbers away', async () => {
    const folder = await temporaryFolder();
    await filled(folder, ['a', 'b'], tiny);
    const [, path = ''] = await segmentsOf(folder);
    const bytes = await readFile(path);
    bytes.writeUInt16LE(9, 8);
    const { crc32 } = await import('node:zlib');
    bytes.writeUInt32LE(crc32(bytes.subarray(0, 60)), 60);
    await writeFile(path, bytes);

    const { spool, problems } = await open(folder);
    const seq = await spool.append(taskEnded('c'), noon);

    expect(problems).toMatchObject([{ kind: 'odd_file', what: 'unknown_version', aside: null }]);
    expect(await readFile(path)).toEqual(bytes);
    expect(seq).toBeGreaterThan(2);
    expect(await gapsIn(spool)).toMatchObject([{ from_seq: 2, to_seq: seq - 1, lost: null }]);
  });

  it('F005 sends everything again when the cursor is missing or damaged', async () => {
    const folder = await temporaryFolder();
    const { spool: first } = await open(folder);
    for (const id of ids(3)) await first.append(taskEnded(id), noon);
    await first.read('ends', 0, all);
    first.acknowledge('ends', 2);
    const { streamId } = first;
    await first.close();

    for (const [what, spoil] of [
      ['missing', () => rm(join(folder, 'cursor'))],
      ['damaged', () => writeFile(join(folder, 'cursor'), 'x'.repeat(2048))],
      ['damaged', () => truncate(join(folder, 'cursor'), 0)],
    ] as const) {
      await spoil();
      const { spool, problems } = await open(folder);
      expect(problems).toEqual([{ kind: 'cursor', what, lane: null }]);
      expect([spool.streamId, spool.acknowledged.ends]).toEqual([streamId, 0]);
      expect(await idsIn(spool)).toEqual(['t1', 't2', 't3']);
      await spool.close();
    }
  });

  it('F005 takes the older half of a half-written cursor', async () => {
    const folder = await temporaryFolder();
    const { spool: first } = await open(folder);
    for (const id of ids(3)) await first.append(taskEnded(id), noon);
    await first.read('ends', 0, all);
    first.acknowledge('ends', 1);
    await first.tick();
    first.acknowledge('ends', 3);
    await first.close();
    const bytes = await readFile(join(folder, 'cursor'), 'utf8');
    await flip(join(folder, 'cursor'), bytes.indexOf('"ends":3'));

    const { spool, problems } = await open(folder);

    expect(problems).toEqual([{ kind: 'cursor', what: 'damaged', lane: null }]);
    expect(spool.acknowledged.ends).toBe(1);
  });

  it('F005 clamps a cursor ahead of the spool, says so, and gives no committed number to another record', async () => {
    const folder = await temporaryFolder();
    const { spool: first } = await open(folder, tiny);
    for (const id of ids(5)) await first.append(taskEnded(id), noon);
    await first.read('ends', 0, all);
    first.acknowledge('ends', 4);
    await first.close();
    for (const path of (await segmentsOf(folder)).slice(2)) await rm(path);

    const { spool, problems } = await open(folder);

    expect(problems).toEqual([{ kind: 'cursor', what: 'ahead', lane: 'ends' }]);
    expect(await spool.append(taskEnded('new'), noon)).toBe(5);
    expect((await spool.settle({ ends: 4, facts: 0 })).kind).toBe('ready');
    expect(await idsIn(spool, 4)).toEqual(['new']);
  });

  it('F005 begins a new stream when the collector has numbers that this spool never gave', async () => {
    const folder = await temporaryFolder();
    const { spool: first } = await open(folder, tiny);
    for (const id of ids(5)) await first.append(taskEnded(id), noon);
    const { streamId } = first;
    await first.read('ends', 0, all);
    first.acknowledge('ends', 2);
    await first.close();
    for (const path of (await segmentsOf(folder)).slice(2)) await rm(path);
    const { spool, problems } = await open(folder);
    await spool.append(taskEnded('new'), noon);

    const settled = await spool.settle({ ends: 5, facts: 0 });

    expect(settled).toEqual({ kind: 'renewed' });
    expect(problems.map((problem) => problem.kind)).toEqual(['stream_renewed']);
    expect(spool.streamId).not.toBe(streamId);
    expect(spool.positions).toMatchObject({ oldest: { ends: 3 }, last: { ends: 3 } });
    expect(await spool.settle({ ends: 0, facts: 0 })).toEqual({ kind: 'ready', after: { ends: 2, facts: 0 } });
    expect(await idsIn(spool, 2)).toEqual(['new']);
  });

  it('F005 F128 counts as told only what was read for a collector, not what the node looked at for itself', async () => {
    const { spool } = await open(await temporaryFolder());
    for (const id of ids(3)) await spool.append(taskEnded(id), noon);

    expect((await spool.peek('ends', 0, all)).map(({ seq }) => seq)).toEqual([1, 2, 3]);

    expect(await spool.settle({ ends: 3, facts: 0 })).toEqual({ kind: 'renewed' });
  });

  it('finds its stream again in a segment when stream.json is lost or damaged', async () => {
    const folder = await temporaryFolder();
    await filled(folder, ['a']);
    const { stream_id } = JSON.parse(await readFile(join(folder, 'stream.json'), 'utf8')) as { stream_id: string };
    await writeFile(join(folder, 'stream.json'), '{');
    const { spool: first } = await open(folder);
    expect(first.streamId).toBe(stream_id);
    await first.close();
    await rm(join(folder, 'stream.json'));

    const { spool } = await open(folder);

    expect(spool.streamId).toBe(stream_id);
  });

  it('F126 refuses a spool made by a newer version with one sentence', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'stream.json'), '{"version":2}');

    await expect(open(folder)).rejects.toThrow(/made by a newer version of the agent \(format 2\)/);

    expect(await readdir(folder)).not.toContain('lock');
  });

  it('F017 gives up facts before ends, says so with one exact gap, before newer facts', async () => {
    let now = noon;
    const { spool } = await open(await temporaryFolder(), { maxBytes: 40_000, segmentBytes: 2500, now: () => now });
    for (const id of ids(20)) await spool.append(taskEnded(id), now);
    for (const id of ids(300)) await spool.append(taskStarted(id), now++);

    const [first, ...rest] = await spool.read('facts', 0, all);
    const [gap] = await gapsIn(spool, 'facts');

    expect(await idsIn(spool)).toEqual(ids(20));
    expect(gap).toMatchObject({ source: 'spool', cause: 'size', lane: 'facts', from_seq: 1, at_most: null });
    expect(gap?.lost).toBe(300 - rest.length);
    expect(gap?.to_seq).toBe(first?.seq);
    expect([gap?.from, gap?.to]).toEqual([noon, noon + (gap?.lost ?? 0) - 1].map((at) => new Date(at).toISOString()));
    expect(rest.map((event) => taskIdOf(event.text))).toEqual(ids(rest.length, (gap?.lost ?? 0) + 1));
    expect(await gapsIn(spool, 'facts')).toHaveLength(1);
    expect(spool.stats.evictedRecords).toBe(gap?.lost);
    expect(spool.stats.sizeBytes).toBeLessThanOrEqual(40_000);
  });

  it('F017 keeps the gap over a restart until it is acknowledged, and only then begins another', async () => {
    const folder = await temporaryFolder();
    const limits = { maxBytes: 10_000, segmentBytes: 1000 };
    await filled(folder, ids(30), limits);
    const { spool } = await open(folder, limits);
    const [before] = await gapsIn(spool);
    const lost = before?.lost ?? 0;
    await spool.read('ends', 0, all);

    spool.acknowledge('ends', lost);
    for (const id of ids(30)) await spool.append(taskEnded(id), noon);
    const events = await spool.read('ends', lost, all);
    const after = (JSON.parse(events[0]?.text ?? '') as { body: { gap: Gap } }).body.gap;

    expect(lost).toBeGreaterThan(5);
    expect(before?.from_seq).toBe(1);
    expect([after.from_seq, after.lost]).toEqual([lost + 1, (after.to_seq ?? 0) - lost]);
  });

  it('F017 gives up records older than the limit, but not for a clock that is years off', async () => {
    let now = noon;
    const { spool, problems } = await open(await temporaryFolder(), { ...tiny, maxAgeMs: 1000, now: () => now });
    for (const id of ids(3)) await spool.append(taskEnded(id), now);

    now = noon + 10 * 365 * 86_400_000;
    await spool.tick();
    expect(problems).toEqual([]);
    now = noon + 2000;
    await spool.tick();

    expect(await gapsIn(spool)).toMatchObject([{ cause: 'age', lost: 2, from_seq: 1, to_seq: 2 }]);
  });

  it('keeps records of any age, a segment filled as ever, where there is no limit', async () => {
    let now = noon;
    const folder = await temporaryFolder();
    const { spool, problems } = await open(folder, { maxAgeMs: 0, now: () => now });
    for (const id of ids(3)) {
      await spool.append(taskEnded(id), now);
      now += 1000;
    }

    now += 10 * 365 * 86_400_000;
    await spool.tick();

    expect(problems).toEqual([]);
    expect(await spool.read('ends', 0, all)).toHaveLength(3);
    expect(await segmentsOf(folder)).toHaveLength(1);
  });

  it('leaves log tails out once it is seven tenths full', async () => {
    const { spool, problems } = await open(await temporaryFolder(), { maxBytes: 20_000, segmentBytes: 1000 });
    for (const id of ids(19)) await spool.append(taskEnded(id, ['x'.repeat(300)]), noon);

    const tails = (await spool.read('ends', 0, all)).map((event) => event.text.includes('xxx'));

    expect(tails.slice(0, 10)).not.toContain(false);
    expect(tails.at(-1)).toBe(false);
    expect(spool.stats.shedLogTails).toBe(tails.filter((has) => !has).length);
    expect(problems.filter((problem) => problem.kind === 'shedding_log_tails')).toHaveLength(1);
  });

  it('cuts a record that fits no frame instead of losing it', async () => {
    const { spool, problems } = await open(await temporaryFolder());
    const body = taskEnded('a');
    if (body.kind === 'task_ended') body.task.command = '😀'.repeat(1_000_000);

    await spool.append(body, noon);

    const [event] = await spool.read('ends', 0, all);
    expect(event?.text.length).toBeLessThan(600_000);
    expect(JSON.parse(event?.text ?? '')).toMatchObject({ body: { kind: 'task_ended', ending: { exit_code: 3 } } });
    expect(problems).toMatchObject([{ kind: 'record_cut' }]);
  });

  it('F009 keeps events in memory while its folder is gone, says so, and picks it up again', async () => {
    const folder = join(await temporaryFolder(), 'spool');
    const { spool, problems } = await open(folder, tiny);
    await spool.append(taskEnded('a'), noon);
    await rename(folder, `${folder}.away`);
    let isKept = false;
    const waiting = spool.append(taskEnded('b'), noon).then((seq) => {
      isKept = true;
      return seq;
    });
    await expect.poll(() => spool.stats.isDurable).toBe(false);

    const shown = await idsIn(spool, 1);
    expect([shown, isKept, spool.stats.pendingRecords]).toEqual([['b'], false, 2]);
    await rename(`${folder}.away`, folder);
    await spool.tick();

    expect(await waiting).toBe(2);
    expect(await idsIn(spool)).toEqual(['a', 'b']);
    expect(problems.map((problem) => problem.kind)).toEqual(['not_durable', 'recovered']);
    expect(spool.stats.isDurable).toBe(true);
  });

  it('F009 counts a record as kept when the collector has it before the disk does', async () => {
    const folder = join(await temporaryFolder(), 'spool');
    const { spool } = await open(folder, tiny);
    await spool.append(taskEnded('a'), noon);
    await rename(folder, `${folder}.away`);
    const waiting = spool.append(taskEnded('b'), noon);
    await expect.poll(() => spool.stats.isDurable).toBe(false);
    await spool.read('ends', 1, all);

    spool.acknowledge('ends', 2);

    expect(await waiting).toBe(2);
    await rename(`${folder}.away`, folder);
    await spool.tick();
    expect(await spool.append(taskEnded('c'), noon)).toBe(3);
    expect(await idsIn(spool, 2)).toEqual(['c']);
  });

  it('F009 makes its folder again when it was removed, and says what is missing', async () => {
    const folder = join(await temporaryFolder(), 'spool');
    const { spool } = await open(folder);
    await spool.append(taskEnded('a'), noon);
    await rm(folder, { recursive: true });

    await spool.tick();
    expect(await spool.append(taskEnded('b'), noon)).toBe(2);

    expect(await idsIn(spool)).toEqual([undefined, 'b']);
    expect(await gapsIn(spool)).toMatchObject([{ cause: 'missing', from_seq: 1, to_seq: 1 }]);
    await spool.close();
    const { spool: next } = await open(folder);
    expect(next.streamId).toBe(spool.streamId);
    expect((await stat(join(folder, 'stream.json'))).isFile()).toBe(true);
  });
});
