import type { ReactNode } from 'react';
import classes from './meter.module.css';
import { dash } from './texts.ts';

export interface MeterProps {
  readonly label: string;
  /** 0 to 100; null: not read. */
  readonly percent: number | null;
  readonly text: string;
  readonly beside?: string;
  /** Where its condition begins, in the same percent. */
  readonly limitPercent?: number;
  readonly isCompact?: boolean;
}

/** How full something is, against its limit. */
export function Meter({ label, percent, text, beside, limitPercent, isCompact = false }: MeterProps): ReactNode {
  const isOver = percent !== null && limitPercent !== undefined && percent > limitPercent;
  return (
    <div className={isCompact ? classes.compact : classes.meter} data-tone={isOver ? 'critical' : 'good'}>
      {!isCompact && <span className={classes.label}>{label}</span>}
      <div
        className={classes.track}
        role="meter"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={Math.round(percent ?? 0)}
        aria-valuetext={percent === null ? 'not known' : text}
      >
        <div className={classes.fill} style={{ width: `${Math.min(100, Math.max(0, percent ?? 0))}%` }} />
        {limitPercent !== undefined && <div className={classes.limit} style={{ left: `${limitPercent}%` }} />}
      </div>
      <span className={classes.value}>
        {percent === null ? dash : text}
        {beside !== undefined && percent !== null && <small>{beside}</small>}
      </span>
    </div>
  );
}
