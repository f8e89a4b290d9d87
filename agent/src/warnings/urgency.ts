import type { Measurement } from '@runnerwatch/shared/conditions/condition.ts';
import { spanText } from '@runnerwatch/shared/conditions/wording.ts';
import type { Prediction } from './prediction.ts';
import type { PredictionSettings } from './settings.ts';

/*
 * Judged is urgency: how many times the time that is left goes into the time of the warning. It is above 1 when less is
 * left, so that, as everywhere, more is worse.
 */

/** Less than this part of the time of the warning left: critical. */
const criticalUrgency = 5;

export interface Predicted {
  readonly subject: string;
  /** Null: it does not fill up. */
  readonly prediction: Prediction | null;
  readonly settings: PredictionSettings;
  readonly text: string;
  /** What could not be read. */
  readonly missing: readonly string[];
}

export function measureUrgency({ subject, prediction, settings, text, missing }: Predicted): Measurement {
  const { withinMs, clearMs, forMs } = settings;
  const value = prediction === null ? 0 : withinMs / Math.max(prediction.leftMs, 1);
  return {
    subject,
    level: { threshold: 1, clear: withinMs / clearMs, forMs },
    criticalAbove: criticalUrgency,
    items: missing.length > 0 ? [] : [{ value, text }],
    missing,
    absent: '',
    limit: `warned within ${spanText(withinMs)}`,
  };
}

/** Seconds left. */
export function secondsOf(urgency: number, { withinMs }: PredictionSettings): number | null {
  return urgency > 0 ? Math.round(withinMs / urgency / 1000) : null;
}
