import { Link, type LinkProps } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Tone } from '../theme/tones.ts';
import classes from './bar-chart.module.css';

export interface Bar {
  readonly key: string;
  /** What it says, for a pointer above it and those who cannot see it. */
  readonly words: string;
  /** From the bottom up. */
  readonly stack: readonly { readonly tone: Tone; readonly value: number }[];
  /** What is behind it. */
  readonly link?: LinkProps | undefined;
}

export interface BarChartProps {
  readonly label: string;
  readonly bars: readonly Bar[];
  /** A value as people read it: beside the top and the mark. */
  readonly text: (value: number) => string;
  /** Bars beyond it are cut there. */
  readonly top?: number | undefined;
  /** Drawn across: the usual value. */
  readonly mark?: { readonly value: number; readonly text: string } | undefined;
  /** Below the first and the last bar. */
  readonly ends: readonly [first: ReactNode, last: ReactNode];
}

/** Bars beside each other, in the order of time; each leads to what is behind it. */
export function BarChart({ label, bars, text, top = Number.POSITIVE_INFINITY, mark, ends }: BarChartProps): ReactNode {
  const highest = Math.max(...bars.map(heightOf), mark?.value ?? 0);
  const most = Math.min(highest, top) || 1;
  const share = (value: number) => `${Math.min(100, (100 * value) / most)}%`;
  return (
    <figure className={classes.chart} aria-label={label} style={{ maxWidth: `max(220px, ${bars.length * 48}px)` }}>
      <div className={classes.top}>{highest > most ? `${text(most)} and more` : text(most)}</div>
      <div className={classes.plot}>
        {bars.map((bar) => (
          <Column key={bar.key} bar={bar} share={share} />
        ))}
        {mark !== undefined && (
          <div className={classes.mark} style={{ bottom: share(mark.value) }}>
            <span>{mark.text}</span>
          </div>
        )}
      </div>
      <figcaption className={classes.ends}>
        <span>{ends[0]}</span>
        <span>{ends[1]}</span>
      </figcaption>
    </figure>
  );
}

function Column({ bar, share }: { bar: Bar; share: (value: number) => string }): ReactNode {
  const parts = bar.stack
    .filter(({ value }) => value > 0)
    .map(({ tone, value }) => <i key={tone} data-tone={tone} style={{ height: share(value) }} />);
  return bar.link === undefined || heightOf(bar) === 0 ? (
    <span className={classes.bar} title={bar.words}>
      {parts}
    </span>
  ) : (
    <Link {...bar.link} preload={false} className={classes.bar} title={bar.words} aria-label={bar.words}>
      {parts}
    </Link>
  );
}

function heightOf({ stack }: Bar): number {
  return stack.reduce((sum, { value }) => sum + value, 0);
}
