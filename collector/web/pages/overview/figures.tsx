import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Incident, Routes } from '../../data/api-types.ts';
import { read } from '../../data/queries.ts';
import { countText, dash, durationText, numberText } from '../../parts/texts.ts';
import { severityTones, type Tone } from '../../theme/tones.ts';
import { FailureHours } from './failure-hours.tsx';
import classes from './figures.module.css';

/** Time alone changes it. */
const everyMinute = { refetchInterval: 60_000 };

type Groups = Routes['GET /analytics/failures']['answer'];

/** The four numbers that say whether to read on. */
export function Figures({ incidents }: { incidents: readonly Incident[] | undefined }): ReactNode {
  const day = useQuery({
    ...read('GET /analytics/failures', { query: { by: 'cause', since: '24h' } }),
    ...everyMinute,
  });
  const week = useQuery(read('GET /analytics/failures', { query: { by: 'cause', since: '8d', until: '24h' } }));
  const { data: status } = useQuery({ ...read('GET /status', {}), refetchInterval: 10_000 });
  const failures = total(day.data);
  const usual = week.data === undefined ? null : total(week.data) / 7;
  const dead = status?.queues.notifications_dead ?? null;
  const latency = status?.notification_latency;
  return (
    <div className={classes.figures}>
      <Figure
        title="Open incidents"
        value={incidents === undefined ? dash : numberText(incidents.length)}
        tone={worstTone(incidents)}
      >
        {incidents === undefined ? ' ' : severitiesText(incidents)}
      </Figure>
      <Figure
        title="Failures, last 24 h"
        value={day.data === undefined ? dash : numberText(failures)}
        tone={usual !== null && failures > usual * 2 && failures > 2 ? 'warning' : 'idle'}
      >
        {usual === null ? ' ' : `${comparisonText(failures, usual)}`}
        <FailureHours />
      </Figure>
      <Figure
        title="Told within"
        value={durationText(latency?.p50_ms)}
        tone={latency && latency.later_count > 0 ? 'warning' : 'idle'}
      >
        {latencyText(latency)}
      </Figure>
      <Figure title="Not delivered" value={numberText(dead)} tone={dead ? 'critical' : 'idle'}>
        {dead ? 'notifications were given up' : `${numberText(status?.queues.notifications_pending)} on their way`}
      </Figure>
    </div>
  );
}

function Figure({
  title,
  value,
  tone,
  children,
}: {
  title: string;
  value: string;
  tone: Tone;
  children: ReactNode;
}): ReactNode {
  return (
    <div className={classes.figure} data-tone={tone} role="group" aria-label={title}>
      <h2>{title}</h2>
      <strong>{value}</strong>
      <div className={classes.beside}>{children}</div>
    </div>
  );
}

function total(groups: Groups | undefined): number {
  return (groups?.items ?? []).reduce((sum, { failures }) => sum + failures, 0);
}

function worstTone(incidents: readonly Incident[] | undefined): Tone {
  const worst = (['critical', 'warning', 'info'] as const).find((one) =>
    incidents?.some(({ severity }) => severity === one),
  );
  return worst === undefined ? 'good' : severityTones[worst];
}

function severitiesText(incidents: readonly Incident[]): string {
  const counts = (['critical', 'warning', 'info'] as const).flatMap((severity) => {
    const count = incidents.filter((incident) => incident.severity === severity).length;
    return count === 0 ? [] : [`${count} ${severity}`];
  });
  return counts.join(', ') || 'all is well';
}

function comparisonText(failures: number, usual: number): string {
  if (usual === 0) return failures === 0 ? 'none in the week before either' : 'none in the week before';
  return `${Number(usual.toFixed(1))} a day in the week before`;
}

function latencyText(latency: Routes['GET /status']['answer']['notification_latency'] | undefined): string {
  if (latency === undefined) return ' ';
  if (latency.count === 0) return 'nobody had to be told since the start';
  const late =
    latency.later_count === 0
      ? ''
      : `, ${countText(latency.later_count, 'time')} over ${durationText(latency.promise_ms)}`;
  return `half of ${numberText(latency.count)}; 99 of 100 in ${durationText(latency.p99_ms)}${late}`;
}
