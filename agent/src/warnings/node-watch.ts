import type { Now } from '@runnerwatch/shared/conditions/condition.ts';
import type { NodeReading } from '@runnerwatch/shared/conditions/reading.ts';
import { type DiskFilling, diskEveryMs, diskWindow, measureDisk, type Writer } from './disk-full.ts';
import type { Judgments } from './judgments.ts';
import { measureMemory, memoryEveryMs, memoryWindow } from './memory-exhaustion.ts';
import type { WarningSettings } from './settings.ts';
import { secondsOf } from './urgency.ts';
import type { Window } from './window.ts';

export interface NodeMoment {
  readonly reading: NodeReading;
  readonly now: Now;
  /** What tasks write, the most first. */
  readonly writers: () => readonly Writer[];
  /** A task is warned of that uses up the node's memory: it stands for the node. */
  readonly isToldOfTask: () => boolean;
}

/** Memory and disks of the node as a whole. */
export class NodeWatch {
  readonly #settings: WarningSettings;
  readonly #judgments: Judgments;
  readonly #memory = memoryWindow();
  readonly #disks = new Map<string, Window>();
  #memoryDueMs = Number.NEGATIVE_INFINITY;
  #disksDueMs = Number.NEGATIVE_INFINITY;

  constructor({ settings, judgments }: { settings: WarningSettings; judgments: Judgments }) {
    this.#settings = settings;
    this.#judgments = judgments;
  }

  take(moment: NodeMoment): void {
    const { monotonicMs } = moment.now;
    if (monotonicMs >= this.#memoryDueMs) {
      this.#memoryDueMs = monotonicMs + memoryEveryMs;
      this.#judgeMemory(moment);
    }
    if (monotonicMs >= this.#disksDueMs) {
      this.#disksDueMs = monotonicMs + diskEveryMs;
      this.#judgeDisks(moment);
    }
  }

  #judgeMemory({ reading, now, isToldOfTask }: NodeMoment): void {
    const settings = this.#settings.memoryExhaustion;
    const { memory_total_bytes: totalBytes, memory_available_bytes: availableBytes } = reading.sample;
    if (settings === null) return;
    const isRead = totalBytes !== null && availableBytes !== null;
    if (isRead) this.#memory.push(now.monotonicMs, totalBytes - availableBytes);
    if (!this.#judgments.isFiring('MemoryExhaustionPredicted', '') && isToldOfTask()) return;
    const measurement = measureMemory(
      {
        subject: '',
        who: 'the node',
        window: this.#memory,
        capacity: totalBytes === null ? null : { bytes: totalBytes, name: 'the end of its memory' },
        missing: isRead ? [] : ['available memory'],
      },
      settings,
    );
    const value = secondsOf(measurement.items[0]?.value ?? 0, settings);
    const told = { value, threshold: settings.withinMs / 1000 };
    this.#judgments.take({ condition: 'MemoryExhaustionPredicted', measurement, told }, now);
  }

  #judgeDisks({ reading, now, writers }: NodeMoment): void {
    const settings = this.#settings.diskFull;
    const { disks } = reading.sample;
    if (settings === null || disks === null) return;
    for (const { mount, used_bytes: usedBytes, available_bytes: availableBytes } of disks) {
      const window = this.#disks.get(mount) ?? diskWindow();
      this.#disks.set(mount, window);
      window.push(now.monotonicMs, usedBytes);
      const capacityBytes = usedBytes + availableBytes;
      this.#judgeDisk({ mount, window, capacityBytes, missing: [], writers }, now);
    }
    const mounted = new Set(disks.map(({ mount }) => mount));
    for (const [mount, window] of this.#disks) {
      if (mounted.has(mount)) continue;
      if (reading.unreadDisks.includes(mount))
        this.#judgeDisk({ mount, window, capacityBytes: 0, missing: [mount], writers }, now);
      else this.#disks.delete(mount);
    }
    for (const { condition, subject } of this.#judgments.firing()) {
      if (condition === 'DiskFullPredicted' && !mounted.has(subject) && !reading.unreadDisks.includes(subject))
        this.#judgments.end(condition, subject, { reason: `${subject} is not mounted any more`, now });
    }
  }

  #judgeDisk(disk: DiskFilling, now: Now): void {
    const settings = this.#settings.diskFull;
    if (settings === null) return;
    const measurement = measureDisk(disk, settings);
    const value = secondsOf(measurement.items[0]?.value ?? 0, settings);
    const told = { value, threshold: settings.withinMs / 1000 };
    this.#judgments.take({ condition: 'DiskFullPredicted', measurement, told }, now);
  }
}
