import type { ReactNode } from 'react';
import type { FleetNode } from '../../data/api-types.ts';
import { Badge } from '../../parts/badges.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Panel } from '../../parts/page.tsx';
import { countText, visible } from '../../parts/texts.ts';
import classes from './overview.module.css';

const shownMax = 10;

/** Agents that cannot see everything they were told to look at, with what would cure it. Nothing when all see. */
export function BlindAgents({ nodes }: { nodes: readonly FleetNode[] }): ReactNode {
  const limited = nodes.flatMap((node) =>
    node.sources.filter(({ state }) => state === 'blind' || state === 'degraded').map((source) => ({ node, source })),
  );
  if (limited.length === 0) return null;
  return (
    <Panel title="What agents cannot see" isFlush aside={countText(limited.length, 'source')}>
      <DataTable
        label="What agents cannot see"
        columns={columns}
        rows={limited.slice(0, shownMax)}
        rowKey={({ node, source }) => `${node.id} ${source.name}`}
        rowLink={({ node: { id } }) => ({ to: '/nodes/$id', params: { id } })}
      />
    </Panel>
  );
}

const columns: readonly Column<{ node: FleetNode; source: FleetNode['sources'][number] }>[] = [
  { title: 'Node', cell: ({ node }) => <strong className={classes.name}>{visible(node.name)}</strong> },
  { title: 'Source', cell: ({ source }) => source.name },
  {
    title: 'State',
    cell: ({ source }) => <Badge tone={source.state === 'blind' ? 'warning' : 'info'}>{source.state}</Badge>,
  },
  {
    title: 'Why, and what would cure it',
    isWide: true,
    from: 560,
    cell: ({ source }) => <span title={source.reason ?? ''}>{visible(source.reason ?? '')}</span>,
  },
];
