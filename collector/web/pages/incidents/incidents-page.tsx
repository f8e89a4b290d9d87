import { SegmentedControl } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import { readPages } from '../../data/queries.ts';
import { Command, Empty } from '../../parts/empty.tsx';
import { IncidentTable } from '../../parts/incident-table.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Page, Panel } from '../../parts/page.tsx';
import { SavedViews, type View } from '../../parts/saved-views.tsx';
import { type IncidentsSearch, incidentStatuses, incidentsSearch, severities } from './search.ts';

const views: readonly View<IncidentsSearch>[] = [
  { name: 'All', search: {} },
  { name: 'Critical now', search: { severity: 'critical', status: 'open' } },
];

/** What is wrong now, then what was. */
export function IncidentsPage(): ReactNode {
  const search = useSearch({ from: '/incidents' });
  const navigate = useNavigate({ from: '/incidents' });
  const change = (changed: Record<string, string>) =>
    void navigate({ search: incidentsSearch({ ...search, ...changed }), replace: true });
  return (
    <Page
      title="Incidents"
      actions={
        <>
          <SavedViews
            list="incident"
            given={views}
            search={search}
            show={(view) => void navigate({ search: view, replace: true })}
          />
          <SegmentedControl
            size="xs"
            aria-label="Severity"
            data={['any', ...severities]}
            value={search.severity ?? 'any'}
            onChange={(severity) => change({ severity })}
          />
          <SegmentedControl
            size="xs"
            aria-label="Status"
            data={['all', ...incidentStatuses]}
            value={search.status ?? 'all'}
            onChange={(status) => change({ status })}
          />
        </>
      }
    >
      {incidentStatuses
        .filter((status) => search.status === undefined || search.status === status)
        .map((status) => (
          <Incidents key={status} status={status} severity={search.severity} />
        ))}
    </Page>
  );
}

type Status = NonNullable<IncidentsSearch['status']>;
type IncidentsProps = { readonly status: Status; readonly severity: IncidentsSearch['severity'] };

const titles: Readonly<Record<Status, string>> = { open: 'Open', resolved: 'Over' };

function Incidents({ status, severity }: IncidentsProps): ReactNode {
  const query = useInfiniteQuery(readPages('GET /incidents', { query: { status, severity, limit: 50 } }));
  return (
    <Panel title={titles[status]} isFlush>
      <Loaded query={query} lines={status === 'open' ? 4 : 6}>
        {(incidents) =>
          incidents.length > 0 ? (
            <IncidentTable label={`${titles[status]} incidents`} incidents={incidents} more={query} />
          ) : (
            <Nothing status={status} severity={severity} />
          )
        }
      </Loaded>
    </Panel>
  );
}

function Nothing({ status, severity }: IncidentsProps): ReactNode {
  const kind = severity === undefined ? '' : ` ${severity}`;
  if (status === 'resolved')
    return (
      <Empty title={`No${kind} incident is over.`}>
        <p>They come here when what they are about has passed, or someone has seen the failed tasks.</p>
      </Empty>
    );
  return (
    <Empty title={`Nothing${kind} is wrong.`}>
      {severity === undefined && (
        <>
          <p>An incident gathers the alerts of one cause. To see one, let a command fail:</p>
          <Command text="npx runnerwatch run -- sh -c 'exit 3'" />
        </>
      )}
    </Empty>
  );
}
