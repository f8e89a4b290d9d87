import type { Measurement } from '@runnerwatch/shared/conditions/condition.ts';

export interface FailedUnit {
  readonly unit: string;
  /** Null when systemd cannot be asked. */
  readonly isFailed: boolean | null;
  /** Its end was told as a task's: its state is information. */
  readonly isTask: boolean;
}

/** UnitFailed: systemd holds the unit in the state failed, until it is started again or reset. */
export function measureFailedUnit({ unit, isFailed, isTask }: FailedUnit): Measurement {
  return {
    subject: unit,
    level: { threshold: 0, clear: 0, forMs: 0 },
    criticalAbove: Number.POSITIVE_INFINITY,
    ...(isTask ? { warningAbove: 1 } : {}),
    items:
      isFailed === null ? [] : [{ value: isFailed ? 1 : 0, text: `${unit} is ${isFailed ? '' : 'no longer '}failed` }],
    missing: isFailed === null ? ['the state of units'] : [],
    absent: '',
    limit: 'as systemd has it',
  };
}
