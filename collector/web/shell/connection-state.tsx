import { Tooltip } from '@mantine/core';
import type { ReactNode } from 'react';
import type { Connection } from '../data/live.ts';
import { useConnection } from '../data/use-live.ts';
import { agoText } from '../parts/texts.ts';
import { useNowMs } from '../parts/time.tsx';
import type { Tone } from '../theme/tones.ts';
import classes from './shell.module.css';

const tones: Readonly<Record<Connection['kind'], Tone>> = {
  connecting: 'idle',
  live: 'good',
  away: 'warning',
  locked: 'idle',
};
const explanations: Readonly<Record<Connection['kind'], string>> = {
  connecting: 'Opening the live stream',
  live: 'Every change shows within a second',
  away: 'The collector does not answer; what you see is old. This page goes on trying.',
  locked: 'The collector asks for a token',
};

/** Whether what is on show is true now, or since when it is not. */
export function ConnectionState(): ReactNode {
  const connection = useConnection();
  const nowMs = useNowMs();
  return (
    <Tooltip label={explanations[connection.kind]} multiline maw={280}>
      <span className={classes.connection} data-tone={tones[connection.kind]} data-kind={connection.kind} role="status">
        <i />
        {connection.kind === 'away'
          ? `stale, ${agoText(new Date(connection.since).toISOString(), nowMs)}`
          : connection.kind}
      </span>
    </Tooltip>
  );
}
