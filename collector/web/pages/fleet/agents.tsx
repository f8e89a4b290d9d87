import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { Routes } from '../../data/api-types.ts';
import { read, useSend } from '../../data/queries.ts';
import { Allowed } from '../../parts/allowed.tsx';
import { Badge } from '../../parts/badges.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Empty } from '../../parts/empty.tsx';
import { Form, FormDialog } from '../../parts/form.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Panel } from '../../parts/page.tsx';
import { SearchField } from '../../parts/search-field.tsx';
import { countText, dash, durationText, numberText, visible } from '../../parts/texts.ts';
import { Ago, At } from '../../parts/time.tsx';
import { useReveal } from '../../parts/use-reveal.ts';
import classes from './fleet.module.css';

type Agent = Routes['GET /agents']['answer']['items'][number];

/** A clock off by more than this shows in times (condition ClockSkew is told from a second on). */
const skewShownMs = 1000;
/** Fewer are found by looking. */
const searchedFrom = 20;

/** Every agent that came: its version beside the collector's, its clock, how it was admitted, and whether it may come. */
export function Agents(): ReactNode {
  const query = useQuery(read('GET /agents', {}));
  const { data: status } = useQuery(read('GET /status', {}));
  const [chosen, setChosen] = useState<Agent | null>(null);
  return (
    <Panel title="Agents" isFlush aside={query.data && asideOf(query.data.items)}>
      <Loaded query={query} lines={4}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No agent has come yet.">
              <p>Add a node above; it is here a second after its agent starts.</p>
            </Empty>
          ) : (
            <AgentTable agents={items} columns={columnsOf(status?.version ?? null, setChosen)} />
          )
        }
      </Loaded>
      <FormDialog title={titleOf(chosen)} isOpen={chosen !== null} close={() => setChosen(null)}>
        {chosen !== null && <Decision agent={chosen} onDone={() => setChosen(null)} />}
      </FormDialog>
    </Panel>
  );
}

interface AgentTableProps {
  readonly agents: readonly Agent[];
  readonly columns: readonly Column<Agent>[];
}

function AgentTable({ agents, columns }: AgentTableProps): ReactNode {
  const [part, setPart] = useState('');
  const found = agents.filter(({ node }) => node.toLowerCase().includes(part.toLowerCase()));
  const shown = useReveal(found);
  return (
    <>
      {agents.length > searchedFrom && (
        <div className={classes.search}>
          <SearchField label="Search agents by node" placeholder="Node" value={part} onChange={setPart} />
        </div>
      )}
      {found.length === 0 ? (
        <Empty title="No agent is of a node like that.">
          <p>Search for less.</p>
        </Empty>
      ) : (
        <DataTable
          label="Agents"
          columns={columns}
          rowKey={({ id }) => id}
          rowLink={({ id }) => ({ to: '/nodes/$id', params: { id } })}
          {...shown}
        />
      )}
    </>
  );
}

/** What happens then, before it does. */
function Decision({ agent, onDone }: { agent: Agent; onDone: () => void }): ReactNode {
  const isRevoked = agent.revoked_at !== null;
  const send = useSend(isRevoked ? 'POST /agents/{id}/approve' : 'POST /agents/{id}/revoke');
  return (
    <Form
      action={isRevoked ? 'Approve' : 'Revoke'}
      isSending={send.isPending}
      error={send.error}
      send={() => send.mutate({ path: { id: agent.id } }, { onSuccess: onDone })}
    >
      <p className={classes.about}>
        {isRevoked
          ? 'It may come again with the key it has, and sends what it kept meanwhile.'
          : 'Its session ends at once, and it is let in no more with whatever it shows. Its node and what was stored of it stay; ends of tasks that it sees wait on its disk, and come when it is approved again.'}
      </p>
    </Form>
  );
}

function titleOf(agent: Agent | null): string {
  if (agent === null) return '';
  return `${agent.revoked_at === null ? 'Revoke' : 'Approve'} the agent of ${visible(agent.node)}?`;
}

function asideOf(agents: readonly Agent[]): string {
  return `${numberText(agents.filter(({ connected }) => connected).length)} of ${countText(agents.length, 'agent')} connected`;
}

function columnsOf(collectorVersion: string | null, choose: (agent: Agent) => void): readonly Column<Agent>[] {
  return [
    { title: 'Node', cell: ({ node }) => visible(node) },
    { title: 'State', cell: (agent) => <State agent={agent} /> },
    {
      title: 'Version',
      from: 560,
      cell: ({ version }) =>
        version === null || version === collectorVersion || collectorVersion === null ? (
          visible(version ?? dash)
        ) : (
          <span data-tone="warning" className={classes.off} title={`The collector is ${collectorVersion}`}>
            {visible(version)}, collector {collectorVersion}
          </span>
        ),
    },
    { title: 'Clock', from: 820, cell: ({ clock_skew_ms }) => <Skew skewMs={clock_skew_ms} /> },
    { title: 'Came in by', from: 820, isWide: true, cell: (agent) => <Admission agent={agent} /> },
    { title: 'Address', from: 1080, cell: ({ remote_address }) => visible(remote_address ?? dash) },
    {
      title: 'Action',
      isNumber: true,
      cell: (agent) => (
        <Allowed to="POST /agents/{id}/revoke">
          {' '}
          <Button
            size="compact-xs"
            variant="default"
            aria-label={`${agent.revoked_at === null ? 'Revoke' : 'Approve'} ${visible(agent.node)}`}
            onClick={() => choose(agent)}
          >
            {agent.revoked_at === null ? 'Revoke' : 'Approve'}
          </Button>
        </Allowed>
      ),
    },
  ];
}

function State({ agent: { connected, revoked_at, last_heard_at } }: { agent: Agent }): ReactNode {
  if (revoked_at !== null) return <Badge tone="warning">revoked</Badge>;
  if (connected) return <Badge tone="good">connected</Badge>;
  return (
    <Badge tone="idle">
      away, heard <Ago at={last_heard_at} />
    </Badge>
  );
}

function Skew({ skewMs }: { skewMs: number | null }): ReactNode {
  if (skewMs === null) return dash;
  if (Math.abs(skewMs) <= skewShownMs) return 'agrees';
  return (
    <span data-tone="warning" className={classes.off}>
      {durationText(Math.abs(skewMs))} {skewMs > 0 ? 'ahead' : 'behind'}
    </span>
  );
}

function Admission({ agent: { admitted_by, admitted_at } }: { agent: Agent }): ReactNode {
  if (admitted_by === 'shared_token') return <span className={classes.soft}>the token all share</span>;
  return (
    <>
      a join token, <At at={admitted_at} />
    </>
  );
}
