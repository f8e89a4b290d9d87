import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { FailureGroup } from '../../data/api-types.ts';
import { type Bar, BarChart } from '../../parts/bar-chart.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Panel } from '../../parts/page.tsx';
import { countText, instantText, numberText } from '../../parts/texts.ts';
import { useNowMs } from '../../parts/time.tsx';
import { useZone, type Zone } from '../../theme/zone.ts';
import { failures as failureStatuses } from '../tasks/search.ts';
import { readTimes, type Span } from './groups.ts';

const hourMs = 3_600_000;
/** So many bars of so many hours each cover the span and the bar that has just begun. */
const shapes = {
  '24h': { by: 'hour', hours: 1, count: 25, words: 'by hour' },
  '7d': { by: 'hour', hours: 6, count: 29, words: 'by six hours' },
  '30d': { by: 'day', hours: 24, count: 31, words: 'by day (UTC)' },
} as const;

/** Failures in the order of time; each bar leads to them. */
export function WhenFailed({ span }: { span: Span }): ReactNode {
  const { by, hours, count, words } = shapes[span];
  const query = useQuery(readTimes(by, span));
  const [zone] = useZone();
  const stepMs = hours * hourMs;
  const last = Math.floor(useNowMs() / stepMs);
  return (
    <Panel title="When" aside={words}>
      <Loaded query={query} lines={5}>
        {({ items }) => (
          <BarChart
            label={`Failures ${words}`}
            bars={Array.from({ length: count }, (_, index) =>
              stepBar(items, { sinceMs: (last - count + 1 + index) * stepMs, stepMs, zone }),
            )}
            text={numberText}
            ends={[momentText((last - count + 1) * stepMs, zone), 'now']}
          />
        )}
      </Loaded>
    </Panel>
  );
}

function stepBar(
  groups: readonly FailureGroup[],
  { sinceMs, stepMs, zone }: { sinceMs: number; stepMs: number; zone: Zone },
): Bar {
  const isWithin = (atMs: number) => atMs >= sinceMs && atMs < sinceMs + stepMs;
  const failures = groups.reduce((sum, group) => sum + (isWithin(Date.parse(group.key ?? '')) ? group.failures : 0), 0);
  return {
    key: String(sinceMs),
    words: `from ${momentText(sinceMs, zone)}: ${countText(failures, 'failure')}`,
    stack: [{ tone: 'critical', value: failures }],
    link: {
      to: '/tasks',
      search: {
        status: failureStatuses,
        since: new Date(sinceMs).toISOString(),
        until: new Date(sinceMs + stepMs).toISOString(),
      },
    },
  };
}

function momentText(atMs: number, zone: Zone): string {
  return instantText(new Date(atMs).toISOString(), { zone }).replace(/:00$/, '');
}
