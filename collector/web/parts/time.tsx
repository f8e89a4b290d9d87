import { Tooltip } from '@mantine/core';
import type { ReactNode } from 'react';
import { createStore, useStore } from '../data/store.ts';
import { useZone } from '../theme/zone.ts';
import { agoText, dash, durationText, instantText } from './texts.ts';

/** Milliseconds since the epoch, a second at most behind: all relative times of the page move together. */
const now = createStore(Date.now());
setInterval(() => now.set(Date.now()), 1000);

export function useNowMs(): number {
  return useStore(now);
}

/** `3 min ago`; the instant itself on hover. */
export function Ago({ at }: { at: string | null | undefined }): ReactNode {
  const nowMs = useNowMs();
  const [zone] = useZone();
  if (!at) return dash;
  return (
    <Tooltip label={instantText(at, { zone })}>
      <time dateTime={at}>{agoText(at, nowMs)}</time>
    </Tooltip>
  );
}

/** `22 Nov, 03:54:34` in the chosen zone; how long ago on hover. */
export function At({
  at,
  isApproximate = false,
}: {
  at: string | null | undefined;
  isApproximate?: boolean;
}): ReactNode {
  const nowMs = useNowMs();
  const [zone] = useZone();
  if (!at) return dash;
  return (
    <Tooltip label={agoText(at, nowMs)}>
      <time dateTime={at}>
        {isApproximate ? 'about ' : ''}
        {instantText(at, { zone })}
      </time>
    </Tooltip>
  );
}

/** How long it has lasted, counting on. */
export function Elapsed({ since }: { since: string | null }): ReactNode {
  const nowMs = useNowMs();
  if (since === null) return dash;
  const seconds = Math.max(0, Math.floor((nowMs - Date.parse(since)) / 1000));
  return seconds < 60 ? `${seconds} s` : durationText(seconds * 1000);
}

/** How long until then, counting down; `is over` afterwards. */
export function Left({ until }: { until: string }): ReactNode {
  const leftMs = Date.parse(until) - useNowMs();
  return leftMs <= 0 ? 'is over' : `${durationText(Math.ceil(leftMs / 1000) * 1000)} left`;
}
