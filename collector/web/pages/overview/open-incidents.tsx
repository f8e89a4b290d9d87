import type { UseQueryResult } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Incident, Routes } from '../../data/api-types.ts';
import { SeverityBadge } from '../../parts/badges.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Panel } from '../../parts/page.tsx';
import { visible } from '../../parts/texts.ts';
import { Ago } from '../../parts/time.tsx';
import classes from './overview.module.css';

const rank = { critical: 0, warning: 1, info: 2 };
const shownMax = 8;

/** The worst first. Nothing when nothing is open. */
export function OpenIncidents({ query }: { query: UseQueryResult<Routes['GET /incidents']['answer']> }): ReactNode {
  const all = query.data?.items ?? [];
  if (all.length === 0) return null;
  const shown = all.toSorted((a, b) => rank[a.severity] - rank[b.severity] || b.opened_at.localeCompare(a.opened_at));
  return (
    <Panel title="Open incidents" isFlush aside={all.length > shownMax ? `${shownMax} of ${all.length}` : undefined}>
      <DataTable label="Open incidents" columns={columns} rows={shown.slice(0, shownMax)} rowKey={({ id }) => id} />
    </Panel>
  );
}

const columns: readonly Column<Incident>[] = [
  { title: 'Severity', cell: ({ severity }) => <SeverityBadge severity={severity} /> },
  { title: 'What is wrong', isWide: true, cell: (incident) => <Title incident={incident} /> },
  {
    title: 'Who knows',
    from: 820,
    cell: ({ acknowledged_at, acknowledged_by }) =>
      acknowledged_at === null ? (
        <span className={classes.soft}>nobody yet</span>
      ) : (
        visible(acknowledged_by || 'someone')
      ),
  },
  { title: 'Since', isNumber: true, cell: ({ opened_at }) => <Ago at={opened_at} /> },
];

function Title({ incident: { title, alerts, finding } }: { incident: Incident }): ReactNode {
  const reason = finding ?? alerts.find(({ status }) => status === 'firing')?.reason ?? '';
  return (
    <span title={`${title}\n${reason}`}>
      <strong className={classes.strong}>{visible(title)}</strong>
      {reason !== '' && !title.includes(reason) && <span className={classes.soft}> {visible(reason)}</span>}
    </span>
  );
}
