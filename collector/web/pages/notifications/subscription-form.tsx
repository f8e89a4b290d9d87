import { MultiSelect, Switch, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import type { Subscription } from '../../data/api-types.ts';
import { useSend } from '../../data/queries.ts';
import { DurationField, FieldRow, Form, PersonField, usePerson } from '../../parts/form.tsx';
import { matchersOf } from '../../parts/matcher-lines.ts';
import { MatcherField } from '../../parts/matchers.tsx';
import { isChosen, ReceiverField } from '../../parts/receiver-field.tsx';
import { instantText, visible, words } from '../../parts/texts.ts';
import { night, WindowFields } from '../../parts/window-fields.tsx';
import { isZone } from '../../parts/zone-time.ts';
import { useZone } from '../../theme/zone.ts';
import { changedSubscription, type Draft, draftOf, type Event, events, newSubscription } from './subscription-draft.ts';
import { WouldHaveTold } from './would-have-told.tsx';

export interface SubscriptionFormProps {
  /** What is changed; null: a new one. */
  readonly known: Subscription | null;
  readonly onDone: () => void;
}

/** Subscribes, or changes a subscription, after showing which past events it would have told. */
export function SubscriptionForm({ known, onDone }: SubscriptionFormProps): ReactNode {
  const [draft, setDraft] = useState(() => draftOf(known));
  const change = (changed: Partial<Draft>) => setDraft({ ...draft, ...changed });
  const [person, setPerson] = usePerson();
  const create = useSend('POST /subscriptions');
  const update = useSend('PATCH /subscriptions/{id}');
  const isOwn = known !== null && known.target !== null;
  const send = () =>
    known === null
      ? create.mutate({ body: newSubscription(draft, person) }, { onSuccess: onDone })
      : update.mutate({ path: { id: known.id }, body: changedSubscription(draft, known) }, { onSuccess: onDone });
  return (
    <Form
      action={known === null ? 'Subscribe' : 'Change'}
      isSending={create.isPending || update.isPending}
      error={create.error ?? update.error}
      isComplete={
        (isOwn || isChosen(draft.addressee)) &&
        draft.events.length > 0 &&
        (draft.quiet === null || isZone(draft.quiet.zone))
      }
      send={send}
    >
      {isOwn ? (
        <TextInput
          label="Who is told"
          description="An address stays: subscribe anew for another."
          value={visible(known.target ?? '')}
          readOnly
        />
      ) : (
        <ReceiverField
          value={draft.addressee}
          hasOwn={known === null}
          onChange={(addressee) => change({ addressee })}
        />
      )}
      <MultiSelect
        label="Hears of"
        data={events.map((value) => ({ value, label: words(value) }))}
        value={[...draft.events]}
        onChange={(values) => change({ events: values as Event[] })}
      />
      <MatcherField lines={draft.lines} onChange={(lines) => change({ lines })} />
      <WouldHaveTold matchers={matchersOf(draft.lines)} events={draft.events} />
      <WhenFields draft={draft} change={change} until={known?.expires_at ?? null} />
      <FieldRow>
        <TextInput
          label="Name"
          description="To know it by; may be empty."
          maxLength={100}
          value={draft.name}
          onChange={(event) => change({ name: event.currentTarget.value })}
        />
        {known === null && <PersonField value={person} onChange={setPerson} />}
      </FieldRow>
    </Form>
  );
}

interface WhenProps {
  readonly draft: Draft;
  readonly change: (changed: Partial<Draft>) => void;
  /** When it ends as it is. */
  readonly until: string | null;
}

function WhenFields({ draft: { duration, groupWindow, digest, quiet }, change, until }: WhenProps): ReactNode {
  const [zone] = useZone();
  return (
    <>
      <FieldRow>
        <DurationField
          label="For"
          description={
            until === null
              ? 'Empty: until it is taken away.'
              : `Empty: until ${instantText(until, { zone })}, as it is. 0: until it is taken away.`
          }
          value={duration}
          onChange={(text) => change({ duration: text })}
        />
      </FieldRow>
      <FieldRow>
        <DurationField
          label="Failures of one kind together, within"
          description={
            digest.trim() === ''
              ? 'Empty: as the collector is set. 0: each for itself.'
              : 'All of them wait for the digest.'
          }
          choices={['0', '30s', '1m', '5m', '15m', '1h']}
          isDisabled={digest.trim() !== ''}
          value={digest.trim() === '' ? groupWindow : ''}
          onChange={(text) => change({ groupWindow: text })}
        />
        <DurationField
          label="All failures in one digest, after"
          description="Empty: none. Conditions and lost nodes are told at once all the same."
          choices={['15m', '1h', '4h', '12h', '1d']}
          value={digest}
          onChange={(text) => change({ digest: text })}
        />
      </FieldRow>
      <Switch
        label="Quiet hours"
        description="What happens then is told afterwards, if it is still true."
        checked={quiet !== null}
        onChange={(event) => change({ quiet: event.currentTarget.checked ? night : null })}
      />
      {quiet !== null && <WindowFields value={quiet} onChange={(changed) => change({ quiet: changed })} />}
    </>
  );
}
