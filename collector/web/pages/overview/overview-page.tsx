import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { FleetNode } from '../../data/api-types.ts';
import { read } from '../../data/queries.ts';
import { Loaded } from '../../parts/loaded.tsx';
import { Columns, Page, Panel } from '../../parts/page.tsx';
import { countText } from '../../parts/texts.ts';
import { BlindAgents } from './blind-agents.tsx';
import { Figures } from './figures.tsx';
import { FleetGrid } from './fleet-grid.tsx';
import { Guide } from './guide.tsx';
import { OpenIncidents } from './open-incidents.tsx';
import { RecentEnds } from './recent-ends.tsx';
import { ThisMachine } from './this-machine.tsx';

/** What is wrong now, and how the fleet is doing. */
export function OverviewPage(): ReactNode {
  const fleet = useQuery(read('GET /fleet', {}));
  const nodes = fleet.data?.items;
  const incidents = useQuery(read('GET /incidents', { query: { status: 'open', limit: 100 } }));
  const [only] = nodes ?? [];
  return (
    <Page title="Overview" lead={nodes === undefined ? ' ' : leadOf(nodes, incidents.data?.items.length)}>
      <Figures incidents={incidents.data?.items} />
      <OpenIncidents query={incidents} />
      {nodes?.length === 1 && only !== undefined ? (
        <Columns>
          <ThisMachine id={only.id} name={only.name} />
          <Guide />
        </Columns>
      ) : (
        <Panel title="Fleet" aside={nodes && countText(nodes.length, 'node')}>
          <Loaded query={fleet}>{({ items }) => <FleetGrid nodes={items} />}</Loaded>
        </Panel>
      )}
      <RecentEnds />
      {nodes !== undefined && <BlindAgents nodes={nodes} />}
    </Page>
  );
}

function leadOf(nodes: readonly FleetNode[], open: number | undefined): string {
  const away = nodes.filter(({ status }) => status === 'offline').length;
  const running = nodes.reduce((sum, node) => sum + node.running_tasks, 0);
  const trouble = open ? `${countText(open, 'open incident')}. ` : open === 0 && away === 0 ? 'Nothing is wrong. ' : '';
  return `${trouble}${countText(nodes.length, 'node')}${away === 0 ? '' : `, ${away} offline`}, ${countText(running, 'task')} running.`;
}
