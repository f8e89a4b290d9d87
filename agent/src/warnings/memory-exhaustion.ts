import type { Measurement } from '@runnerwatch/shared/conditions/condition.ts';
import { bytesText, rateText, spanText } from '@runnerwatch/shared/conditions/wording.ts';
import { isLongEnough, type Prediction, predict } from './prediction.ts';
import type { PredictionSettings } from './settings.ts';
import { measureUrgency } from './urgency.ts';
import { Window } from './window.ts';

export interface MemoryUse {
  readonly subject: string;
  /** `task train-7`, `the node`. */
  readonly who: string;
  /** Bytes that cannot be reclaimed, over the last minutes. */
  readonly window: Window;
  /** The most it can get: its own limit, or what the node has left for it; null when unread. */
  readonly capacity: { readonly bytes: number; readonly name: string } | null;
  /** Why there is no present value; empty when there is. */
  readonly missing: readonly string[];
}

export const memoryEveryMs = 5_000;
const leastSpanMs = 60_000;

/** Two minutes. */
export function memoryWindow(): Window {
  return new Window({ points: 25, peakKeptMs: 15 * 60_000 });
}

/** MemoryExhaustionPredicted: at the present slope the memory of a task, or of the node, is used up soon. */
export function measureMemory(use: MemoryUse, settings: PredictionSettings): Measurement {
  const { subject, who, window, capacity } = use;
  const isRead = use.missing.length === 0 && capacity !== null && isLongEnough(window, leastSpanMs);
  const prediction = isRead ? predict({ window, capacityBytes: capacity.bytes, leastSpanMs }) : null;
  return measureUrgency({
    subject,
    prediction,
    settings,
    text: isRead ? describe({ ...use, prediction, name: capacity.name }) : '',
    missing: isRead ? [] : use.missing.length > 0 ? use.missing : [`${who}: memory of the last minute`],
  });
}

function describe({
  who,
  window,
  prediction,
  name,
}: Pick<MemoryUse, 'who' | 'window'> & { prediction: Prediction | null; name: string }): string {
  if (prediction === null) return `${who}: memory is ${bytesText(window.latest?.value ?? 0)} and does not run out`;
  return `${who}: ${name} reached in about ${spanText(prediction.leftMs)} at ${rateText(prediction.bytesPerSecond)}`;
}
