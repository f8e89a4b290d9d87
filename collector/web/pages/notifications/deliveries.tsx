import { Button, SegmentedControl } from '@mantine/core';
import { useInfiniteQuery } from '@tanstack/react-query';
import { Link, useNavigate, useSearch } from '@tanstack/react-router';
import type { ReactNode } from 'react';
import type { Delivery } from '../../data/api-types.ts';
import { readPages, useSend } from '../../data/queries.ts';
import { whileOnTheWay } from '../../data/reread.ts';
import { Allowed } from '../../parts/allowed.tsx';
import { Badge } from '../../parts/badges.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Empty } from '../../parts/empty.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Panel } from '../../parts/page.tsx';
import { countText, durationText, visible } from '../../parts/texts.ts';
import { Ago, Left } from '../../parts/time.tsx';
import type { Tone } from '../../theme/tones.ts';
import classes from './notifications.module.css';
import { deliveryStates, notificationsSearch } from './search.ts';

const tones: Readonly<Record<Delivery['state'], Tone>> = {
  delivered: 'good',
  pending: 'info',
  dead: 'critical',
  collapsed: 'idle',
};
const labels: Readonly<Record<Delivery['state'], string>> = {
  delivered: 'delivered',
  pending: 'on the way',
  dead: 'given up',
  collapsed: 'summed up',
};

/** Every notification and how its attempts went; those given up can be sent again. */
export function Deliveries(): ReactNode {
  const { state } = useSearch({ from: '/notifications' });
  const navigate = useNavigate({ from: '/notifications' });
  const query = useInfiniteQuery({
    ...readPages('GET /deliveries', { query: { state, limit: 30 } }),
    refetchInterval: ({ state: { data } }) => whileOnTheWay(data?.pages.flatMap(({ items }) => items) ?? []),
  });
  return (
    <Panel title="Deliveries" isFlush>
      <div className={classes.states}>
        <SegmentedControl
          size="xs"
          aria-label="State"
          data={[{ value: 'all', label: 'all' }, ...deliveryStates.map((value) => ({ value, label: labels[value] }))]}
          value={state ?? 'all'}
          onChange={(chosen) =>
            void navigate({ search: notificationsSearch({ state: chosen }), replace: true, resetScroll: false })
          }
        />
      </div>
      <Loaded query={query} lines={6}>
        {(deliveries) =>
          deliveries.length > 0 ? (
            <DataTable label="Deliveries" columns={columns} rows={deliveries} rowKey={({ id }) => id} more={query} />
          ) : (
            <Empty title={state === undefined ? 'Nothing was told yet.' : `None is ${labels[state]}.`}>
              {state === undefined && <p>Press Test beside a receiver, and see it arrive.</p>}
            </Empty>
          )
        }
      </Loaded>
    </Panel>
  );
}

const columns: readonly Column<Delivery>[] = [
  { title: 'About', cell: (delivery) => <About delivery={delivery} /> },
  { title: 'State', cell: (delivery) => <State delivery={delivery} /> },
  { title: 'To', from: 560, cell: ({ receiver }) => visible(receiver) },
  { title: 'What came of it', isWide: true, from: 820, cell: (delivery) => <Outcome delivery={delivery} /> },
  { title: 'Promised', isNumber: true, cell: ({ created_at }) => <Ago at={created_at} /> },
];

function About({ delivery: { type, incident_id, task_id, is_test } }: { delivery: Delivery }): ReactNode {
  if (task_id !== null)
    return (
      <Link to="/tasks/$id" params={{ id: task_id }}>
        {type}
      </Link>
    );
  if (incident_id !== null)
    return (
      <Link to="/incidents/$id" params={{ id: incident_id }}>
        {type}
      </Link>
    );
  return is_test ? 'test' : type;
}

function State({ delivery }: { delivery: Delivery }): ReactNode {
  return (
    <div className={classes.state}>
      <Badge tone={tones[delivery.state]}>{labels[delivery.state]}</Badge>
      {delivery.state === 'dead' && (
        <Allowed to="POST /deliveries/{id}/retry">
          <Again delivery={delivery} />
        </Allowed>
      )}
    </div>
  );
}

function Outcome({ delivery }: { delivery: Delivery }): ReactNode {
  const { attempts, last_error: error, next_attempt_at: next, state } = delivery;
  const last = attempts.at(-1);
  if (last === undefined)
    return (
      <span className={classes.soft}>
        {state === 'collapsed' ? 'told with others, in one message' : 'not tried yet'}
      </span>
    );
  const words = [
    attempts.length > 1 && countText(attempts.length, 'attempt'),
    last.http_status !== null && !error?.includes(String(last.http_status)) && `HTTP ${last.http_status}`,
    state === 'delivered' ? `after ${durationText(last.duration_ms)}` : error && visible(error),
  ];
  return (
    <span className={classes.soft} title={visible(error ?? '')}>
      {words.filter(Boolean).join(', ')}
      {state === 'pending' && next !== null && (
        <>
          {', '}again: <Left until={next} />
        </>
      )}
    </span>
  );
}

function Again({ delivery: { id } }: { delivery: Delivery }): ReactNode {
  const retry = useSend('POST /deliveries/{id}/retry');
  return (
    <Button
      size="compact-xs"
      variant="default"
      loading={retry.isPending}
      title={retry.error?.message}
      onClick={() => retry.mutate({ path: { id } })}
    >
      Send again
    </Button>
  );
}
