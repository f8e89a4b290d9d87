import { MultiSelect, TextInput } from '@mantine/core';
import { useDebouncedValue } from '@mantine/hooks';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { Routes } from '../../data/api-types.ts';
import { preview, useSend } from '../../data/queries.ts';
import { Failure } from '../../parts/failure.tsx';
import { DurationField, FieldRow, Form, PersonField, usePerson } from '../../parts/form.tsx';
import { type MatcherLine, type Matchers, matchersOf } from '../../parts/matcher-lines.ts';
import { MatcherField } from '../../parts/matchers.tsx';
import { isChosen, nobody, ReceiverField, writtenReceiver } from '../../parts/receiver-field.tsx';
import { countText, visible, words } from '../../parts/texts.ts';
import { Ago } from '../../parts/time.tsx';
import classes from './notifications.module.css';

type Event = NonNullable<Routes['POST /subscriptions']['body']['events']>[number];

const events: readonly Event[] = [
  'fail',
  'timeout',
  'condition',
  'unreachable',
  'success',
  'end',
  'begin',
  'time_limit_80',
  'all',
];
const shownMax = 5;

/** Subscribes, after showing which past events that would have told. */
export function SubscriptionForm({ onDone }: { onDone: () => void }): ReactNode {
  const [addressee, setAddressee] = useState(nobody);
  const [lines, setLines] = useState<readonly MatcherLine[]>([{ key: 'job', patterns: '' }]);
  const [chosen, choose] = useState<readonly Event[]>(['fail', 'timeout']);
  const [duration, setDuration] = useState('');
  const [name, setName] = useState('');
  const [person, setPerson] = usePerson();
  const send = useSend('POST /subscriptions');
  const matchers = matchersOf(lines);
  const subscribe = () =>
    send.mutate(
      {
        body: {
          matchers,
          events: chosen,
          ...writtenReceiver(addressee),
          ...(name.trim() === '' ? {} : { name: name.trim() }),
          ...(duration.trim() === '' ? {} : { for: duration.trim() }),
          ...(person.trim() === '' ? {} : { created_by: person.trim() }),
        },
      },
      { onSuccess: onDone },
    );
  return (
    <Form
      action="Subscribe"
      isSending={send.isPending}
      error={send.error}
      isComplete={isChosen(addressee) && chosen.length > 0}
      send={subscribe}
    >
      <ReceiverField value={addressee} onChange={setAddressee} />
      <MultiSelect
        label="Hears of"
        data={events.map((value) => ({ value, label: words(value) }))}
        value={[...chosen]}
        onChange={(values) => choose(values as Event[])}
      />
      <MatcherField lines={lines} onChange={setLines} />
      <WouldHaveTold matchers={matchers} events={chosen} />
      <FieldRow>
        <TextInput
          label="Name"
          description="To know it by; may be empty."
          maxLength={100}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
        />
        <DurationField
          label="For"
          description="Empty: until it is taken away."
          value={duration}
          onChange={setDuration}
        />
        <PersonField value={person} onChange={setPerson} />
      </FieldRow>
    </Form>
  );
}

function WouldHaveTold(wanted: { matchers: Matchers; events: readonly Event[] }): ReactNode {
  const [{ matchers, events: chosen }] = useDebouncedValue(wanted, 300);
  const { data, error } = useQuery({
    ...preview('POST /subscriptions/test', { body: { matchers, events: chosen, since: '7d' } }),
    enabled: chosen.length > 0,
    retry: false,
  });
  if (error !== null) return <Failure error={error} />;
  return (
    <section className={classes.told} aria-label="What it would have told" aria-live="polite">
      <strong>
        {data === undefined
          ? 'Looking at the last seven days …'
          : `Of ${countText(data.looked_at, 'event')} in the last seven days it would have told ${data.matched}.`}
      </strong>
      <ul>
        {data?.items.slice(0, shownMax).map(({ transition_id: id, at, task, condition, node, reason }) => (
          <li key={id}>
            <span>{visible([task ?? condition, node, reason].filter(Boolean).join(' · '))}</span>
            <Ago at={at} />
          </li>
        ))}
      </ul>
    </section>
  );
}
