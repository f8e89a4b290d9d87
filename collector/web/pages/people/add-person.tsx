import { Button, NativeSelect, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import type { Routes } from '../../data/api-types.ts';
import { useSend } from '../../data/queries.ts';
import { Command } from '../../parts/empty.tsx';
import { DurationField, FieldRow, Form } from '../../parts/form.tsx';
import { Panel } from '../../parts/page.tsx';
import { visible } from '../../parts/texts.ts';
import { At } from '../../parts/time.tsx';
import classes from './people.module.css';
import { type Role, roles } from './roles.ts';

type Made = Routes['POST /people']['answer'];

/** A token for someone. It is on show only as long as this page. */
export function AddPerson({ again }: { again: () => void }): ReactNode {
  const [made, setMade] = useState<Made | null>(null);
  return (
    <Panel
      title="Add a person"
      aside={
        made !== null && (
          <Button size="xs" variant="default" onClick={again}>
            Add another
          </Button>
        )
      }
    >
      {made === null ? <PersonForm onMade={setMade} /> : <ShownToken made={made} />}
    </Panel>
  );
}

function PersonForm({ onMade }: { onMade: (made: Made) => void }): ReactNode {
  const [name, setName] = useState('');
  const [role, setRole] = useState<Role>('viewer');
  const [expiresIn, setExpiresIn] = useState('');
  const send = useSend('POST /people');
  const body = { name: name.trim(), role, ...(expiresIn.trim() === '' ? {} : { expires_in: expiresIn.trim() }) };
  return (
    <Form
      action="Make a token"
      isSending={send.isPending}
      error={send.error}
      isComplete={name.trim() !== ''}
      send={() => send.mutate({ body }, { onSuccess: onMade })}
    >
      <FieldRow>
        <TextInput
          label="Name"
          description="The others see it behind what this person does."
          placeholder="ada"
          autoComplete="off"
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <NativeSelect
          label="Role"
          description="It can be changed at any time."
          data={[...roles]}
          value={role}
          onChange={(event) => setRole(event.currentTarget.value as Role)}
        />
        <DurationField
          label="Good for"
          description="Empty: until it is removed."
          choices={['30d', '90d', '365d']}
          value={expiresIn}
          onChange={setExpiresIn}
        />
      </FieldRow>
    </Form>
  );
}

function ShownToken({ made: { name, role, token, expires_at: until } }: { made: Made }): ReactNode {
  return (
    <div role="status" className={classes.made}>
      <Command text={token} />
      <p>
        It opens this collector to <strong>{visible(name)}</strong> as {role}
        {until !== null && (
          <>
            {' until '}
            <At at={until} />
          </>
        )}
        , here and on the command line (<code>RUNNERWATCH_API_TOKEN</code>). It is not shown again: the collector keeps
        only its digest.
      </p>
    </div>
  );
}
