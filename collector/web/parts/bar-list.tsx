import { Link, type LinkProps } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Tone } from '../theme/tones.ts';
import classes from './bar-list.module.css';
import { numberText } from './texts.ts';

export interface BarListItem {
  readonly key: string;
  readonly name: ReactNode;
  readonly value: number;
  /** In short, after the number. */
  readonly beside?: ReactNode;
  readonly tone: Tone;
  /** What the bar says, for those who cannot see it. */
  readonly words: string;
  /** Where the bar leads: to what it counts. */
  readonly link?: LinkProps | undefined;
}

/** Names with a bar each, the longest first. */
export function BarList({ label, items }: { label: string; items: readonly BarListItem[] }): ReactNode {
  const most = Math.max(...items.map(({ value }) => value), 1);
  return (
    <ul className={classes.list} aria-label={label}>
      {items.map(({ key, name, value, beside, tone, words, link }) => {
        const bar = <i style={{ width: `${(100 * value) / most}%` }} />;
        return (
          <li key={key} data-tone={tone}>
            <span className={classes.name}>{name}</span>
            {link === undefined ? (
              <span className={classes.bar} title={words}>
                {bar}
              </span>
            ) : (
              <Link {...link} preload={false} className={classes.bar} aria-label={words} title={words}>
                {bar}
              </Link>
            )}
            <span className={classes.value}>
              {numberText(value)}
              {beside !== undefined && <small>{beside}</small>}
            </span>
          </li>
        );
      })}
    </ul>
  );
}
