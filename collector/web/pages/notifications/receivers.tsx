import { Button } from '@mantine/core';
import type { UseQueryResult } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { Routes, Status } from '../../data/api-types.ts';
import { useSend } from '../../data/queries.ts';
import { Allowed } from '../../parts/allowed.tsx';
import { Badge } from '../../parts/badges.tsx';
import { type Column, DataTable } from '../../parts/data-table.tsx';
import { Command, Empty } from '../../parts/empty.tsx';
import { FormDialog } from '../../parts/form.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Panel } from '../../parts/page.tsx';
import { durationText, visible } from '../../parts/texts.ts';
import { Ago } from '../../parts/time.tsx';
import type { Tone } from '../../theme/tones.ts';
import classes from './notifications.module.css';
import { Preview } from './preview.tsx';

type Receiver = Status['receivers'][number];
type TestAnswer = Routes['POST /notifiers/{name}/test']['answer'];

const tones: Readonly<Record<Receiver['state'], Tone>> = { working: 'good', failing: 'critical', paused: 'warning' };

/** Where notifications go, and whether that takes them. */
export function Receivers({ query }: { query: UseQueryResult<Status> }): ReactNode {
  return (
    <Panel title="Receivers" isFlush>
      <Loaded query={query} lines={3}>
        {({ receivers }) =>
          receivers.length > 0 ? (
            <DataTable label="Receivers" columns={columns} rows={receivers} rowKey={({ receiver }) => receiver} />
          ) : (
            <Empty title="There is nobody to tell.">
              <p>
                Name a receiver in the collector’s configuration, under notifications.notifiers. This writes one with
                examples:
              </p>
              <Command text="npx runnerwatch init config --host" />
            </Empty>
          )
        }
      </Loaded>
    </Panel>
  );
}

const columns: readonly Column<Receiver>[] = [
  { title: 'Receiver', cell: ({ receiver }) => <strong className={classes.name}>{visible(receiver)}</strong> },
  { title: 'State', cell: ({ state }) => <Badge tone={tones[state]}>{state}</Badge> },
  { title: 'What it says', isWide: true, from: 560, cell: (receiver) => <Health receiver={receiver} /> },
  { title: '', isNumber: true, cell: (receiver) => <Try receiver={receiver} /> },
];

function Health({ receiver }: { receiver: Receiver }): ReactNode {
  const { last_error: error, failing_since: since, failures_in_row: failures, has_given_up: hasGivenUp } = receiver;
  if (receiver.state === 'working') return <span className={classes.soft}>takes what it is sent</span>;
  return (
    <span title={visible(error ?? '')}>
      {since !== null && (
        <>
          {failures} in a row failed since <Ago at={since} />
        </>
      )}
      {hasGivenUp && (since === null ? 'some were given up' : ', some were given up')}
      {error !== null && <span className={classes.soft}> {visible(error)}</span>}
    </span>
  );
}

/** A test by the way every notification goes, with what the receiver answered; and what it would be sent. */
function Try({ receiver: { receiver } }: { receiver: Receiver }): ReactNode {
  const test = useSend('POST /notifiers/{name}/test');
  const [isShown, setShown] = useState(false);
  return (
    <div className={classes.try}>
      <span role="status">
        {test.data !== undefined && <Answered answer={test.data} />}
        {test.error !== null && <b data-tone="critical">{test.error.message}</b>}
      </span>
      <Button
        size="compact-xs"
        variant="default"
        onClick={() => setShown(true)}
        aria-label={`Preview of ${visible(receiver)}`}
      >
        Preview
      </Button>
      <Allowed to="POST /notifiers/{name}/test">
        {' '}
        <Button
          size="compact-xs"
          variant="default"
          loading={test.isPending}
          aria-label={`Test ${visible(receiver)}`}
          onClick={() => test.mutate({ path: { name: receiver } })}
        >
          Test
        </Button>
      </Allowed>
      <FormDialog title={`What ${visible(receiver)} is sent`} isOpen={isShown} close={() => setShown(false)}>
        <Preview receiver={receiver} />
      </FormDialog>
    </div>
  );
}

function Answered({ answer: { outcome, http_status, error, note, duration_ms } }: { answer: TestAnswer }): ReactNode {
  const words = [
    `${outcome} in ${durationText(duration_ms)}`,
    http_status !== null && !error?.includes(String(http_status)) && `HTTP ${http_status}`,
    error && visible(error),
    note && visible(note),
  ].filter(Boolean);
  const text = words.join(', ');
  return (
    <b data-tone={outcome === 'delivered' ? 'good' : 'critical'} title={text}>
      {text}
    </b>
  );
}
