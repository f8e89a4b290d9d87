import { Select } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { Delivery } from '../../data/api-types.ts';
import { preview, read } from '../../data/queries.ts';
import { Empty } from '../../parts/empty.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { instantText, visible } from '../../parts/texts.ts';
import { useZone } from '../../theme/zone.ts';
import classes from './notifications.module.css';

/** What a receiver would be sent of a notification of the past. Nothing is sent. */
export function Preview({ receiver }: { receiver: string }): ReactNode {
  const [zone] = useZone();
  const past = useQuery(read('GET /deliveries', { query: { limit: 50 } }));
  const [chosen, choose] = useState<string | null>(null);
  const nameOf = ({ type, created_at, receiver: told }: Delivery) =>
    `${type}, ${instantText(created_at, { zone })}, for ${visible(told)}`;
  return (
    <Loaded query={past} lines={6}>
      {({ items }) =>
        items.length === 0 ? (
          <Empty title="Nothing was told yet.">
            <p>Send a test first, and see here what it was made of.</p>
          </Empty>
        ) : (
          <div className={classes.preview}>
            <Select
              label="Of this notification"
              data={items.map((delivery) => ({ value: delivery.id, label: nameOf(delivery) }))}
              value={chosen ?? items[0]?.id ?? null}
              onChange={choose}
              allowDeselect={false}
            />
            <Message receiver={receiver} notificationId={chosen ?? items[0]?.id ?? ''} />
          </div>
        )
      }
    </Loaded>
  );
}

function Message({ receiver, notificationId }: { receiver: string; notificationId: string }): ReactNode {
  const query = useQuery(
    preview('POST /notifiers/{name}/preview', {
      path: { name: receiver },
      body: { notification_id: notificationId },
    }),
  );
  return (
    <Loaded query={query} lines={6}>
      {({ subject, text, note }) => (
        <section aria-label="The message">
          {note !== null && <p className={classes.soft}>{visible(note)}</p>}
          {subject !== null && <strong>{visible(subject)}</strong>}
          <pre tabIndex={0}>{visible(text)}</pre>
        </section>
      )}
    </Loaded>
  );
}
