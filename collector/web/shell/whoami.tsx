import { Button, PasswordInput } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { type ReactNode, useState } from 'react';
import { forgetToken, hasToken, storeToken } from '../data/client.ts';
import { type Me, useMe } from '../parts/allowed.tsx';
import { Form, FormDialog } from '../parts/form.tsx';
import { Icon } from '../parts/icon.tsx';
import { visible } from '../parts/texts.ts';
import classes from './shell.module.css';

const unnamed: Readonly<Record<Exclude<Me['kind'], 'person'>, string>> = {
  local: 'On this machine',
  collector_token: 'api.token',
};

/** Who uses this page, and what that person may do; whoever came without a token can become someone, and the other way round. */
export function WhoAmI(): ReactNode {
  const me = useMe();
  const [isAsking, ask] = useDisclosure();
  if (me === undefined) return null;
  return (
    <div className={classes.me}>
      <Icon name="people" />
      <span>
        {me.kind === 'person' ? visible(me.name ?? '') : unnamed[me.kind]}
        <small>{me.role}</small>
      </span>
      {hasToken() ? (
        <Button size="compact-xs" variant="default" onClick={() => begin(forgetToken)}>
          Leave
        </Button>
      ) : (
        me.role !== 'admin' && (
          <Button size="compact-xs" variant="default" onClick={ask.open}>
            Sign in
          </Button>
        )
      )}
      <FormDialog title="Sign in" isOpen={isAsking} close={ask.close}>
        <TokenForm />
      </FormDialog>
    </div>
  );
}

function TokenForm(): ReactNode {
  const [token, setToken] = useState('');
  return (
    <Form
      action="Open"
      isSending={false}
      error={null}
      isComplete={token.trim() !== ''}
      send={() => begin(() => storeToken(token.trim()))}
    >
      <PasswordInput
        label="API token"
        placeholder="rwp_…"
        description="Yours is the one an admin made for you. It stays in this tab only."
        autoComplete="off"
        data-autofocus
        value={token}
        onChange={(event) => setToken(event.currentTarget.value)}
      />
    </Form>
  );
}

/** Nothing that someone else saw stays on show. */
function begin(asSomeoneElse: () => void): void {
  asSomeoneElse();
  location.reload();
}
