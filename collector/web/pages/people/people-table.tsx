import { Button, NativeSelect } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { Person } from '../../data/api-types.ts';
import { read, useSend } from '../../data/queries.ts';
import { untilNext } from '../../data/reread.ts';
import { Badge } from '../../parts/badges.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Empty } from '../../parts/empty.tsx';
import { Failure } from '../../parts/failure.tsx';
import { Form, FormDialog } from '../../parts/form.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Panel } from '../../parts/page.tsx';
import { visible } from '../../parts/texts.ts';
import { Ago, At } from '../../parts/time.tsx';
import classes from './people.module.css';
import { type Role, roles } from './roles.ts';

/** Everyone with a token; their name leads to what they did. */
export function PeopleTable(): ReactNode {
  const query = useQuery({
    ...read('GET /people', {}),
    refetchInterval: ({ state: { data } }) => untilNext(data?.items.map(({ expires_at }) => expires_at) ?? []),
  });
  const [chosen, choose] = useState<Person | null>(null);
  const close = () => choose(null);
  return (
    <Panel title="Everyone" isFlush>
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="Nobody has a token of their own yet.">
              <p>Until then the one in collector/api.token opens everything, and whoever holds it is nobody.</p>
            </Empty>
          ) : (
            <DataTable
              label="People"
              columns={columnsOf(choose)}
              rows={items}
              rowKey={({ id }) => id}
              rowLink={({ name }) => ({ to: '/audit', search: { person: name } })}
            />
          )
        }
      </Loaded>
      <FormDialog title={`Remove ${visible(chosen?.name ?? '')}?`} isOpen={chosen !== null} close={close}>
        {chosen !== null && <Removal person={chosen} onDone={close} />}
      </FormDialog>
    </Panel>
  );
}

function Removal({ person: { id }, onDone }: { person: Person; onDone: () => void }): ReactNode {
  const send = useSend('DELETE /people/{id}');
  return (
    <Form
      action="Remove"
      isSending={send.isPending}
      error={send.error}
      send={() => send.mutate({ path: { id } }, { onSuccess: onDone })}
    >
      <p className={classes.about}>
        The token opens nothing any more, and what is open with it ends. What this person did stays in the audit trail.
      </p>
    </Form>
  );
}

function columnsOf(remove: (person: Person) => void): readonly Column<Person>[] {
  return [
    { title: 'Name', cell: ({ name }) => visible(name) },
    { title: 'Role', cell: (person) => <RoleChoice person={person} /> },
    {
      title: 'Last used',
      isNumber: true,
      from: 560,
      cell: ({ last_used_at: at }) => (at === null ? 'never' : <Ago at={at} />),
    },
    { title: 'Good until', isNumber: true, from: 560, cell: (person) => <Until person={person} /> },
    {
      title: 'Made',
      isNumber: true,
      from: 820,
      cell: ({ created_at, created_by }) => (
        <span title={`by ${visible(created_by)}`}>
          <At at={created_at} />
        </span>
      ),
    },
    {
      title: 'Action',
      isNumber: true,
      cell: (person) => (
        <Button
          size="compact-xs"
          variant="default"
          aria-label={`Remove ${visible(person.name)}`}
          onClick={() => remove(person)}
        >
          Remove
        </Button>
      ),
    },
  ];
}

/** Holds from that person's next request on. */
function RoleChoice({ person: { id, name, role } }: { person: Person }): ReactNode {
  const change = useSend('PATCH /people/{id}');
  return (
    <>
      <NativeSelect
        size="xs"
        className={classes.role}
        aria-label={`Role of ${visible(name)}`}
        data={[...roles]}
        value={change.isPending ? change.variables.body.role : role}
        disabled={change.isPending}
        onChange={(event) => change.mutate({ path: { id }, body: { role: event.currentTarget.value as Role } })}
      />
      {change.error !== null && <Failure error={change.error} />}
    </>
  );
}

function Until({ person: { state, expires_at: at } }: { person: Person }): ReactNode {
  if (state === 'expired') return <Badge tone="idle">expired</Badge>;
  return at === null ? 'removed' : <At at={at} />;
}
