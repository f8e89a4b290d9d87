import { type Lane, lanes } from '@runnerwatch/shared/model/event.ts';

export interface SegmentView {
  readonly lane: Lane;
  readonly firstSeq: number;
  readonly lastSeq: number;
  readonly sizeBytes: number;
  /** When its last record was written, at the latest, in milliseconds since the epoch; undefined while it is written on. */
  readonly endedAt: number | undefined;
}

export interface RetentionLimits {
  readonly maxBytes: number;
  readonly maxAgeMs: number;
  /** How long, and how much of, what the collector has acknowledged is kept for a collector restored from a backup. */
  readonly keepMs: number;
  readonly keepBytes: number;
}

export interface Removal {
  readonly segment: SegmentView;
  /** `kept`: acknowledged, and kept long enough. The others lose records. */
  readonly why: 'kept' | 'age' | 'size';
}

interface Situation {
  /** Oldest first within a lane. */
  readonly segments: readonly SegmentView[];
  readonly acknowledged: Readonly<Record<Lane, number>>;
  /** Bytes about to be written. */
  readonly wantedBytes: number;
  readonly now: number;
}

/**
 * Which segments go: what has been kept long enough, what is too old, and then, while there is too much, acknowledged ones first,
 * `facts` next, `ends` last; always the oldest of a lane, never one that is written on.
 *
 * An age of more than five times the limit is taken for a wrong clock, not for an old record: nothing is given up for it.
 */
export function decideRemovals(
  { segments, acknowledged, wantedBytes, now }: Situation,
  limits: RetentionLimits,
): Removal[] {
  const isAcknowledged = (segment: SegmentView) => segment.lastSeq <= acknowledged[segment.lane];
  const closed = segments.filter((segment) => segment.endedAt !== undefined);
  const byAge = closed.toSorted((a, b) => (a.endedAt ?? 0) - (b.endedAt ?? 0));
  const removals = new Map<SegmentView, Removal['why']>();

  let keptBytes = sum(byAge.filter(isAcknowledged));
  for (const segment of byAge.filter(isAcknowledged)) {
    if (now - (segment.endedAt ?? now) <= limits.keepMs && keptBytes <= limits.keepBytes) break;
    removals.set(segment, 'kept');
    keptBytes -= segment.sizeBytes;
  }

  for (const lane of lanes) {
    for (const segment of closed.filter((one) => one.lane === lane && !isAcknowledged(one))) {
      const ageMs = now - (segment.endedAt ?? now);
      if (ageMs <= limits.maxAgeMs || ageMs > 5 * limits.maxAgeMs) break;
      removals.set(segment, 'age');
    }
  }

  const order = [
    ...byAge.filter(isAcknowledged),
    ...closed.filter((segment) => !isAcknowledged(segment) && segment.lane === 'facts'),
    ...closed.filter((segment) => !isAcknowledged(segment) && segment.lane === 'ends'),
  ];
  let totalBytes = sum(segments) - sum([...removals.keys()]) + wantedBytes;
  for (const segment of order) {
    if (totalBytes <= limits.maxBytes) break;
    if (removals.has(segment)) continue;
    removals.set(segment, isAcknowledged(segment) ? 'kept' : 'size');
    totalBytes -= segment.sizeBytes;
  }
  return [...removals]
    .map(([segment, why]) => ({ segment, why }))
    .sort((a, b) => a.segment.firstSeq - b.segment.firstSeq);
}

function sum(segments: readonly SegmentView[]): number {
  return segments.reduce((total, segment) => total + segment.sizeBytes, 0);
}
