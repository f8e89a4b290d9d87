import { SegmentedControl, Select } from '@mantine/core';
import { keepPreviousData, useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { ConditionReport, Routes } from '../../data/api-types.ts';
import { readPages } from '../../data/queries.ts';
import { Empty } from '../../parts/empty.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Page, Panel } from '../../parts/page.tsx';
import { SavedViews, type View } from '../../parts/saved-views.tsx';
import { SearchField } from '../../parts/search-field.tsx';
import classes from './nodes.module.css';
import { NodesTable } from './nodes-table.tsx';
import { isDescending, type NodesSearch, type NodesSort, nodesSearch } from './search.ts';

type Query = NonNullable<Routes['GET /nodes']['query']>;

/** What changes on show stays where it is until then. */
const orderAgainMs = 10_000;
const statuses = ['all', 'online', 'offline', 'draining', 'stopped'];
const conditions: readonly ConditionReport['condition'][] = [
  'MemoryPressure',
  'HighLoad',
  'DiskPressure',
  'InodePressure',
  'ProcessMemoryPressure',
  'ProcessHighCPU',
  'ComponentUnreachable',
  'UnitFailed',
  'NodeFailsFast',
  'GpuFault',
  'ClockSkew',
  'AgentCloned',
  'SourceBlind',
];

const views: readonly View<NodesSearch>[] = [
  { name: 'All', search: {} },
  { name: 'In trouble', search: { condition: 'any', sort: 'health' } },
  { name: 'Offline', search: { status: 'offline' } },
  { name: 'Fullest disks', search: { sort: 'disk' } },
];

/** Every node, with what it reads now. What is looked for stands in the address. */
export function NodesPage(): ReactNode {
  const search = useSearch({ from: '/nodes' });
  const navigate = useNavigate({ from: '/nodes' });
  const change = (changed: Record<string, unknown>) =>
    void navigate({ search: (before) => nodesSearch({ ...before, ...changed }), replace: true });
  const query = useInfiniteQuery({
    ...readPages('GET /nodes', { query: queryOf(search) }),
    refetchInterval: search.sort === undefined ? false : orderAgainMs,
    placeholderData: keepPreviousData,
  });
  const { sort, order: _order, ...filters } = search;
  const isFiltered = Object.keys(filters).length > 0;
  const sorted = {
    by: sort ?? 'name',
    isDescending: isDescending(search),
    onSort: (by: NodesSort) =>
      change({ sort: by, order: by === sorted.by ? (sorted.isDescending ? 'asc' : 'desc') : undefined }),
  };
  return (
    <Page
      title="Nodes"
      actions={
        <SavedViews
          list="node"
          given={views}
          search={search}
          show={(view) => void navigate({ search: view, replace: true })}
        />
      }
    >
      <Panel title={isFiltered ? 'Nodes like that' : 'All nodes'} isFlush>
        <div className={classes.filters}>
          <SearchField
            label="Search nodes by name or label"
            placeholder="Name or label"
            value={search.search ?? ''}
            onChange={(text) => change({ search: text })}
          />
          <Select
            size="xs"
            clearable
            searchable
            aria-label="Under a condition"
            placeholder="any condition"
            data={[{ value: 'any', label: 'something is wrong' }, ...conditions]}
            value={search.condition ?? null}
            onChange={(condition) => change({ condition })}
          />
          <SegmentedControl
            size="xs"
            data={statuses}
            value={search.status ?? 'all'}
            onChange={(status) => change({ status })}
          />
        </div>
        <Loaded query={query} lines={6}>
          {(nodes) =>
            nodes.length === 0 ? (
              <NoNode isFiltered={isFiltered} />
            ) : (
              <NodesTable nodes={nodes} more={query} sorted={sorted} />
            )
          }
        </Loaded>
      </Panel>
    </Page>
  );
}

function queryOf({ condition, ...search }: NodesSearch): Query {
  return { ...search, condition: condition as Query['condition'], limit: 100 };
}

function NoNode({ isFiltered }: { isFiltered: boolean }): ReactNode {
  return isFiltered ? (
    <Empty title="No node is like that.">
      <p>Search for less, or show all.</p>
    </Empty>
  ) : (
    <Empty title="Nobody is watching yet.">
      <p>
        Start an agent, and its node is here a second later: <Link to="/fleet">add a node</Link>.
      </p>
    </Empty>
  );
}
