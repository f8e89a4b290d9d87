import { type FileHandle, mkdir, readdir, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import type { Lane } from '@runnerwatch/shared/model/event.ts';
import { sparingLater } from '../proc/descriptors.ts';
import { codeOf, lstatOrUndefined, readUpTo } from './files.ts';
import type { ReportProblem } from './problem.ts';
import type { Quarantine } from './quarantine.ts';
import { minRecordBytes, recordHeaderBytes } from './record.ts';
import { openSegment, parseSegmentName, readSegmentHeader, segmentHeaderBytes, walk } from './segment.ts';
import { SpoolFolderError } from './stream.ts';

export interface Segment {
  readonly path: string;
  readonly firstSeq: number;
  /** Milliseconds since the epoch; about the time of its first record. */
  readonly createdAt: number;
  /** Bytes that are durable; nothing beyond is ever read. */
  sizeBytes: number;
}

/** The segments of one lane, oldest first, and the highest number in use. */
export class LaneFiles {
  readonly lane: Lane;
  readonly folder: string;
  readonly segments: Segment[] = [];
  lastSeq = 0;
  /** The stream that the newest segment was written under. */
  streamId: string | undefined;
  /** The newest segment is sound to its end and may be written on. */
  isTailSound = false;

  constructor(lane: Lane, folder: string) {
    this.lane = lane;
    this.folder = folder;
  }

  get sizeBytes(): number {
    return this.segments.reduce((sum, segment) => sum + segment.sizeBytes, 0);
  }

  /** The lowest number that can still be read; one beyond the last when there is none. */
  get oldestSeq(): number {
    return this.segments[0]?.firstSeq ?? this.lastSeq + 1;
  }

  lastSeqOf(segment: Segment): number {
    const next = this.segments[this.segments.indexOf(segment) + 1];
    return next === undefined ? this.lastSeq : next.firstSeq - 1;
  }

  forget(segment: Segment): void {
    const index = this.segments.indexOf(segment);
    if (index === this.segments.length - 1) this.isTailSound = false;
    if (index >= 0) this.segments.splice(index, 1);
  }

  async remove(segment: Segment): Promise<void> {
    try {
      await unlink(segment.path);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    }
    this.forget(segment);
  }
}

interface OpenOptions {
  readonly folder: string;
  readonly quarantine: Quarantine;
  readonly report: ReportProblem;
}

/**
 * Takes stock of a lane's folder. Only headers are read, and the newest segment whole: its torn end is cut back, and a damaged end
 * uses up the numbers it may have held, so that no number is given twice. What is not ours is named and left, or moved aside.
 */
export async function openLane(lane: Lane, options: OpenOptions): Promise<LaneFiles> {
  const folder = join(options.folder, lane);
  await makeFolder(folder);
  const files = new LaneFiles(lane, folder);
  let reservedSeq = 0;
  for (const name of (await sparingLater(() => readdir(folder))).sort()) {
    const found = await inspect(files, name, options);
    if (found.kind === 'segment') {
      files.segments.push(found.segment);
      files.streamId = found.streamId ?? files.streamId;
    } else if (found.kind === 'unreadable') reservedSeq = Math.max(reservedSeq, found.lastSeqAtMost);
  }
  const newest = files.segments.at(-1);
  if (newest !== undefined) await readTail(files, newest, options);
  if (reservedSeq > files.lastSeq) {
    files.lastSeq = reservedSeq;
    files.isTailSound = false;
  }
  return files;
}

async function makeFolder(folder: string): Promise<void> {
  const stat = await lstatOrUndefined(folder);
  if (stat === undefined) await mkdir(folder, { recursive: true, mode: 0o700 });
  else if (!stat.isDirectory()) throw new SpoolFolderError(`${folder} is not a folder; move it away and start again`);
}

type Found =
  | { readonly kind: 'segment'; readonly segment: Segment; readonly streamId: string | undefined }
  | { readonly kind: 'odd' }
  /** Made by a version we do not know: its numbers are taken. */
  | { readonly kind: 'unreadable'; readonly lastSeqAtMost: number };

async function inspect(files: LaneFiles, name: string, { quarantine, report }: OpenOptions): Promise<Found> {
  const path = join(files.folder, name);
  const stat = await lstatOrUndefined(path);
  if (stat === undefined) return { kind: 'odd' };
  const odd = (what: 'symbolic_link' | 'foreign' | 'unknown_version' | 'not_a_file', aside: string | null): Found => {
    report({ kind: 'odd_file', file: path, what, aside });
    return { kind: 'odd' };
  };
  if (stat.isSymbolicLink()) return odd('symbolic_link', null);
  if (!stat.isFile()) return odd('not_a_file', null);
  const firstSeq = parseSegmentName(name);
  if (firstSeq === undefined) return odd('foreign', null);
  if (stat.size === 0) {
    // What a kill between the making of a segment and its header leaves: nothing was promised from it.
    await unlink(path);
    report({ kind: 'torn', lane: files.lane, file: path, sizeBytes: 0 });
    return { kind: 'odd' };
  }
  const handle = await openSegment(path, 'read');
  try {
    const reading = readSegmentHeader(await readUpTo(handle, 0, segmentHeaderBytes));
    const segment = { path, firstSeq, createdAt: stat.mtimeMs, sizeBytes: stat.size };
    if (reading.kind === 'unknown_version') {
      odd('unknown_version', null);
      return { kind: 'unreadable', lastSeqAtMost: firstSeq + Math.floor(stat.size / recordHeaderBytes) };
    }
    if (reading.kind === 'header') {
      const { header } = reading;
      if (header.lane !== files.lane || header.firstSeq !== firstSeq) return odd('foreign', null);
      return { kind: 'segment', segment: { ...segment, createdAt: header.createdAt }, streamId: header.streamId };
    }
    const firstAt = await firstRecordAt(handle, segment);
    if (firstAt === undefined) return odd('foreign', await quarantine.take(path));
    const sizeBytes = Math.min(segmentHeaderBytes, stat.size);
    await quarantine.keep({ lane: files.lane, file: path, handle, offset: 0, sizeBytes, records: 0 });
    return { kind: 'segment', segment: { ...segment, createdAt: firstAt }, streamId: undefined };
  } finally {
    await handle.close();
  }
}

/** Undefined when no record of this segment is in it: then the file is not ours. */
async function firstRecordAt(handle: FileHandle, segment: Segment): Promise<number | undefined> {
  for await (const piece of walk(handle, segmentHeaderBytes, segment.sizeBytes)) {
    if (piece.kind === 'record') return piece.seq >= segment.firstSeq ? piece.at : undefined;
  }
  return undefined;
}

async function readTail(files: LaneFiles, newest: Segment, { quarantine, report }: OpenOptions): Promise<void> {
  const { lane } = files;
  files.lastSeq = newest.firstSeq - 1;
  files.isTailSound = true;
  const handle = await openSegment(newest.path, 'read');
  try {
    for await (const piece of walk(handle, segmentHeaderBytes, newest.sizeBytes)) {
      files.isTailSound = piece.kind !== 'damaged';
      if (piece.kind === 'record') files.lastSeq = piece.seq;
      if (piece.kind === 'torn') {
        await cutBack(newest, piece.offset);
        report({ kind: 'torn', lane, file: newest.path, sizeBytes: piece.sizeBytes });
      }
      if (piece.kind === 'damaged') {
        const records = piece.head === undefined ? Math.ceil(piece.sizeBytes / minRecordBytes) : 1;
        files.lastSeq = piece.head?.seq ?? files.lastSeq + records;
        await quarantine.keep({
          lane,
          file: newest.path,
          handle,
          offset: piece.offset,
          sizeBytes: piece.sizeBytes,
          records,
        });
      }
    }
  } finally {
    await handle.close();
  }
}

async function cutBack(segment: Segment, sizeBytes: number): Promise<void> {
  const handle = await openSegment(segment.path, 'write');
  try {
    await handle.truncate(sizeBytes);
    await handle.datasync();
    segment.sizeBytes = sizeBytes;
  } finally {
    await handle.close();
  }
}
