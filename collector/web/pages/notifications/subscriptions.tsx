import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { Subscription } from '../../data/api-types.ts';
import { read, useSend } from '../../data/queries.ts';
import { Allowed } from '../../parts/allowed.tsx';
import { Badge } from '../../parts/badges.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Command, Empty } from '../../parts/empty.tsx';
import { FormDialog } from '../../parts/form.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { MatcherTags } from '../../parts/matchers.tsx';
import { Panel } from '../../parts/page.tsx';
import { visible, words } from '../../parts/texts.ts';
import { Left } from '../../parts/time.tsx';
import classes from './notifications.module.css';
import { SubscriptionForm } from './subscription-form.tsx';

/** Who hears what: of the file, of people, of jobs, and watches. */
export function Subscriptions(): ReactNode {
  const query = useQuery(read('GET /subscriptions', {}));
  /** What the form is open for: a new one, or one that is changed. */
  const [chosen, choose] = useState<'new' | Subscription | null>(null);
  const close = () => choose(null);
  return (
    <Panel
      title="Subscriptions"
      isFlush
      aside={
        <Allowed to="POST /subscriptions">
          <Button size="compact-xs" onClick={() => choose('new')}>
            Subscribe
          </Button>
        </Allowed>
      }
    >
      <Loaded query={query} lines={4}>
        {({ enabled, items }) => (
          <>
            {!enabled && (
              <p className={classes.off} data-tone="warning">
                Nobody hears anything: notifications.enabled is false in the collector’s configuration.
              </p>
            )}
            {items.some(({ active }) => active) ? (
              <DataTable
                label="Subscriptions"
                columns={columnsOf(choose)}
                rows={items.filter(({ active }) => active)}
                rowKey={({ origin, id }) => `${origin} ${id}`}
              />
            ) : (
              <Empty title="Nobody hears anything yet.">
                <p>Subscribe here, or type:</p>
                <Command text="npx runnerwatch subscribe --help" />
              </Empty>
            )}
          </>
        )}
      </Loaded>
      <FormDialog
        title={chosen === 'new' ? 'Subscribe' : 'Change a subscription'}
        isOpen={chosen !== null}
        close={close}
      >
        {chosen !== null && <SubscriptionForm known={chosen === 'new' ? null : chosen} onDone={close} />}
      </FormDialog>
    </Panel>
  );
}

const origins: Readonly<Record<Subscription['origin'], string>> = {
  file: 'configuration file',
  api: 'a person',
  job_alert: 'alert of a job',
  watch: 'watch',
};

function columnsOf(change: (subscription: Subscription) => void): readonly Column<Subscription>[] {
  return [...columns, { title: '', isNumber: true, cell: (subscription) => <Actions {...{ subscription, change }} /> }];
}

const columns: readonly Column<Subscription>[] = [
  {
    title: 'Who',
    cell: ({ receiver, target }) => <strong className={classes.name}>{visible(target ?? receiver)}</strong>,
  },
  { title: 'Hears', from: 560, cell: ({ events }) => <span title={hears(events)}>{hears(events)}</span> },
  {
    title: 'About',
    isWide: true,
    cell: ({ matchers, quiet_hours: quiet, digest }) => (
      <>
        <MatcherTags matchers={matchers} />
        {quiet !== null && (
          <span className={classes.soft}>
            {' '}
            not {quiet.from}–{quiet.to}
          </span>
        )}
        {digest !== null && <span className={classes.soft}> failures in a digest, after {digest}</span>}
      </>
    ),
  },
  {
    title: 'From',
    from: 820,
    cell: ({ origin, created_by: by, expires_at: until }) => (
      <span className={classes.soft}>
        {by === null ? origins[origin] : visible(by)}
        {until !== null && (
          <>
            , <Left until={until} />
          </>
        )}
      </span>
    ),
  },
];

function hears(events: Subscription['events']): string {
  return events.length > 3
    ? `${events.slice(0, 2).map(words).join(', ')} and ${events.length - 2} more`
    : events.map(words).join(', ');
}

interface ActionProps {
  readonly subscription: Subscription;
  readonly change: (subscription: Subscription) => void;
}

/** Those of the file are changed there, a job's and a watch where they are. */
function Actions({ subscription, change }: ActionProps): ReactNode {
  if (subscription.origin !== 'api') return null;
  return (
    <Allowed to="PATCH /subscriptions/{id}">
      {' '}
      <span className={classes.actions}>
        <Button
          size="compact-xs"
          variant="default"
          aria-label={`Change ${visible(subscription.target ?? subscription.receiver)}`}
          onClick={() => change(subscription)}
        >
          Change
        </Button>
        <Remove subscription={subscription} />
      </span>
    </Allowed>
  );
}

function Remove({ subscription }: Pick<ActionProps, 'subscription'>): ReactNode {
  const remove = useSend('DELETE /subscriptions/{id}');
  const [isAsked, setAsked] = useState(false);
  const { id, receiver, target } = subscription;
  if (remove.error !== null) return <Badge tone="critical">{remove.error.message}</Badge>;
  return (
    <Button
      size="compact-xs"
      variant={isAsked ? 'filled' : 'default'}
      color="red"
      loading={remove.isPending}
      aria-label={`${isAsked ? 'Really unsubscribe' : 'Unsubscribe'} ${visible(target ?? receiver)}`}
      onClick={() => (isAsked ? remove.mutate({ path: { id } }) : setAsked(true))}
      onBlur={() => setAsked(false)}
    >
      {isAsked ? 'Really?' : 'Unsubscribe'}
    </Button>
  );
}
