import { Button, Checkbox, Popover, SegmentedControl, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type FormEvent, type ReactNode, useState } from 'react';
import type { JobAlert } from '../../data/api-types.ts';
import { ApiFailure } from '../../data/client.ts';
import { read, useSend } from '../../data/queries.ts';
import { Allowed } from '../../parts/allowed.tsx';
import { Badge } from '../../parts/badges.tsx';
import { Empty } from '../../parts/empty.tsx';
import { Failure } from '../../parts/failure.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Panel } from '../../parts/page.tsx';
import { countText, visible } from '../../parts/texts.ts';
import { At } from '../../parts/time.tsx';
import classes from './job.module.css';
import type { JobDetail } from './job-page.tsx';

/** Addresses of this job alone, beside the subscriptions that hold for all. */
export function JobAlerts({ job: { id } }: { job: JobDetail }): ReactNode {
  const query = useQuery(read('GET /jobs/{id}/alerts', { path: { id } }));
  return (
    <Panel title="Its own alerts" aside={query.data && countText(query.data.items.length, 'alert')}>
      <Loaded query={query}>
        {({ items }) =>
          items.length === 0 ? (
            <Empty title="Nobody is told of this job alone.">
              <p>An address added here hears of its failures; subscriptions for all tasks hold as well.</p>
            </Empty>
          ) : (
            <ul className={classes.alerts} aria-label="Alerts">
              {items.map((alert) => (
                <AlertLine key={alert.id} alert={alert} />
              ))}
            </ul>
          )
        }
      </Loaded>
      <Allowed to="POST /jobs/{id}/alerts">
        <AddAlert jobId={id} />
      </Allowed>
    </Panel>
  );
}

function AlertLine({ alert }: { alert: JobAlert }): ReactNode {
  const target = visible(alert.target);
  return (
    <li>
      <Badge tone="info">{alert.alert_type}</Badge>
      <span className={classes.target} title={target}>
        {target}
      </span>
      <small>
        {whenText(alert)}, since <At at={alert.created_at} />
      </small>
      <Allowed to="DELETE /alerts/{id}">
        <DeleteAlert alert={alert} />
      </Allowed>
    </li>
  );
}

function whenText({ on_failure, on_timeout }: JobAlert): string {
  return [on_failure && 'failures', on_timeout && 'time limits'].filter(Boolean).join(' and ') || 'nothing';
}

function DeleteAlert({ alert }: { alert: JobAlert }): ReactNode {
  const remove = useSend('DELETE /alerts/{id}');
  return (
    <Popover trapFocus position="bottom-end" shadow="md">
      <Popover.Target>
        <Button size="compact-xs" variant="default" aria-label={`Delete the alert to ${visible(alert.target)}`}>
          Delete
        </Button>
      </Popover.Target>
      <Popover.Dropdown className={classes.confirm} aria-label="Delete this alert?">
        <p>Nobody is told there any more.</p>
        {remove.error !== null && <Failure error={remove.error} />}
        <Button
          size="xs"
          color="red"
          loading={remove.isPending}
          onClick={() => remove.mutate({ path: { id: alert.id } })}
        >
          Delete this alert
        </Button>
      </Popover.Dropdown>
    </Popover>
  );
}

const placeholders = { webhook: 'https://example.org/hook', email: 'team@example.org' } as const;
const initial = { alert_type: 'webhook' as JobAlert['alert_type'], target: '', on_failure: true, on_timeout: true };

function AddAlert({ jobId }: { jobId: string }): ReactNode {
  const [wanted, setWanted] = useState(initial);
  const add = useSend('POST /jobs/{id}/alerts');
  const refusal = add.error instanceof ApiFailure && add.error.field !== null ? add.error.message : null;
  const submit = (event: FormEvent) => {
    event.preventDefault();
    add.mutate(
      { path: { id: jobId }, body: { ...wanted, target: wanted.target.trim() } },
      { onSuccess: () => setWanted({ ...initial, alert_type: wanted.alert_type }) },
    );
  };
  return (
    <form className={classes.add} onSubmit={submit} aria-label="Add an alert">
      <SegmentedControl
        size="xs"
        aria-label="Kind of address"
        data={['webhook', 'email']}
        value={wanted.alert_type}
        onChange={(kind) => setWanted({ ...wanted, alert_type: kind === 'email' ? 'email' : 'webhook' })}
      />
      <TextInput
        className={classes.address}
        size="xs"
        aria-label={wanted.alert_type === 'email' ? 'Email address' : 'URL of the webhook'}
        placeholder={placeholders[wanted.alert_type]}
        value={wanted.target}
        error={refusal}
        onChange={(event) => setWanted({ ...wanted, target: event.currentTarget.value })}
      />
      <Checkbox
        size="xs"
        label="failures"
        checked={wanted.on_failure}
        onChange={(event) => setWanted({ ...wanted, on_failure: event.currentTarget.checked })}
      />
      <Checkbox
        size="xs"
        label="time limits"
        checked={wanted.on_timeout}
        onChange={(event) => setWanted({ ...wanted, on_timeout: event.currentTarget.checked })}
      />
      <Button
        type="submit"
        size="xs"
        loading={add.isPending}
        disabled={wanted.target.trim() === '' || !(wanted.on_failure || wanted.on_timeout)}
      >
        Add alert
      </Button>
      {add.error !== null && refusal === null && <Failure error={add.error} />}
    </form>
  );
}
