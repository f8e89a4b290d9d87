import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Silence } from '../../data/api-types.ts';
import { useSend } from '../../data/queries.ts';
import { Allowed } from '../../parts/allowed.tsx';
import { Badge } from '../../parts/badges.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { MatcherTags } from '../../parts/matchers.tsx';
import { visible } from '../../parts/texts.ts';
import { Ago, At, Left } from '../../parts/time.tsx';
import classes from './silences.module.css';

export function SilenceTable({ label, silences }: { label: string; silences: readonly Silence[] }): ReactNode {
  return <DataTable label={label} columns={columns} rows={silences} rowKey={({ id }) => id} />;
}

const columns: readonly Column<Silence>[] = [
  {
    title: 'Why',
    isWide: true,
    cell: ({ reason, author, origin, matchers }) => (
      <div className={classes.what}>
        <strong title={visible(reason)}>{visible(reason)}</strong>
        <span>
          {origin === 'drain' && <Badge tone="info">drain</Badge>} by {visible(author)}
        </span>
        <MatcherTags matchers={matchers} />
      </div>
    ),
  },
  { title: 'When', cell: (silence) => <When silence={silence} /> },
  {
    title: '',
    isNumber: true,
    cell: (silence) =>
      silence.state === 'expired' ? null : (
        <Allowed to="DELETE /silences/{id}">
          <End silence={silence} />
        </Allowed>
      ),
  },
];

function When({ silence }: { silence: Silence }): ReactNode {
  const { state, recurrence, starts_at: startsAt, ends_at: endsAt, until } = silence;
  if (state === 'expired') return <Ago at={endsAt} />;
  return (
    <div className={classes.when}>
      {state === 'pending' && (
        <span>
          from <At at={startsAt} />
        </span>
      )}
      {state === 'active' && <span>{until === null ? 'until it is ended' : <Left until={until} />}</span>}
      {recurrence !== null && (
        <span>
          {recurrence.days?.join(', ') ?? 'every day'}, {recurrence.from}–{recurrence.to}
          <small>{recurrence.time_zone}</small>
        </span>
      )}
      {endsAt !== null && (
        <small>
          until <At at={endsAt} />
        </small>
      )}
    </div>
  );
}

/** What it kept back and still holds is told at once. */
function End({ silence: { id, reason, origin } }: { silence: Silence }): ReactNode {
  const end = useSend('DELETE /silences/{id}');
  return (
    <Button
      size="compact-xs"
      variant="default"
      loading={end.isPending}
      aria-label={`End: ${visible(reason)}`}
      title={end.error?.message ?? (origin === 'drain' ? 'Ends the drain too' : 'What still holds is told then')}
      onClick={() => end.mutate({ path: { id } })}
    >
      {end.error === null ? 'End' : 'Try again'}
    </Button>
  );
}
