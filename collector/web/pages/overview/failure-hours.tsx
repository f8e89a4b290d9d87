import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { read } from '../../data/queries.ts';
import { useNowMs } from '../../parts/time.tsx';
import classes from './figures.module.css';

const hourMs = 3_600_000;

/** The failures of the last 24 hours, a bar an hour. */
export function FailureHours(): ReactNode {
  const { data } = useQuery(read('GET /analytics/failures', { query: { by: 'hour', since: '24h' } }));
  const lastHour = Math.floor(useNowMs() / hourMs);
  const counts = new Map(
    data?.items.map(({ key, failures }) => [Math.floor(Date.parse(key ?? '') / hourMs), failures]),
  );
  const hours = Array.from({ length: 24 }, (_, index) => counts.get(lastHour - 23 + index) ?? 0);
  const most = Math.max(1, ...hours);
  return (
    <div className={classes.hours} aria-hidden="true">
      {hours.map((failures, index) => (
        <i
          key={lastHour + index}
          data-tone={failures === 0 ? 'idle' : 'critical'}
          style={{ height: `${(100 * failures) / most}%` }}
        />
      ))}
    </div>
  );
}
