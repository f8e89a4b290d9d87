import type { UseQueryResult } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Routes } from '../../data/api-types.ts';
import { IncidentTable } from '../../parts/incident-table.tsx';
import { Panel } from '../../parts/page.tsx';

const rank = { critical: 0, warning: 1, info: 2 };
const shownMax = 8;

/** The worst first. Nothing when nothing is open. */
export function OpenIncidents({ query }: { query: UseQueryResult<Routes['GET /incidents']['answer']> }): ReactNode {
  const all = query.data?.items ?? [];
  if (all.length === 0) return null;
  const shown = all.toSorted((a, b) => rank[a.severity] - rank[b.severity] || b.opened_at.localeCompare(a.opened_at));
  return (
    <Panel
      title="Open incidents"
      isFlush
      aside={
        <Link to="/incidents" search={{ status: 'open' }}>
          {all.length > shownMax ? `${shownMax} of ${all.length}: see all` : 'see all'}
        </Link>
      }
    >
      <IncidentTable label="Open incidents" incidents={shown.slice(0, shownMax)} />
    </Panel>
  );
}
