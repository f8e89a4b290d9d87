import { appendFileSync, readdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { temporaryFolderSync } from '../../../test/support/temporary-folder.ts';
import { type RecordedPart, RecorderFile } from './recorder-file.ts';

const windowMs = 60_000;

function part(second: number): RecordedPart {
  return {
    interval_ms: 1000,
    tick: second,
    until_ms: second * 1000,
    node: { cpu_percent: [second] },
    runs: { a: { memory_bytes: [second, null] } },
  };
}

function ticks(file: RecorderFile): number[] {
  return file.load().map(({ tick }) => tick);
}

async function written(folder: string, seconds: readonly number[], more: { maxBytes?: number } = {}) {
  const file = new RecorderFile({ folder, windowMs, ...more });
  file.load();
  for (const second of seconds) await file.append(part(second));
  return file;
}

describe('what the recorder keeps on disk', () => {
  it('is read back as it was written, by any later life', async () => {
    const folder = join(temporaryFolderSync(), 'recorder');
    await written(folder, [10, 20]);
    await written(folder, [30]);

    expect(new RecorderFile({ folder, windowMs }).load()).toEqual([part(10), part(20), part(30)]);
  });

  it('loses a torn part and no other', async () => {
    const folder = temporaryFolderSync();
    await written(folder, [10, 20]);
    const path = join(folder, readdirSync(folder)[0] ?? '');
    truncateSync(path, statSync(path).size - 20);
    await written(folder, [30]);
    appendFileSync(path, '\n0badc0de {"interval_ms":1000}\n\n00000000 \n');

    expect(ticks(new RecorderFile({ folder, windowMs }))).toEqual([10, 30]);
  });

  it('is made anew by turns, so that a whole window is always there and never more than two', async () => {
    const folder = temporaryFolderSync();
    const seconds = Array.from({ length: 60 }, (_, index) => (index + 1) * 10);
    await written(folder, seconds);

    const kept = ticks(new RecorderFile({ folder, windowMs }));

    expect(kept.at(-1)).toBe(600);
    expect(kept.length).toBeGreaterThanOrEqual(6);
    expect(kept.length).toBeLessThanOrEqual(12);
    expect(kept).toEqual(seconds.slice(-kept.length));
  });

  it('stays below its bound in a shorter time', async () => {
    const folder = temporaryFolderSync();
    await written(
      folder,
      Array.from({ length: 50 }, (_, index) => index + 1),
      { maxBytes: 1000 },
    );

    const sizes = readdirSync(folder).map((name) => readFileSync(join(folder, name)).length);

    expect(sizes).toHaveLength(2);
    expect(Math.max(...sizes)).toBeLessThanOrEqual(1000);
  });

  it('is empty where somebody else wrote into it', () => {
    const folder = temporaryFolderSync();
    writeFileSync(join(folder, 'readings.1'), Buffer.from([0xff, 0, 10, 0xfe, 0x20]));

    expect(ticks(new RecorderFile({ folder, windowMs }))).toEqual([]);
  });
});
