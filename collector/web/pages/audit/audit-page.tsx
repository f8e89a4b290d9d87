import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { AuditEntry } from '../../data/api-types.ts';
import { readPages } from '../../data/queries.ts';
import { Badge } from '../../parts/badges.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Empty } from '../../parts/empty.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Page, Panel } from '../../parts/page.tsx';
import { dash, visible } from '../../parts/texts.ts';
import { At } from '../../parts/time.tsx';
import type { Tone } from '../../theme/tones.ts';
import classes from './audit.module.css';

/** Who changed what, and who was not let. */
export function AuditPage(): ReactNode {
  const { person } = useSearch({ from: '/audit' });
  const query = useInfiniteQuery(readPages('GET /audit', { query: { person } }));
  return (
    <Page title="Audit" lead="Who changed what, and who was not let. Reading is not written down.">
      <Panel
        title={person === undefined ? 'Everyone, the newest first' : `${visible(person)}, the newest first`}
        aside={person !== undefined && <Link to="/audit">Show everyone</Link>}
        isFlush
      >
        <Loaded query={query} lines={8}>
          {(entries) =>
            entries.length > 0 ? (
              <DataTable label="Audit trail" columns={columns} rows={entries} rowKey={({ id }) => id} more={query} />
            ) : (
              <Empty title="Nothing was changed." />
            )
          }
        </Loaded>
      </Panel>
    </Page>
  );
}

const tones: Readonly<Record<AuditEntry['outcome'], Tone>> = {
  done: 'good',
  invalid: 'idle',
  refused: 'warning',
  wrong_tokens: 'critical',
  failed: 'critical',
};

const columns: readonly Column<AuditEntry>[] = [
  { title: 'When', cell: ({ at }) => <At at={at} /> },
  { title: 'Who', cell: (entry) => <Who entry={entry} /> },
  {
    title: 'What',
    isWide: true,
    cell: ({ method, route }) => (
      <code title={`${method} ${route}`}>
        {method} {route}
      </code>
    ),
  },
  { title: 'About', from: 820, cell: ({ subject }) => visible(subject ?? dash) },
  { title: 'From', from: 1080, cell: ({ address }) => visible(address ?? dash) },
  {
    title: 'Outcome',
    from: 560,
    cell: ({ outcome, status }) => (
      <span title={`HTTP ${status}`}>
        <Badge tone={tones[outcome]}>{outcome.replace('_', ' ')}</Badge>
      </span>
    ),
  },
];

function Who({ entry: { person, role } }: { entry: AuditEntry }): ReactNode {
  if (person === null) return 'nobody we know';
  return (
    <>
      <Link to="/audit" search={{ person }}>
        {visible(person)}
      </Link>{' '}
      <small className={classes.soft}>{role}</small>
    </>
  );
}
