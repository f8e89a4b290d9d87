import { useQuery } from '@tanstack/react-query';
import { useParams } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Node } from '../../data/api-types.ts';
import { read } from '../../data/queries.ts';
import { NodeStatusBadge } from '../../parts/badges.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Columns, Page } from '../../parts/page.tsx';
import { visible } from '../../parts/texts.ts';
import { Ago, Elapsed } from '../../parts/time.tsx';
import { Disks } from './disks.tsx';
import { NodeActions } from './node-actions.tsx';
import { NodeFacts } from './node-facts.tsx';
import { Processes } from './processes.tsx';
import { Readings } from './readings-panel.tsx';
import { Silences } from './silences.tsx';
import { Sources } from './sources.tsx';
import { Trouble } from './trouble.tsx';

/** One machine: what is wrong with it, its readings and its tasks on one time axis, and what its agent sees. */
export function NodePage(): ReactNode {
  const { id } = useParams({ from: '/nodes/$id' });
  const query = useQuery(read('GET /nodes/{id}', { path: { id } }));
  const node = query.data;
  return (
    <Page
      title={node === undefined ? 'Node' : visible(node.name)}
      lead={node === undefined ? ' ' : <Lead node={node} />}
      actions={node && <NodeActions node={node} />}
    >
      <Loaded query={query} lines={9}>
        {(loaded) => (
          <>
            <Silences node={loaded} />
            <Trouble node={loaded} />
            <Readings node={loaded} />
            <Columns>
              <Processes node={loaded} />
              <Disks node={loaded} />
            </Columns>
            <Sources node={loaded} />
            <NodeFacts node={loaded} />
          </>
        )}
      </Loaded>
    </Page>
  );
}

function Lead({ node }: { node: Node }): ReactNode {
  const { status, connected_at, last_heard_at, goodbye_reason } = node;
  const isHere = status === 'online' || status === 'draining';
  return (
    <>
      <NodeStatusBadge status={status} />{' '}
      {isHere && connected_at !== null ? (
        <>
          connected for <Elapsed since={connected_at} />
        </>
      ) : (
        <>
          last heard <Ago at={last_heard_at} />
          {goodbye_reason !== null && `: ${visible(goodbye_reason)}`}
        </>
      )}
    </>
  );
}
