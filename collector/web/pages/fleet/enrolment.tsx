import { Button, CopyButton, NumberInput, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { Link } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import type { Routes } from '../../data/api-types.ts';
import { rootPath } from '../../data/client.ts';
import { read, useSend } from '../../data/queries.ts';
import { Command } from '../../parts/empty.tsx';
import { DurationField, FieldRow, Form } from '../../parts/form.tsx';
import { Panel } from '../../parts/page.tsx';
import { countText, visible } from '../../parts/texts.ts';
import { At } from '../../parts/time.tsx';
import { joinScript } from './commands.ts';
import classes from './fleet.module.css';

type Made = Routes['POST /enrollments']['answer'];

/** A token, what to paste on the new node, and word when it has come. The token is on show only as long as this page. */
export function Enrolment(): ReactNode {
  const [made, setMade] = useState<Made | null>(null);
  const [address, setAddress] = useState(() => new URL(rootPath, location.origin).href.replace(/\/$/, ''));
  return (
    <Panel
      title="Add a node"
      aside={
        made !== null && (
          <Button size="xs" variant="default" onClick={() => setMade(null)}>
            Add another
          </Button>
        )
      }
    >
      <ol className={classes.steps}>
        <li>
          <h3>Make a join token</h3>
          {made === null ? <TokenForm onMade={setMade} /> : <ShownToken made={made} />}
        </li>
        <li aria-disabled={made === null}>
          <h3>Paste this on the new node, where Runnerwatch is installed</h3>
          {made === null ? (
            <p>The commands are here when the token is.</p>
          ) : (
            <>
              <TextInput
                size="xs"
                label="The collector, as the node reaches it"
                description={
                  isOwnMachine(address)
                    ? 'Only this machine reaches that address: name the one that others use.'
                    : 'As this browser reaches it; another one if the node does not.'
                }
                value={address}
                onChange={(event) => setAddress(event.currentTarget.value.trim())}
              />
              <Script text={joinScript({ token: made.token, address })} />
            </>
          )}
        </li>
        <li aria-disabled={made === null}>
          <h3>See it come</h3>
          {made === null ? <p>It is here a second after its agent starts.</p> : <Arrivals made={made} />}
        </li>
      </ol>
    </Panel>
  );
}

function TokenForm({ onMade }: { onMade: (made: Made) => void }): ReactNode {
  const [uses, setUses] = useState<string | number>(1);
  const [expiresIn, setExpiresIn] = useState('24h');
  const [labels, setLabels] = useState('');
  const [note, setNote] = useState('');
  const send = useSend('POST /enrollments');
  const parsed = labelsOf(labels);
  return (
    <Form
      action="Make a token"
      isSending={send.isPending}
      error={send.error}
      isComplete={parsed !== null && Number(uses) >= 1}
      send={() =>
        send.mutate(
          {
            body: {
              uses: Number(uses),
              expires_in: expiresIn,
              labels: parsed ?? {},
              ...(note.trim() === '' ? {} : { note }),
            },
          },
          { onSuccess: onMade },
        )
      }
    >
      <FieldRow>
        <NumberInput label="For how many nodes" min={1} max={10_000} value={uses} onChange={setUses} />
        <DurationField label="To be used within" value={expiresIn} onChange={setExpiresIn} />
        <TextInput
          label="Labels they get"
          placeholder="rack=r1, gpu=a100"
          error={parsed === null ? 'Written as key=value, with commas between.' : null}
          value={labels}
          onChange={(event) => setLabels(event.currentTarget.value)}
        />
        <TextInput
          label="What it is for"
          placeholder="new racks"
          maxLength={500}
          value={note}
          onChange={(event) => setNote(event.currentTarget.value)}
        />
      </FieldRow>
    </Form>
  );
}

function ShownToken({ made }: { made: Made }): ReactNode {
  return (
    <>
      <Command text={made.token} />
      <p>
        It admits {countText(made.uses_max, 'node')} until <At at={made.expires_at} />, and is not shown again: the
        collector keeps only its digest.
      </p>
    </>
  );
}

/** Lines to paste at once. */
function Script({ text }: { text: string }): ReactNode {
  return (
    <div className={classes.script}>
      <pre tabIndex={0} aria-label="Commands">
        {text}
      </pre>
      <CopyButton value={text}>
        {({ copied, copy }) => (
          <Button size="compact-xs" variant="default" onClick={copy}>
            {copied ? 'Copied' : 'Copy all'}
          </Button>
        )}
      </CopyButton>
    </div>
  );
}

/** Who has come in with it; the live stream brings them. */
function Arrivals({ made }: { made: Made }): ReactNode {
  const { data } = useQuery(read('GET /agents', {}));
  const here = (data?.items ?? []).filter((agent) => agent.enrollment_id === made.id && agent.connected);
  const missing = made.uses_max - here.length;
  return (
    <div role="status">
      {here.map(({ id, node, version }) => (
        <p key={id} className={classes.here} data-tone="good">
          <i />
          <Link to="/nodes/$id" params={{ id }}>
            {visible(node)}
          </Link>{' '}
          is here{version === null ? '' : `, agent ${visible(version)}`}
        </p>
      ))}
      {missing > 0 && (
        <p className={classes.waiting} data-tone="info">
          <i />
          {here.length === 0 ? 'Waiting for it …' : `Waiting for ${missing} more …`}
        </p>
      )}
    </div>
  );
}

/** `rack=r1, gpu=a100`; null when it is not written so. */
function labelsOf(text: string): Record<string, string> | null {
  const pairs = text
    .split(',')
    .map((pair) => pair.trim())
    .filter(Boolean)
    .map((pair) => /^([^=]+)=(.*)$/.exec(pair));
  if (pairs.includes(null)) return null;
  return Object.fromEntries(pairs.map((pair) => [pair?.[1]?.trim() ?? '', pair?.[2]?.trim() ?? '']));
}

function isOwnMachine(address: string): boolean {
  return /^https?:\/\/(127\.|localhost\b|\[::1\])/i.test(address);
}
