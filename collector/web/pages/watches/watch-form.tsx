import { NumberInput, Switch, TextInput } from '@mantine/core';
import { type ReactNode, useState } from 'react';
import { useSend } from '../../data/queries.ts';
import { DurationField, FieldRow, Form, PersonField, usePerson } from '../../parts/form.tsx';
import { isChosen, nobody, ReceiverField, writtenReceiver } from '../../parts/receiver-field.tsx';

export function WatchForm({ onDone }: { onDone: () => void }): ReactNode {
  const [projects, setProjects] = useState('');
  const [duration, setDuration] = useState('30m');
  const [onlyFailed, setOnlyFailed] = useState(false);
  const [perJob, setPerJob] = useState<number | string>(1);
  const [addressee, setAddressee] = useState(nobody);
  const [person, setPerson] = usePerson();
  const send = useSend('POST /watches');
  const named = projects
    .split(',')
    .map((project) => project.trim())
    .filter(Boolean);
  const start = () =>
    send.mutate(
      {
        body: {
          projects: named.length === 0 ? ['*'] : named,
          only_failed: onlyFailed,
          for: duration,
          max_alerts_per_job: typeof perJob === 'number' ? perJob : null,
          ...writtenReceiver(addressee),
          ...(person.trim() === '' ? {} : { started_by: person.trim() }),
        },
      },
      { onSuccess: onDone },
    );
  return (
    <Form action="Start" isSending={send.isPending} error={send.error} isComplete={isChosen(addressee)} send={start}>
      <FieldRow>
        <TextInput
          label="Projects"
          description="Commas between several; empty is everything."
          placeholder="vision, llm-*"
          data-autofocus
          value={projects}
          onChange={(event) => setProjects(event.currentTarget.value)}
        />
        <DurationField
          label="For"
          description="Such as 45m, 8h; 0 until it is stopped."
          value={duration}
          onChange={setDuration}
        />
      </FieldRow>
      <ReceiverField value={addressee} onChange={setAddressee} />
      <FieldRow>
        <NumberInput
          label="At most so often of one job"
          description="Empty: every time."
          min={1}
          allowDecimal={false}
          value={perJob}
          onChange={setPerJob}
        />
        <PersonField value={person} onChange={setPerson} />
      </FieldRow>
      <Switch
        label="Only failures"
        description="Without it also warnings about what still runs."
        checked={onlyFailed}
        onChange={(event) => setOnlyFailed(event.currentTarget.checked)}
      />
    </Form>
  );
}
