import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { type Lane, lanes } from '@runnerwatch/shared/model/event.ts';
import { Cursor, type CursorState, emptyCursor } from './cursor.ts';
import { codeOf, lstatOrUndefined } from './files.ts';
import { type LaneFiles, openLane } from './lane-files.ts';
import { acquireLock, type SpoolLock } from './lock.ts';
import type { ReportProblem } from './problem.ts';
import { Quarantine } from './quarantine.ts';
import { Reserve } from './reserve.ts';
import { MiB, type SpoolOptions } from './spool-options.ts';
import { newStream, readStream, SpoolFolderError, type Stream, writeStream } from './stream.ts';

export type Both<T> = Readonly<Record<Lane, T>>;

/** What lies in a spool's folder, opened. */
export interface SpoolFolder {
  readonly lock: SpoolLock;
  readonly quarantine: Quarantine;
  readonly files: Both<LaneFiles>;
  readonly stream: Stream;
  readonly cursor: Cursor;
  readonly state: CursorState;
  readonly reserve: Reserve;
}

/** Takes the folder for this process and takes stock of it. Lets it go again when that fails. */
export async function openFolder(options: SpoolOptions): Promise<SpoolFolder> {
  const { folder, report } = options;
  try {
    await mkdir(folder, { recursive: true, mode: 0o700 });
  } catch (error) {
    throw new SpoolFolderError(`the spool folder ${folder} cannot be made: ${String(codeOf(error) ?? error)}`, error);
  }
  const lock = await takeLock(options);
  try {
    const quarantine = new Quarantine(join(folder, 'quarantine'), report);
    const files = {
      ends: await openLane('ends', { folder, quarantine, report }),
      facts: await openLane('facts', { folder, quarantine, report }),
    };
    const stream = await openStream(folder, files, { quarantine, report });
    const cursor = new Cursor(join(folder, 'cursor'));
    const state = await openCursor(cursor, files, { stream, report });
    const reserve = new Reserve(join(folder, 'reserve'), options.reserveBytes ?? MiB);
    await reserve.fill();
    return { lock, quarantine, files, stream, cursor, state, reserve };
  } catch (error) {
    await lock.release();
    throw error;
  }
}

async function takeLock({ folder, report, procRoot = '/proc' }: SpoolOptions): Promise<SpoolLock> {
  try {
    return await acquireLock({ folder, report, procRoot });
  } catch (error) {
    const code = codeOf(error);
    if (code === undefined) throw error;
    throw new SpoolFolderError(`the spool folder ${folder} cannot be written to: ${code}`, error);
  }
}

async function openStream(
  folder: string,
  files: Both<LaneFiles>,
  { quarantine, report }: { quarantine: Quarantine; report: ReportProblem },
): Promise<Stream> {
  const found = await readStream(folder);
  if (found !== undefined) return found;
  const path = join(folder, 'stream.json');
  if ((await lstatOrUndefined(path)) !== undefined)
    report({ kind: 'odd_file', file: path, what: 'foreign', aside: await quarantine.take(path) });
  const [newest] = lanes
    .map((lane) => files[lane])
    .filter((lane) => lane.streamId !== undefined)
    .sort((a, b) => (b.segments.at(-1)?.createdAt ?? 0) - (a.segments.at(-1)?.createdAt ?? 0));
  const stream = newStream();
  const recovered = newest?.streamId === undefined ? stream : { ...stream, stream_id: newest.streamId };
  await writeStream(folder, recovered);
  return recovered;
}

async function openCursor(
  cursor: Cursor,
  files: Both<LaneFiles>,
  { stream, report }: { stream: Stream; report: ReportProblem },
): Promise<CursorState> {
  const reading = await cursor.read();
  const isFresh = lanes.every((lane) => files[lane].lastSeq === 0);
  if (reading.kind !== 'read' && !(isFresh && reading.kind === 'missing'))
    report({ kind: 'cursor', what: reading.kind, lane: null });
  if (reading.kind === 'read' && reading.isPartlyDamaged) report({ kind: 'cursor', what: 'damaged', lane: null });
  const state: CursorState = reading.kind === 'read' ? reading.state : emptyCursor();
  for (const lane of lanes) {
    state.acknowledged[lane] = Math.max(state.acknowledged[lane], stream.base[lane]);
    if (state.acknowledged[lane] <= files[lane].lastSeq) continue;
    // The numbers up to there are committed elsewhere; they must not be given to other records.
    if (state.acknowledged[lane] > stream.base[lane]) report({ kind: 'cursor', what: 'ahead', lane });
    files[lane].lastSeq = state.acknowledged[lane];
    files[lane].isTailSound = false;
  }
  await cursor.write(state);
  return state;
}
