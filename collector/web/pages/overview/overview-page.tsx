import { useInfiniteQuery, useQuery } from '@tanstack/react-query';
import { type ReactNode, useEffect } from 'react';
import type { Node } from '../../data/api-types.ts';
import { read, readPages } from '../../data/queries.ts';
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
  const fleet = useFleet();
  const nodes = fleet.data;
  const incidents = useQuery(read('GET /incidents', { query: { status: 'open', limit: 100 } }));
  const [only] = nodes ?? [];
  return (
    <Page title="Overview" lead={nodes === undefined ? ' ' : leadOf(nodes, incidents.data?.items.length)}>
      <Figures incidents={incidents.data?.items} />
      <OpenIncidents query={incidents} />
      {nodes?.length === 1 && only !== undefined ? (
        <Columns>
          <ThisMachine node={only} />
          <Guide />
        </Columns>
      ) : (
        <Panel title="Fleet" aside={nodes && countText(nodes.length, 'node')}>
          <Loaded query={fleet}>{(all) => <FleetGrid nodes={all} />}</Loaded>
        </Panel>
      )}
      <RecentEnds />
      {nodes !== undefined && <BlindAgents nodes={nodes} />}
    </Page>
  );
}

/** Every node, a page of the listing after the other. */
function useFleet() {
  const query = useInfiniteQuery(readPages('GET /nodes', { query: { limit: 500 } }));
  const { hasNextPage, isFetching, fetchNextPage } = query;
  useEffect(() => {
    if (hasNextPage && !isFetching) void fetchNextPage();
  }, [hasNextPage, isFetching, fetchNextPage]);
  return query;
}

function leadOf(nodes: readonly Node[], open: number | undefined): string {
  const away = nodes.filter(({ status }) => status === 'offline').length;
  const running = nodes.reduce((sum, node) => sum + node.running_tasks, 0);
  const trouble = open === undefined ? '' : open === 0 ? 'Nothing is wrong. ' : `${countText(open, 'open incident')}. `;
  return `${trouble}${countText(nodes.length, 'node')}${away === 0 ? '' : `, ${away} offline`}, ${countText(running, 'task')} running.`;
}
