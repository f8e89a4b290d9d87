import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import type { Status } from '../../data/api-types.ts';
import { read } from '../../data/queries.ts';
import { Page } from '../../parts/page.tsx';
import { countText, durationText } from '../../parts/texts.ts';
import { Deliveries } from './deliveries.tsx';
import { Receivers } from './receivers.tsx';
import { Subscriptions } from './subscriptions.tsx';

/** Who is told what, by which way, and whether it arrived. */
export function NotificationsPage(): ReactNode {
  const status = useQuery(read('GET /status', {}));
  return (
    <Page title="Notifications" lead={status.data === undefined ? ' ' : leadOf(status.data)}>
      <Receivers query={status} />
      <Subscriptions />
      <Deliveries />
    </Page>
  );
}

function leadOf({ queues, notification_latency: latency }: Status): string {
  const { notifications_pending: pending, notifications_dead: dead } = queues;
  return [
    latency.p99_ms === null
      ? 'Nothing was told since the collector started.'
      : `Half are there within ${durationText(latency.p50_ms)}, of a hundred 99 within ${durationText(latency.p99_ms)}.`,
    pending !== null && pending > 0 && `${countText(pending, 'notification')} on the way.`,
    dead !== null && dead > 0 && `${countText(dead, 'notification')} given up.`,
  ]
    .filter(Boolean)
    .join(' ');
}
