import { open, readdir, readFile, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { SpoolProblem } from '@runnerwatch/agent/spool/problem.ts';
import { encodeRecord } from '@runnerwatch/agent/spool/record.ts';
import { encodeSegmentHeader, segmentName } from '@runnerwatch/agent/spool/segment.ts';
import { openSpool, type Spool, type SpoolOptions } from '@runnerwatch/agent/spool/spool.ts';
import type { EventBody, Gap } from '@runnerwatch/shared/model/event.ts';
import { describe, expect, it, onTestFinished } from 'vitest';
import { noon, taskEnded, taskIdOf, taskStarted } from '../support/events.ts';
import { eventually } from '../support/eventually.ts';
import { canMount, mountTmpfs } from '../support/private-mount.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { haveTool } from '../support/tool.ts';
import { readAll, startWriter } from '../support/written-spool.ts';

const hasStrace = haveTool('strace', 'Debian: apt-get install strace');

const seed = Number(process.env['SEED'] ?? Math.floor(Math.random() * 1e6));

/** Uniform in [0, 1), the same for the same seed (mulberry32). */
function randomFrom(start: number): () => number {
  let state = start;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

async function opened(
  options: Partial<SpoolOptions> & { folder: string },
): Promise<{ spool: Spool; problems: SpoolProblem[] }> {
  const problems: SpoolProblem[] = [];
  const spool = await openSpool({ report: (problem) => problems.push(problem), now: Date.now, tickMs: 20, ...options });
  onTestFinished(() => spool.close());
  return { spool, problems };
}

/** Leaves no free byte, whatever it takes. */
async function fill(folder: string): Promise<string> {
  const path = join(folder, 'filler');
  const handle = await open(path, 'w');
  const block = Buffer.alloc(4096);
  let isFull = false;
  while (!isFull) {
    isFull = await handle.write(block).then(
      ({ bytesWritten }) => bytesWritten < block.length,
      () => true,
    );
  }
  await handle.close();
  expect((await statfs(folder)).bavail).toBe(0);
  return path;
}

async function bodiesOf(spool: Spool): Promise<EventBody[]> {
  return (await spool.read('ends', 0, 1e9)).map((event) => (JSON.parse(event.text) as { body: EventBody }).body);
}

const overflow: EventBody = {
  kind: 'condition',
  report: {
    condition: 'SpoolOverflow',
    component: 'agent',
    subject: '',
    status: 'true',
    severity: 'critical',
    reason: 'full',
    value: null,
    threshold: null,
    since: new Date(noon).toISOString(),
  },
};

describe('spool under a failing process', () => {
  it(`F002 keeps everything it promised, once, through kill -9 at any moment (seed ${seed})`, async () => {
    const folder = await temporaryFolder();
    const random = randomFrom(seed);
    const kept = new Map<string, number>();
    const begun = new Set<string>();

    for (let round = 1; round <= 8; round++) {
      const killAfter = Math.floor(random() * 400) + 1;
      const run = startWriter({
        folder,
        prefix: `r${round}-`,
        count: 100_000,
        width: 1 + Math.floor(random() * 16),
        onLine: (line, child) => {
          if (line.endsWith(`-${killAfter}`)) child.kill('SIGKILL');
        },
      });
      await run.ended;
      for (const [id, seq] of run.kept) kept.set(id, seq);
      for (const id of run.begun) begun.add(id);

      const { ids, seqs, problems } = await readAll(folder);
      const counts = new Map<string | undefined, number>();
      for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
      expect([...kept.keys()].filter((id) => counts.get(id) !== 1)).toEqual([]);
      expect(ids.filter((id) => id === undefined || !begun.has(id))).toEqual([]);
      expect(new Set(ids).size).toBe(ids.length);
      expect(seqs).toEqual(seqs.map((_, index) => index + 1));
      expect([...kept].filter(([id, seq]) => ids[seq - 1] !== id)).toEqual([]);
      expect(problems.filter((problem) => !['torn', 'stale_lock'].includes(problem.kind))).toEqual([]);
    }
    expect(kept.size).toBeGreaterThan(100);
  });

  it.skipIf(!hasStrace).each(['pwrite64', 'fdatasync', 'fsync'])(
    'F002 keeps everything it promised through kill -9 at the first calls of %s',
    async (call) => {
      for (const when of [1, 2, 4, 7]) {
        const folder = await temporaryFolder();
        const run = startWriter({
          folder,
          prefix: 'a',
          count: 400,
          strace: ['-e', `trace=${call}`, '-e', `inject=${call}:signal=SIGKILL:when=${when}`],
        });
        await run.ended;

        const { ids, problems } = await readAll(folder);

        expect(run.lines).not.toContain('closed');
        expect([...run.kept.keys()].filter((id) => ids.filter((one) => one === id).length !== 1)).toEqual([]);
        expect(ids.filter((id) => id === undefined || !run.begun.has(id))).toEqual([]);
        expect(problems.filter((problem) => !['torn', 'stale_lock', 'cursor'].includes(problem.kind))).toEqual([]);
      }
    },
  );

  it('F006 refuses a second agent with one clear line, and takes the spool over from one that was killed', async () => {
    const folder = await temporaryFolder();
    const first = startWriter({ folder, prefix: 'a', count: 1_000_000, width: 1 });
    await eventually(() => first.kept.size > 0);

    const second = startWriter({ folder, prefix: 'b', count: 1 });
    await second.ended;
    first.child.kill('SIGKILL');
    await first.ended;
    const third = startWriter({ folder, prefix: 'c', count: 1 });
    await third.ended;

    expect(second.lines).toEqual([
      `failed SpoolLockedError the spool ${folder} is in use by another agent (pid ${first.child.pid}); stop it first, or give this one its own data_dir`,
    ]);
    expect(second.child.exitCode).toBe(3);
    expect(third.lines).toContain(`problem {"kind":"stale_lock","pid":${first.child.pid}}`);
    expect(third.lines).toContain('closed');
  });

  it('F006 knows a lock as stale when its pid now belongs to another process or its boot is over', async () => {
    const folder = await temporaryFolder();
    const self = { boot_id: null as string | null, pid: process.pid, start_ticks: 1 };
    const { boot_id } = await opened({ folder }).then(async ({ spool }) => {
      const lock = JSON.parse(await readFile(join(folder, 'lock'), 'utf8')) as typeof self;
      await spool.close();
      return lock;
    });

    for (const lock of [
      JSON.stringify({ ...self, boot_id }),
      JSON.stringify({ ...self, boot_id: 'of-an-earlier-boot' }),
      'garbage',
      '',
    ]) {
      await writeFile(join(folder, 'lock'), lock);
      const { spool, problems } = await opened({ folder });
      expect(problems.map((problem) => problem.kind)).toEqual(['stale_lock']);
      await expect(openSpool({ folder, report: () => {}, now: Date.now })).rejects.toThrow(/in use by another agent/);
      await spool.close();
    }
    expect((await readdir(folder)).filter((name) => name.startsWith('lock'))).toEqual([]);
  });
});

describe.skipIf(!canMount())('spool on a failing disk', () => {
  it('F007 sheds by class on a full disk, keeps ends and SpoolOverflow in its reserve, counts exactly and recovers by itself', async () => {
    const { folder: disk } = await mountTmpfs('size=4m');
    const { spool, problems } = await opened({ folder: join(disk, 'spool'), reserveBytes: 256 * 1024 });
    await spool.append(taskEnded('before', ['a log line']), noon);
    const filler = await fill(disk);

    const facts = await Promise.allSettled(
      Array.from({ length: 50 }, (_, index) => spool.append(taskStarted(`${'f'.repeat(200)}${index}`), noon + index)),
    );
    const refused = facts.filter((fact) => fact.status === 'rejected').length;
    await spool.append(taskEnded('full', ['x'.repeat(1000)]), noon);
    await spool.append(overflow, noon);

    expect(problems).toContainEqual({ kind: 'full', what: 'space' });
    expect(refused).toBeGreaterThan(0);
    expect(spool.stats).toMatchObject({
      isFull: 'space',
      refusedRecords: { ends: 0, facts: refused },
      shedLogTails: 1,
      isDurable: true,
    });
    expect((await spool.read('facts', 0, 1e9)).at(-1)?.text).toContain('SpoolOverflow');

    await rm(filler);
    await eventually(() => spool.stats.isFull === null);
    const gaps = await eventually(async () => {
      const found = (await bodiesOf(spool)).flatMap((body): Gap[] => (body.kind === 'gap' ? [body.gap] : []));
      return found.length > 0 && found;
    });
    await spool.append(taskStarted('after'), noon);
    expect(gaps).toMatchObject([{ source: 'spool', cause: 'no_room', lane: 'facts', lost: refused, at_most: null }]);
    expect((await spool.read('ends', 0, 1e9)).map((event) => taskIdOf(event.text))).toEqual([
      'before',
      'full',
      undefined,
    ]);
    expect(problems).toContainEqual({ kind: 'recovered', lane: null });
  });

  it('F007 holds ends in memory when even the reserve is used up, and writes them when there is room', async () => {
    const { folder: disk } = await mountTmpfs('size=2m');
    const { spool } = await opened({ folder: join(disk, 'spool'), reserveBytes: 64 * 1024 });
    const filler = await fill(disk);
    const appends = Array.from({ length: 200 }, (_, index) =>
      spool.append(taskEnded(`${'t'.repeat(300)}${index}`), noon),
    );
    await eventually(() => !spool.stats.isDurable);

    expect((await spool.read('ends', 0, 1e9)).length).toBeGreaterThan(0);
    await rm(filler);
    await Promise.all(appends);

    expect((await spool.read('ends', 0, 1e9)).map((event) => event.seq)).toEqual(appends.map((_, index) => index + 1));
    expect(spool.stats.isDurable).toBe(true);
  });

  it('F007 gives up its own oldest facts before it leaves an end in memory', async () => {
    const { folder: disk } = await mountTmpfs('size=2m');
    const { spool, problems } = await opened({ folder: join(disk, 'spool'), reserveBytes: 0, segmentBytes: 8192 });
    for (let index = 0; index < 100; index++)
      await spool.append(taskStarted(`${'f'.repeat(300)}${index}`), noon + index);
    await fill(disk);

    for (let index = 0; index < 20; index++) await spool.append(taskEnded(`${'t'.repeat(300)}${index}`), noon);

    expect(await spool.read('ends', 0, 1e9)).toHaveLength(20);
    const [first] = await spool.read('facts', 0, 1e9);
    expect(JSON.parse(first?.text ?? '')).toMatchObject({
      body: { gap: { cause: 'disk_full', from_seq: 1, lost: first?.seq } },
    });
    expect(problems.some((problem) => problem.kind === 'evicted' && problem.why === 'disk_full')).toBe(true);
  });

  it('F008 says inodes, not space, when the disk has blocks and no inodes', async () => {
    const { folder: disk } = await mountTmpfs('size=16m,nr_inodes=40');
    const { spool, problems } = await opened({ folder: join(disk, 'spool'), segmentBytes: 1, reserveBytes: 4096 });
    await spool.append(taskEnded('before'), noon);
    for (let index = 0; (await statfs(disk)).ffree > 0; index++) await writeFile(join(disk, `inode-${index}`), '');

    await spool.append(taskEnded('full'), noon);
    const waiting = spool.append(taskEnded('waiting'), noon);
    await eventually(() => !spool.stats.isDurable);

    expect(problems).toContainEqual({ kind: 'full', what: 'inodes' });
    expect(spool.stats.isFull).toBe('inodes');
    for (const name of await readdir(disk)) if (name.startsWith('inode-')) await rm(join(disk, name));
    await waiting;
    await eventually(() => spool.stats.isFull === null && spool.stats.isDurable);
    expect((await spool.read('ends', 0, 1e9)).map((event) => taskIdOf(event.text))).toEqual([
      'before',
      'full',
      'waiting',
    ]);
  });

  it('F009 streams from memory while its disk is read-only, says so, and goes on when it is writable again', async () => {
    const { folder: disk, run } = await mountTmpfs('size=4m');
    const folder = join(disk, 'spool');
    const { spool: first } = await opened({ folder });
    await first.append(taskEnded('a'), noon);
    await first.close();
    // The kernel makes a disk read-only only while nothing on it is open for writing.
    const { spool, problems } = await opened({ folder });
    // With its source named the other options stay out of it; an ordinary user's namespace does not know their uid.
    await run('mount -o remount,ro tmpfs /mnt');

    const waiting = spool.append(taskEnded('b'), noon);
    await eventually(() => !spool.stats.isDurable);
    const shown = (await spool.read('ends', 1, 1e9)).map((event) => taskIdOf(event.text));
    await run('mount -o remount,rw tmpfs /mnt');

    expect(shown).toEqual(['b']);
    expect(await waiting).toBe(2);
    await eventually(() => spool.stats.isDurable);
    expect(problems).toContainEqual({ kind: 'not_durable', lane: 'ends', reason: 'EROFS' });
    await spool.close();
    expect((await readAll(folder)).ids).toEqual(['a', 'b']);
  });

  it('F010 leaves no half record when the disk fills in the middle of a group of appends', async () => {
    const { folder: disk } = await mountTmpfs('size=1m');
    const folder = join(disk, 'spool');
    const { spool } = await opened({ folder, reserveBytes: 0 });
    const appends = Array.from({ length: 4000 }, (_, index) =>
      spool.append(taskEnded(`${'t'.repeat(300)}${index}`), noon),
    );
    const kept: number[] = [];
    const settled = Promise.allSettled(appends.map((append) => append.then((seq) => kept.push(seq))));
    await eventually(() => !spool.stats.isDurable);
    const keptThen = [...kept];
    await spool.close();
    await settled;

    const { seqs, ids, problems } = await readAll(folder);

    expect(keptThen.length).toBeGreaterThan(100);
    expect(problems).toEqual([]);
    expect(ids).not.toContain(undefined);
    expect(seqs).toEqual(kept.sort((a, b) => a - b));
  });
});

describe.skipIf(!hasStrace)('spool with failing system calls', () => {
  it('F010 promises nothing that was not written when writes fail from the Nth on', async () => {
    for (const when of [3, 5, 9]) {
      const folder = await temporaryFolder();
      let pid = 0;
      const run = startWriter({
        folder,
        prefix: 'a',
        count: 200,
        strace: ['-e', 'trace=pwrite64', '-e', `inject=pwrite64:error=ENOSPC:when=${when}+`],
        onLine: (line) => {
          if (line.startsWith('open ')) pid = Number(line.slice(5));
          if (line.includes('"not_durable"')) process.kill(pid, 'SIGKILL');
        },
      });
      await run.ended;

      const { ids, problems } = await readAll(folder);

      expect(run.lines.some((line) => line.includes('"kind":"full"'))).toBe(true);
      expect(run.kept.size).toBeLessThan(200);
      expect([...run.kept.keys()].filter((id) => !ids.includes(id))).toEqual([]);
      expect(ids.filter((id) => id === undefined || !run.begun.has(id))).toEqual([]);
      expect(problems.filter((problem) => problem.kind === 'torn' || problem.kind === 'damaged')).toEqual([]);
    }
  });

  it('F011 does not block the event loop while a flush takes 2 s', async () => {
    const folder = await temporaryFolder();
    const run = startWriter({
      folder,
      prefix: 'a',
      count: 40,
      width: 40,
      strace: ['-e', 'trace=fdatasync', '-e', 'inject=fdatasync:delay_enter=2000000:when=3+2'],
    });
    await run.ended;

    const lagMs = Number(run.lines.find((line) => line.startsWith('lag '))?.slice(4));

    expect(run.kept.size).toBe(40);
    // One that waits for the disk stands still for two seconds.
    expect(lagMs).toBeLessThan(1800);
  });
});

describe('a spool at its maximum', () => {
  it('F016 starts with a million records in less than 5 s and 200 MiB', async () => {
    const folder = await temporaryFolder();
    const { spool: fresh } = await opened({ folder, tickMs: 0 });
    const { streamId } = fresh;
    await fresh.append(taskEnded('1'), noon);
    await fresh.close();
    const body = Buffer.from(JSON.stringify(taskStarted('a-task-that-waits')));
    const perSegment = 15_625;
    for (let firstSeq = 2; firstSeq < 1_000_000; firstSeq += perSegment) {
      const records = Array.from({ length: perSegment }, (_, index) =>
        encodeRecord({ seq: firstSeq + index, at: noon }, body),
      );
      const header = encodeSegmentHeader({ lane: 'ends', firstSeq, createdAt: noon, streamId });
      await writeFile(join(folder, 'ends', segmentName(firstSeq)), Buffer.concat([header, ...records]));
    }
    const rssBefore = process.memoryUsage().rss;

    const beganAt = performance.now();
    const { spool, problems } = await opened({ folder, maxBytes: 1024 ** 3, tickMs: 0 });
    const events = await spool.read('ends', 0, 256 * 1024);
    const tookMs = performance.now() - beganAt;

    expect(tookMs).toBeLessThan(5000);
    expect(process.memoryUsage().rss - rssBefore).toBeLessThan(100 * 1024 ** 2);
    expect(spool.positions.last.ends).toBe(1 + perSegment * 64);
    expect(events.length).toBeGreaterThan(100);
    expect(problems).toEqual([]);
    expect(await spool.append(taskEnded('next'), noon)).toBe(2 + perSegment * 64);
  });
});
