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
import { visible } from '../../parts/texts.ts';
import { At } from '../../parts/time.tsx';
import type { Tone } from '../../theme/tones.ts';
import classes from './fleet.module.css';

type Token = Routes['GET /enrollments']['answer']['items'][number];

const tones: Readonly<Record<Token['state'], Tone>> = {
  active: 'good',
  used_up: 'idle',
  expired: 'idle',
  revoked: 'warning',
};

/** The join tokens made so far; the tokens themselves are kept nowhere. */
export function JoinTokens(): ReactNode {
  const query = useQuery(read('GET /enrollments', {}));
  const [chosen, setChosen] = useState<Token | null>(null);
  return (
    <Panel title="Join tokens" isFlush>
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="No token was made yet.">
              <p>Agents of this machine come with the token that all share. Others come with one you make above.</p>
            </Empty>
          ) : (
            <DataTable label="Join tokens" columns={columnsOf(setChosen)} rows={items} rowKey={({ id }) => id} />
          )
        }
      </Loaded>
      <FormDialog title="Revoke this join token?" isOpen={chosen !== null} close={() => setChosen(null)}>
        {chosen !== null && <Revocation token={chosen} onDone={() => setChosen(null)} />}
      </FormDialog>
    </Panel>
  );
}

function Revocation({ token: { id }, onDone }: { token: Token; onDone: () => void }): ReactNode {
  const send = useSend('DELETE /enrollments/{id}');
  return (
    <Form
      action="Revoke"
      isSending={send.isPending}
      error={send.error}
      send={() => send.mutate({ path: { id } }, { onSuccess: onDone })}
    >
      <p className={classes.about}>It admits nobody any more. The agents that it admitted stay.</p>
    </Form>
  );
}

function columnsOf(choose: (token: Token) => void): readonly Column<Token>[] {
  return [
    { title: 'State', cell: ({ state }) => <Badge tone={tones[state]}>{state.replace('_', ' ')}</Badge> },
    { title: 'For', isWide: true, cell: (token) => <Purpose token={token} /> },
    { title: 'Used', isNumber: true, cell: ({ uses, uses_max }) => `${uses} of ${uses_max}` },
    { title: 'Until', isNumber: true, from: 560, cell: ({ expires_at }) => <At at={expires_at} /> },
    { title: 'Made', isNumber: true, from: 820, cell: ({ created_at }) => <At at={created_at} /> },
    {
      title: 'Action',
      isNumber: true,
      cell: (token) =>
        token.state === 'active' && (
          <Allowed to="DELETE /enrollments/{id}">
            <Button size="compact-xs" variant="default" onClick={() => choose(token)}>
              Revoke
            </Button>
          </Allowed>
        ),
    },
  ];
}

function Purpose({ token: { note, labels } }: { token: Token }): ReactNode {
  const given = Object.entries(labels).map(([key, value]) => `${key}=${value}`);
  return (
    <span title={[note, ...given].filter(Boolean).join(' ')}>
      {visible(note ?? '')} <span className={classes.soft}>{visible(given.join(', '))}</span>
    </span>
  );
}
