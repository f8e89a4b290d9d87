import type { Measurement } from '@runnerwatch/shared/conditions/condition.ts';
import { rateText, spanText } from '@runnerwatch/shared/conditions/wording.ts';
import { isLongEnough, type Prediction, predict } from './prediction.ts';
import type { PredictionSettings } from './settings.ts';
import { measureUrgency } from './urgency.ts';
import { Window } from './window.ts';

export interface DiskFilling {
  readonly mount: string;
  /** Bytes used, over the last minutes. */
  readonly window: Window;
  /** What an ordinary user can use at all. */
  readonly capacityBytes: number;
  /** Its name when it did not answer. */
  readonly missing: readonly string[];
  /** What tasks write at present, any disk, the most first. */
  readonly writers: () => readonly Writer[];
}

export interface Writer {
  readonly name: string;
  readonly bytesPerSecond: number;
}

export const diskEveryMs = 10_000;
const leastSpanMs = 5 * 60_000;
/** A writer of less than this part of what is added does not explain it. */
const leastWriterShare = 0.1;

/** Ten minutes. */
export function diskWindow(): Window {
  return new Window({ points: 61, peakKeptMs: 2 * 3_600_000 });
}

/** DiskFullPredicted: at the present slope a disk is full soon. The kernel counts a task's writes for all disks together, so its writers are likely ones. */
export function measureDisk(disk: DiskFilling, settings: PredictionSettings): Measurement {
  const { mount, window, capacityBytes, missing } = disk;
  const isRead = missing.length === 0 && isLongEnough(window, leastSpanMs);
  const prediction = isRead ? predict({ window, capacityBytes, leastSpanMs }) : null;
  return measureUrgency({
    subject: mount,
    prediction,
    settings,
    text: prediction === null ? `${mount} does not fill up` : describe(disk, prediction),
    missing: isRead ? [] : missing.length > 0 ? missing : [`${mount} of the last minutes`],
  });
}

function describe({ mount, writers }: DiskFilling, { leftMs, bytesPerSecond }: Prediction): string {
  const named = writers()
    .filter((writer) => writer.bytesPerSecond >= bytesPerSecond * leastWriterShare)
    .slice(0, 2);
  const who = named.map(({ name, bytesPerSecond: rate }) => `; task ${name} writes ${rateText(rate)}`).join('');
  return `${mount} is full in about ${spanText(leftMs)} at ${rateText(bytesPerSecond)}${who}`;
}
