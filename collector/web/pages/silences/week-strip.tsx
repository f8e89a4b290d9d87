import type { ReactNode } from 'react';
import type { Silence } from '../../data/api-types.ts';
import { Panel } from '../../parts/page.tsx';
import { instantText, visible } from '../../parts/texts.ts';
import { useNowMs } from '../../parts/time.tsx';
import { useZone, type Zone } from '../../theme/zone.ts';
import classes from './silences.module.css';
import { dayMs, type Span, spansOf } from './week.ts';

/** When it is quiet in the seven days from this one on: a line for each silence. Nothing without any. */
export function WeekStrip({ silences }: { silences: readonly Silence[] }): ReactNode {
  const [zone] = useZone();
  const today = Math.floor(useNowMs() / 60_000) * 60_000;
  const week: Span = { startMs: midnight(today, zone), endMs: midnight(today, zone) + 7 * dayMs };
  const lines = silences
    .map((silence) => ({ silence, spans: spansOf(silence, week) }))
    .filter(({ spans }) => spans.length > 0);
  if (lines.length === 0) return null;
  const place = (atMs: number) => `${(100 * (atMs - week.startMs)) / (week.endMs - week.startMs)}%`;
  return (
    <Panel title="The next seven days">
      <div className={classes.week}>
        <div className={classes.days} aria-hidden="true">
          {Array.from({ length: 7 }, (_, day) => (
            <span key={day}>{dayText(week.startMs + day * dayMs, zone)}</span>
          ))}
        </div>
        <ul>
          {lines.map(({ silence, spans }) => (
            <li key={silence.id} data-tone={silence.state === 'active' ? 'info' : 'idle'}>
              {spans.map(({ startMs, endMs }) => (
                <i
                  key={startMs}
                  title={`${textOf(startMs, zone)} to ${textOf(endMs, zone)}`}
                  style={{ left: place(startMs), right: `calc(100% - ${place(endMs)})` }}
                />
              ))}
              <span>{visible(silence.reason)}</span>
            </li>
          ))}
        </ul>
        <b className={classes.now} style={{ left: place(today) }} title="now" />
      </div>
    </Panel>
  );
}

function midnight(atMs: number, zone: Zone): number {
  const at = new Date(atMs);
  return zone === 'utc' ? at.setUTCHours(0, 0, 0, 0) : at.setHours(0, 0, 0, 0);
}

function dayText(atMs: number, zone: Zone): string {
  return new Date(atMs + dayMs / 2).toLocaleDateString('en-GB', {
    weekday: 'short',
    day: 'numeric',
    ...(zone === 'utc' ? { timeZone: 'UTC' } : {}),
  });
}

function textOf(atMs: number, zone: Zone): string {
  return instantText(new Date(atMs).toISOString(), { zone });
}
