import { Button } from '@mantine/core';
import type { ReactNode } from 'react';
import { ApiFailure } from '../data/client.ts';
import classes from './failure.module.css';

/** What went wrong, in the collector's own words, and what to do next. */
export function Failure({ error, retry }: { error: Error; retry?: () => void }): ReactNode {
  return (
    <div className={classes.failure} role="alert" data-tone="critical">
      <div>
        <strong>{error.message}</strong>
        <p>{nextStep(error)}</p>
      </div>
      {retry !== undefined && (
        <Button variant="default" size="xs" onClick={retry}>
          Try again
        </Button>
      )}
    </div>
  );
}

function nextStep(error: Error): string {
  if (!(error instanceof ApiFailure))
    return 'This is a fault of this page. Load it again; if it stays, please report it.';
  if (error.code === 'unreachable')
    return 'Check that the collector runs (runnerwatch doctor). This page goes on trying.';
  if (error.status === 404) return 'It may have been removed, or its time of retention is over.';
  if (error.status !== null && error.status >= 500)
    return 'The collector’s log says more. This page asks again when it can.';
  return `The collector refused it (${error.code}).`;
}
