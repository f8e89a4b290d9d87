import { Button, PasswordInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import classes from './shell.module.css';

/** Asks for the API token, which a browser on the collector's own machine does not need. */
export function Gate({ refusal, unlock }: { refusal: string | null; unlock: (token: string) => void }): ReactNode {
  const [token, setToken] = useState('');
  return (
    <form
      className={classes.gate}
      onSubmit={(event) => {
        event.preventDefault();
        unlock(token.trim());
      }}
    >
      <h1>This collector asks for its API token</h1>
      <p>
        Yours is the one an admin made for you; the first is on the collector’s machine, in{' '}
        <code>collector/api.token</code> of its data directory. It stays in this tab only.
      </p>
      <PasswordInput
        label="API token"
        placeholder="rwp_…"
        autoComplete="off"
        data-autofocus
        value={token}
        onChange={(event) => setToken(event.currentTarget.value)}
        error={refusal}
      />
      <Button type="submit" disabled={token.trim() === ''}>
        Open
      </Button>
    </form>
  );
}
