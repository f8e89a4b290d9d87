import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Watch } from '../../data/api-types.ts';
import { useSend } from '../../data/queries.ts';
import { Allowed } from '../../parts/allowed.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Failure } from '../../parts/failure.tsx';
import { Columns, Panel } from '../../parts/page.tsx';
import { countText, visible } from '../../parts/texts.ts';
import { Ago, Left, useNowMs } from '../../parts/time.tsx';
import classes from './watches.module.css';

export function ActiveWatches({ watches }: { watches: readonly Watch[] }): ReactNode {
  return (
    <Columns>
      {watches.map((watch) => (
        <ActiveWatch key={watch.id} watch={watch} />
      ))}
    </Columns>
  );
}

export function PastWatches({ watches }: { watches: readonly Watch[] }): ReactNode {
  return (
    <Panel title="Over" isFlush>
      <DataTable label="Watches that are over" columns={columns} rows={watches} rowKey={({ id }) => id} />
    </Panel>
  );
}

function ActiveWatch({ watch }: { watch: Watch }): ReactNode {
  const stop = useSend('DELETE /watches/{id}');
  const { id, receiver, target, only_failed, max_alerts_per_job: perJob, started_by: by, started_at: at } = watch;
  return (
    <Panel
      title={projectsText(watch)}
      aside={
        <Allowed to="DELETE /watches/{id}">
          <Button
            size="compact-xs"
            variant="default"
            loading={stop.isPending}
            onClick={() => stop.mutate({ path: { id } })}
          >
            Stop
          </Button>
        </Allowed>
      }
    >
      <p className={classes.left}>{watch.ends_at === null ? 'until it is stopped' : <Left until={watch.ends_at} />}</p>
      <Remaining watch={watch} />
      <p>
        {countText(watch.alerts_sent, 'alert')} sent to <strong>{visible(target ?? receiver)}</strong>
      </p>
      <p className={classes.soft}>
        {[
          only_failed ? 'only failures' : 'failures and warnings',
          perJob !== null && `at most ${perJob} of one job`,
          by !== null && `started by ${visible(by)}`,
        ]
          .filter(Boolean)
          .join(' · ')}
        , <Ago at={at} />
      </p>
      {stop.error !== null && <Failure error={stop.error} />}
    </Panel>
  );
}

/** How much of its time is left, as a bar. */
function Remaining({ watch: { started_at: from, ends_at: to } }: { watch: Watch }): ReactNode {
  const nowMs = useNowMs();
  if (to === null) return null;
  const share = (Date.parse(to) - nowMs) / (Date.parse(to) - Date.parse(from));
  return (
    <div className={classes.bar} aria-hidden="true">
      <i style={{ width: `${100 * Math.min(1, Math.max(0, share))}%` }} />
    </div>
  );
}

const columns: readonly Column<Watch>[] = [
  { title: 'Projects', isWide: true, cell: (watch) => projectsText(watch) },
  { title: 'Told', from: 560, cell: ({ receiver, target }) => visible(target ?? receiver) },
  { title: 'Alerts sent', isNumber: true, cell: ({ alerts_sent: sent }) => sent },
  { title: 'Ended', isNumber: true, cell: ({ ends_at: at }) => <Ago at={at} /> },
];

function projectsText({ projects }: Watch): string {
  return projects.includes('*') ? 'Everything' : visible(projects.join(', '));
}
