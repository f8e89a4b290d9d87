import { type ReactNode, useState } from 'react';
import type { Alert, Node } from '../../data/api-types.ts';
import { Badge, SeverityBadge } from '../../parts/badges.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Panel } from '../../parts/page.tsx';
import { incidentPlace } from '../../parts/places.ts';
import { durationText, numberText, visible } from '../../parts/texts.ts';
import { At, Elapsed } from '../../parts/time.tsx';
import classes from './node.module.css';
import { type NodeAlert, useAlerts } from './use-alerts.ts';

const shownMax = 6;

/** What is wrong with the node now, and what was: conditions, without the failures of its tasks. */
export function Trouble({ node }: { node: Node }): ReactNode {
  const [isWhole, setWhole] = useState(false);
  const past = useAlerts(node).filter(({ status }) => status === 'resolved');
  const rows = [...node.conditions.map(rowOfCondition), ...past.map(rowOfAlert)];
  if (rows.length === 0) return null;
  const firing = node.conditions.filter(({ status }) => status === 'true').length;
  return (
    <Panel title="Conditions" isFlush aside={firing === 0 ? 'none fires now' : `${numberText(firing)} firing`}>
      <DataTable
        label="Conditions"
        columns={columns}
        rows={isWhole ? rows : rows.slice(0, Math.max(shownMax, node.conditions.length))}
        rowKey={({ key }) => key}
        rowLink={({ incident }) => (incident === null ? undefined : incidentPlace({ id: incident }))}
        more={
          isWhole || rows.length <= shownMax
            ? undefined
            : { hasNextPage: true, isFetchingNextPage: false, fetchNextPage: () => setWhole(true) }
        }
      />
    </Panel>
  );
}

interface Row {
  readonly key: string;
  readonly incident: string | null;
  readonly name: string;
  readonly state: ReactNode;
  readonly reason: string;
  readonly since: string;
  readonly until: string | null;
}

function rowOfCondition(report: Node['conditions'][number]): Row {
  const { condition, component, subject, status, severity, reason, since, incident_id } = report;
  return {
    incident: incident_id,
    key: `${component} ${condition} ${subject}`,
    name: nameOf({ condition, subject }),
    state: status === 'true' ? <SeverityBadge severity={severity} /> : <Badge tone="idle">unknown</Badge>,
    reason,
    since,
    until: null,
  };
}

function rowOfAlert({ id, incident_id, condition, subject, reason, fired_at, resolved_at }: NodeAlert): Row {
  return {
    incident: incident_id,
    key: id,
    name: nameOf({ condition, subject }),
    state: <Badge tone="good">over</Badge>,
    reason,
    since: fired_at,
    until: resolved_at,
  };
}

function nameOf({ condition, subject }: Pick<Alert, 'condition' | 'subject'>): string {
  return subject === '' ? condition : `${condition} ${subject}`;
}

const columns: readonly Column<Row>[] = [
  {
    title: 'Condition',
    cell: ({ name, reason }) => (
      <>
        <strong className={classes.name}>{visible(name)}</strong>
        <small className={classes.because}>{visible(reason)}</small>
      </>
    ),
  },
  { title: 'State', cell: ({ state }) => state },
  { title: 'Because', isWide: true, from: 560, cell: ({ reason }) => <span title={reason}>{visible(reason)}</span> },
  { title: 'Since', isNumber: true, from: 820, cell: ({ since }) => <At at={since} /> },
  {
    title: 'Lasted',
    isNumber: true,
    cell: ({ since, until }) =>
      until === null ? <Elapsed since={since} /> : durationText(Date.parse(until) - Date.parse(since)),
  },
];
