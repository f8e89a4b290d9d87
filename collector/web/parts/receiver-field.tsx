import { Select, TextInput } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { read } from '../data/queries.ts';
import { FieldRow } from './form.tsx';

/** Who is told: a receiver of the configuration, or an address of its own. */
export interface Addressee {
  /** A receiver's name, or `webhook:` or `email:` for an address of its own. */
  readonly receiver: string;
  readonly address: string;
}

export const nobody: Addressee = { receiver: '', address: '' };

const own = [
  { value: 'webhook:', label: 'a webhook of its own' },
  { value: 'email:', label: 'an e-mail address' },
];

export function ReceiverField({
  value,
  onChange,
  hasOwn = true,
}: {
  value: Addressee;
  onChange: (value: Addressee) => void;
  /** Whether it may be an address of its own. */
  hasOwn?: boolean;
}): ReactNode {
  const { data } = useQuery(read('GET /status', {}));
  const receivers = data?.receivers.map(({ receiver }) => receiver).filter((name) => !name.includes(':')) ?? [];
  const isOwn = value.receiver.endsWith(':');
  return (
    <FieldRow>
      <Select
        label="Who is told"
        placeholder="Choose"
        data={hasOwn ? [...receivers, ...own] : receivers}
        value={value.receiver || null}
        onChange={(receiver) => onChange({ ...value, receiver: receiver ?? '' })}
      />
      {isOwn && (
        <TextInput
          label="Address"
          placeholder={value.receiver === 'webhook:' ? 'https://example.org/hook' : 'me@example.org'}
          value={value.address}
          onChange={(event) => onChange({ ...value, address: event.currentTarget.value })}
        />
      )}
    </FieldRow>
  );
}

export function isChosen({ receiver, address }: Addressee): boolean {
  return receiver.endsWith(':') ? address.trim() !== '' : receiver !== '';
}

/** As the API takes it. */
export function writtenReceiver({ receiver, address }: Addressee): {
  receiver?: string;
  target?: { type: 'webhook' | 'email'; address: string };
} {
  if (!receiver.endsWith(':')) return { receiver };
  return { target: { type: receiver === 'email:' ? 'email' : 'webhook', address: address.trim() } };
}
