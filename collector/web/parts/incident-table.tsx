import type { ReactNode } from 'react';
import type { Incident } from '../data/api-types.ts';
import { severityTones } from '../theme/tones.ts';
import { Badge } from './badges.tsx';
import { type Column, DataTable, type DataTableProps } from './data-table.tsx';
import classes from './incident-table.module.css';
import { dash, visible } from './texts.ts';
import { Ago } from './time.tsx';

export interface IncidentTableProps {
  readonly label: string;
  readonly incidents: readonly Incident[];
  readonly more?: DataTableProps<Incident, never>['more'];
}

/** Incidents, each leading to its page. */
export function IncidentTable({ label, incidents, more }: IncidentTableProps): ReactNode {
  return (
    <DataTable
      label={label}
      columns={columns}
      rows={incidents}
      rowKey={({ id }) => id}
      rowLink={({ id }) => ({ to: '/incidents/$id', params: { id } })}
      more={more}
    />
  );
}

/** Its finding, or else why its first alert fires; empty when there is neither. */
export function reasonOf({ finding, alerts }: Pick<Incident, 'finding' | 'alerts'>): string {
  return finding ?? alerts.find(({ status }) => status === 'firing')?.reason ?? alerts[0]?.reason ?? '';
}

const columns: readonly Column<Incident>[] = [
  { title: 'What is wrong', isWide: true, cell: (incident) => <Title incident={incident} /> },
  { title: 'Node', from: 820, cell: (incident) => <Nodes incident={incident} /> },
  { title: 'Who knows', from: 560, cell: (incident) => <Acknowledged incident={incident} /> },
  {
    title: 'Since',
    isNumber: true,
    cell: ({ status, opened_at, resolved_at }) =>
      status === 'open' ? (
        <Ago at={opened_at} />
      ) : (
        <span className={classes.soft}>
          over <Ago at={resolved_at} />
        </span>
      ),
  },
];

function Title({ incident }: { incident: Incident }): ReactNode {
  const { title, severity, status, flapping } = incident;
  const reason = reasonOf(incident);
  return (
    <span className={classes.title} data-status={status} title={visible(`${title}\n${reason}`)}>
      <Badge tone={status === 'open' ? severityTones[severity] : 'idle'}>{severity}</Badge>{' '}
      <strong>{visible(title)}</strong>
      {flapping && <span className={classes.soft}> comes and goes</span>}
      {reason !== '' && !title.includes(reason) && <span className={classes.soft}> {visible(reason)}</span>}
    </span>
  );
}

function Nodes({ incident: { nodes: names } }: { incident: Incident }): ReactNode {
  if (names.length === 0) return dash;
  return (
    <span title={visible(names.join(', '))}>
      {names.length === 1 ? visible(names[0] ?? '') : `${names.length} nodes`}
    </span>
  );
}

function Acknowledged({ incident }: { incident: Incident }): ReactNode {
  if (incident.acknowledged_at === null)
    return <span className={classes.soft}>{incident.status === 'open' ? 'nobody yet' : dash}</span>;
  return visible(incident.acknowledged_by || 'someone');
}
