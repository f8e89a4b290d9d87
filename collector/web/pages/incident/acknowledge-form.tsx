import { TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useSend } from '../../data/queries.ts';
import { DurationField, FieldRow, Form, PersonField, usePerson } from '../../parts/form.tsx';
import classes from './incident.module.css';
import type { IncidentDetail } from './incident-page.tsx';

/** Says that someone is on it. */
export function AcknowledgeForm({ incident, onDone }: { incident: IncidentDetail; onDone: () => void }): ReactNode {
  const [note, setNote] = useState(incident.acknowledge_note ?? '');
  const [duration, setDuration] = useState('');
  const [by, setBy] = usePerson();
  const send = useSend('POST /incidents/{id}/ack');
  const isOfTasks = incident.conditions.every((condition) => condition === 'TaskFailed');
  return (
    <Form
      action="Acknowledge"
      isSending={send.isPending}
      error={send.error}
      send={() =>
        send.mutate(
          {
            path: { id: incident.id },
            body: { note: note.trim(), by: by.trim(), ...(duration.trim() === '' ? {} : { for: duration.trim() }) },
          },
          { onSuccess: onDone },
        )
      }
    >
      <p className={classes.hint}>
        {isOfTasks
          ? 'Failed tasks do not become well again: this closes the incident.'
          : 'Nobody is reminded while you are on it. The incident ends when its conditions do.'}
      </p>
      <TextInput
        label="Note"
        description="What you found, what you do about it."
        data-autofocus
        maxLength={4000}
        value={note}
        onChange={(event) => setNote(event.currentTarget.value)}
      />
      <FieldRow>
        <PersonField value={by} onChange={setBy} />
        {!isOfTasks && (
          <DurationField label="For" description="Empty: until it is over." value={duration} onChange={setDuration} />
        )}
      </FieldRow>
    </Form>
  );
}
