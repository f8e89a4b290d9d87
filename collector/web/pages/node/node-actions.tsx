import { Button } from '@mantine/core';
import { useDisclosure } from '@mantine/hooks';
import { notifications } from '@mantine/notifications';
import { type ReactNode, useState } from 'react';
import type { Node } from '../../data/api-types.ts';
import { useSend } from '../../data/queries.ts';
import { Allowed } from '../../parts/allowed.tsx';
import { FieldRow, Form, FormDialog, PersonField, ReasonField, usePerson } from '../../parts/form.tsx';
import { SilenceForm } from '../../parts/silence-form.tsx';
import { visible } from '../../parts/texts.ts';
import classes from './node.module.css';

/** What a person does to a node: drain it or no longer, and silence it. */
export function NodeActions({ node }: { node: Node }): ReactNode {
  const [isDraining, drain] = useDisclosure();
  const [isSilencing, silence] = useDisclosure();
  const undrain = useSend('POST /nodes/{id}/undrain');
  return (
    <>
      <Allowed to="POST /silences">
        <Button variant="default" size="xs" onClick={silence.open}>
          Silence
        </Button>
      </Allowed>
      <Allowed to="POST /nodes/{id}/drain">
        {node.draining ? (
          <Button
            size="xs"
            loading={undrain.isPending}
            onClick={() =>
              undrain.mutate(
                { path: { id: node.id } },
                {
                  onSuccess: () => notifications.show({ message: `Alerts of ${visible(node.name)} are told again.` }),
                  onError: ({ message }) => notifications.show({ color: 'red', message }),
                },
              )
            }
          >
            Undrain
          </Button>
        ) : (
          <Button variant="default" size="xs" onClick={drain.open}>
            Drain
          </Button>
        )}
      </Allowed>
      <FormDialog title={`Drain ${visible(node.name)}`} isOpen={isDraining} close={drain.close}>
        <DrainForm node={node} onDone={drain.close} />
      </FormDialog>
      <FormDialog title={`Silence ${visible(node.name)}`} isOpen={isSilencing} close={silence.close}>
        <SilenceForm matchers={{ node: [node.name] }} onDone={silence.close} />
      </FormDialog>
    </>
  );
}

function DrainForm({ node, onDone }: { node: Node; onDone: () => void }): ReactNode {
  const [reason, setReason] = useState('');
  const [person, setPerson] = usePerson();
  const send = useSend('POST /nodes/{id}/drain');
  const given = { ...(person.trim() ? { by: person } : {}), ...(reason.trim() ? { reason } : {}) };
  return (
    <Form
      action="Drain"
      isSending={send.isPending}
      error={send.error}
      send={() => send.mutate({ path: { id: node.id }, body: { draining: true, ...given } }, { onSuccess: onDone })}
    >
      <p className={classes.about}>
        Nobody is told of anything on this node until it is undrained. Its agent goes on watching, its tasks go on
        running, and what fires is written down.
      </p>
      <FieldRow>
        <ReasonField value={reason} onChange={setReason} />
        <PersonField value={person} onChange={setPerson} />
      </FieldRow>
    </Form>
  );
}
