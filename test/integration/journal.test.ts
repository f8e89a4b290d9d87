import { appendFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { writePlace } from '../../agent/src/watchers/journal/cursor.ts';
import { createJournalWatcher, type JournalWatcher } from '../../agent/src/watchers/journal.ts';
import type { Sighting } from '../../agent/src/watchers/watcher.ts';
import { eventually } from '../support/eventually.ts';
import { ManualClock } from '../support/manual-clock.ts';

const log = pino({ level: 'silent' });
const program = fileURLToPath(new URL('../support/fake-journalctl.mjs', import.meta.url));
const recorded = readFileSync(new URL('../fixtures/journal/units.jsonl', import.meta.url), 'utf8')
  .trim()
  .split('\n');
const cursorOf = (line: string | undefined) => String(JSON.parse(line ?? '{}').__CURSOR);
const timeOf = (line: string | undefined) => Number(JSON.parse(line ?? '{}').__REALTIME_TIMESTAMP) / 1000;

describe('the journal watcher', () => {
  let folder: string;
  let file: string;
  let abort: AbortController;
  let sightings: Sighting[];
  let saved: string | null;
  let watcher: JournalWatcher | null;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'runnerwatch-journal-'));
    file = join(folder, 'journal.jsonl');
    abort = new AbortController();
    sightings = [];
    saved = null;
    watcher = null;
  });

  afterEach(async () => {
    abort.abort();
    await watcher?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  function create(clock: Clock = systemClock): JournalWatcher {
    watcher = createJournalWatcher({
      report: (sighting) => sightings.push(sighting),
      include: ['*.scope', '*.service'],
      exclude: ['evil.service'],
      logLines: 100,
      cursor: {
        load: async () => saved,
        save: async (text) => {
          saved = text;
        },
      },
      clock,
      log,
      command: [process.execPath, program, file],
      isBooted: () => true,
    });
    return watcher;
  }

  const append = (lines: readonly string[]) => appendFileSync(file, lines.map((line) => `${line}\n`).join(''));
  const ends = () => sightings.filter((sighting) => sighting.kind === 'unit_ended');
  const gaps = () => sightings.flatMap((sighting) => (sighting.kind === 'gap' ? [sighting.gap] : []));

  it('hears what comes, keeps the log of a run, and tells nothing from before it was first started', async () => {
    append(recorded.slice(0, 2));
    const journal = create();
    await journal.start(abort.signal);

    append(recorded.slice(2));

    await eventually(() => ends().length === 7);
    expect(ends().map((end) => end.unit)).not.toContain('t1.scope');
    expect(journal.tailOf('b1'.padStart(32, '0'))?.[0]).toBe('epoch 1');
    expect(journal.state()).toMatchObject({ name: 'journal', state: 'seeing', reason: null });
    expect(gaps()).toEqual([]);
  });

  it('tells after a restart what ended while it was away, once', async () => {
    append(recorded.slice(0, 10));
    saved = writePlace({ cursor: cursorOf(recorded[3]), savedAt: timeOf(recorded[3]) });
    const journal = create();

    await journal.start(abort.signal);
    expect(ends().map((end) => [end.unit, end.result])).toEqual([['t2.scope', 'oom-kill']]);
    append(recorded.slice(10));

    await eventually(() => ends().length === 7);
    expect(new Set(ends().map((end) => end.invocationId)).size).toBe(7);
    expect(gaps()).toEqual([]);
  });

  it('F001 knows of a stop that was ordered before the place where it began to follow', async () => {
    const stopping = recorded.findIndex((line) => line.includes('Stopping t4.scope'));
    append(recorded.slice(0, stopping + 1));
    saved = writePlace({ cursor: cursorOf(recorded[3]), savedAt: timeOf(recorded[3]) });
    await create().start(abort.signal);

    append(recorded.slice(stopping + 1));

    const end = await eventually(() => ends().find(({ unit }) => unit === 't4.scope'));
    expect(end.stopJob).toBe(true);
  });

  it('F034 says how many entries were removed before they were read, and goes on at the oldest left', async () => {
    append(recorded.slice(20));
    saved = writePlace({ cursor: cursorOf(recorded[4]), savedAt: timeOf(recorded[4]) });

    await create().start(abort.signal);

    expect(gaps()).toEqual([
      expect.objectContaining({ source: 'journal', lost: 15, cause: expect.stringContaining('removed') }),
    ]);
    expect(ends().map((end) => end.unit)).toEqual([
      'train.service',
      't3.scope',
      't4.scope',
      'once.service',
      't6.scope',
    ]);
  });

  it('F035 goes on by time when the saved place is from another journal, and says so', async () => {
    append(recorded);
    saved = writePlace({
      cursor: cursorOf(recorded[4]).replace(/^s=[0-9a-f]+/, 's=dead'),
      savedAt: timeOf(recorded[21]),
    });

    await create().start(abort.signal);

    expect(gaps()).toEqual([
      expect.objectContaining({ lost: null, cause: expect.stringContaining('another journal') }),
    ]);
    expect(ends().map((end) => end.unit)).toContain('t6.scope');
  });

  it('F035 does not wait for a place in the future', async () => {
    append(recorded);
    const future = (Date.now() + 86_400_000) * 1000;
    saved = writePlace({
      cursor: cursorOf(recorded[4]).replace(/t=[0-9a-f]+/, `t=${future.toString(16)}`),
      savedAt: timeOf(recorded[4]),
    });

    await create().start(abort.signal);

    expect(gaps()).toEqual([expect.objectContaining({ cause: expect.stringContaining('future') })]);
    expect(ends().map((end) => end.unit)).toContain('t6.scope');
  });

  it('F035 says that a damaged place is damaged', async () => {
    append(recorded);
    saved = '{"cursor":';

    await create().start(abort.signal);

    expect(gaps()).toEqual([expect.objectContaining({ cause: expect.stringContaining('damaged') })]);
    await eventually(() => watcher?.state().state === 'seeing');
  });

  it('F036 starts journalctl again when it ends, says blind after three failures, and sees again', async () => {
    append(recorded.slice(0, 1));
    writeFileSync(`${file}.mode`, 'fail\nFailed to open the journal: Too many open files');
    const journal = create();

    await journal.start(abort.signal);
    const patience = { timeoutMs: 30_000 };
    const blind = await eventually(
      () =>
        journal.state().state === 'blind' && journal.state().reason !== 'not started' ? journal.state() : undefined,
      patience,
    );
    expect(blind.reason).toContain('Too many open files');
    rmSync(`${file}.mode`);

    await eventually(() => journal.state().state === 'seeing', patience);
    append(recorded.slice(1));
    await eventually(() => ends().some((end) => end.unit === 't6.scope'), patience);
  });

  it('is blind, and stays so, where it may not read, however long journalctl takes to say it', async () => {
    append(recorded.slice(0, 1));
    writeFileSync(`${file}.mode`, 'fail late\nNo journal files were opened due to insufficient permissions.');
    const journal = create();
    const states: string[] = [];

    await journal.start(abort.signal);
    await eventually(() => journal.state().reason?.includes('insufficient permissions'));
    await eventually(() => {
      states.push(journal.state().state);
      return states.length > 60 ? true : undefined;
    });

    expect(new Set(states)).toEqual(new Set(['blind']));
  });

  it('F036 finds a journalctl that hangs and loses nothing that was written meanwhile', async () => {
    const clock = new ManualClock(Date.now());
    append(recorded.slice(0, 2));
    writeFileSync(`${file}.mode`, 'hang');
    await create(clock).start(abort.signal);
    await eventually(() => existsSync(`${file}.hangs`));
    append(recorded.slice(2));
    rmSync(`${file}.mode`);

    await eventually(async () => {
      await clock.advance(30_000);
      return ends().length === 7;
    });
    expect(new Set(ends().map((end) => end.invocationId)).size).toBe(7);
    const states = sightings.flatMap((seen) => (seen.kind === 'state_changed' ? [seen.state] : []));
    expect(states.find(({ state }) => state === 'blind')?.reason).toBe(
      'journalctl shows nothing new, although there is',
    );
  });

  it('saves its place at its first start, then one period late while it runs, exactly when it stops', async () => {
    const clock = new ManualClock(Date.now());
    append(recorded.slice(0, 1));
    await create(clock).start(abort.signal);
    append(recorded.slice(1));
    await eventually(() => ends().length === 8);

    await clock.advance(5_000);
    expect(saved).toContain(cursorOf(recorded[0]));
    await clock.advance(5_000);
    expect(saved).toContain(cursorOf(recorded.at(-1)));

    append([recorded[1] ?? '']);
    await eventually(() => ends().length === 9);
    await watcher?.stop();
    expect(saved).toContain(cursorOf(recorded[1]));
  });
});

it('is off where systemd is not PID 1', async () => {
  const journal = createJournalWatcher({
    report: () => {},
    include: ['*'],
    exclude: [],
    logLines: 1,
    cursor: { load: async () => null, save: async () => {} },
    clock: systemClock,
    log,
    isBooted: () => false,
  });

  await journal.start(new AbortController().signal);

  expect(journal.state()).toMatchObject({ state: 'off', reason: 'PID 1 is not systemd' });
  await journal.stop();
});
