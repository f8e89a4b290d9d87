import { SegmentedControl, TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { readPages } from '../../data/queries.ts';
import { Empty } from '../../parts/empty.tsx';
import { Icon } from '../../parts/icon.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Page, Panel } from '../../parts/page.tsx';
import { NodesTable } from './nodes-table.tsx';
import type { NodesSearch } from './search.ts';

const statusChoices = ['all', 'online', 'offline', 'draining', 'stopped'] as const;

/** Every node, with what it reads now. */
export function NodesPage(): ReactNode {
  const { search = '', status } = useSearch({ from: '/nodes' });
  const navigate = useNavigate({ from: '/nodes' });
  const change = (changed: NodesSearch) =>
    void navigate({ search: (before) => ({ ...before, ...changed }), replace: true });
  const query = useInfiniteQuery(
    readPages('GET /nodes', { query: { search: search || undefined, status, limit: 100 } }),
  );
  return (
    <Page
      title="Nodes"
      actions={
        <>
          <SearchField value={search} onChange={(text) => change({ search: text })} />
          <SegmentedControl
            size="xs"
            data={[...statusChoices]}
            value={status ?? 'all'}
            onChange={(chosen) => change({ status: chosen === 'all' ? undefined : chosen } as NodesSearch)}
          />
        </>
      }
    >
      <Panel title="All nodes" isFlush>
        <Loaded query={query} lines={6}>
          {(nodes) =>
            nodes.length === 0 ? (
              <Empty title={search || status ? 'No node is like that.' : 'Nobody is watching yet.'}>
                <p>
                  {search || status
                    ? 'Search for less, or show all.'
                    : 'Start an agent, and its node is here a second later.'}
                </p>
              </Empty>
            ) : (
              <NodesTable nodes={nodes} more={query} />
            )
          }
        </Loaded>
      </Panel>
    </Page>
  );
}

function SearchField({ value, onChange }: { value: string; onChange: (text: string) => void }): ReactNode {
  const [text, setText] = useState(value);
  const changeSoon = useDebouncedCallback(onChange, 200);
  return (
    <TextInput
      size="xs"
      placeholder="Name or label"
      aria-label="Search nodes by name or label"
      leftSection={<Icon name="search" size={15} />}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value);
        changeSoon(event.currentTarget.value.trim());
      }}
    />
  );
}
