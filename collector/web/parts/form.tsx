import { Autocomplete, Button, Modal, TextInput } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import type { ReactNode } from 'react';
import { useMe } from './allowed.tsx';
import { Failure } from './failure.tsx';
import classes from './form.module.css';

export interface FormDialogProps {
  readonly title: string;
  readonly isOpen: boolean;
  readonly close: () => void;
  readonly children: ReactNode;
}

/** A form over the page; Escape leaves it. What it holds is made anew each time it opens. */
export function FormDialog({ title, isOpen, close, children }: FormDialogProps): ReactNode {
  return (
    <Modal
      opened={isOpen}
      onClose={close}
      title={title}
      size="lg"
      classNames={{ content: classes.dialog, header: classes.dialog, title: classes.title }}
      closeButtonProps={{ 'aria-label': 'Close' }}
      // A page has one banner, and this is none.
      attributes={{ header: { role: 'none' } }}
    >
      {children}
    </Modal>
  );
}

export interface FormProps {
  /** Of the button that sends it. */
  readonly action: string;
  readonly send: () => void;
  readonly isSending: boolean;
  readonly error: Error | null;
  /** False while something is missing. */
  readonly isComplete?: boolean;
  readonly children: ReactNode;
}

/** Fields below each other, why it was refused, and the button. */
export function Form({ action, send, isSending, error, isComplete = true, children }: FormProps): ReactNode {
  return (
    <form
      className={classes.form}
      onSubmit={(event) => {
        event.preventDefault();
        if (isComplete) send();
      }}
    >
      {children}
      {error !== null && <Failure error={error} />}
      <div className={classes.actions}>
        <Button type="submit" loading={isSending} disabled={!isComplete}>
          {action}
        </Button>
      </div>
    </form>
  );
}

/** Fields beside each other where there is room. */
export function FieldRow({ children }: { children: ReactNode }): ReactNode {
  return <div className={classes.row}>{children}</div>;
}

export interface TextProps {
  readonly label: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
  readonly description?: string;
}

const durations = ['30m', '1h', '4h', '8h', '24h', '7d'];

/** A duration as the API takes it: `30m`, `8h`, `7d`. */
export function DurationField({
  label,
  value,
  onChange,
  description,
  choices = durations,
  isDisabled = false,
}: TextProps & { readonly choices?: readonly string[]; readonly isDisabled?: boolean }): ReactNode {
  return (
    <Autocomplete
      label={label}
      description={description}
      data={[...choices]}
      filter={({ options }) => options}
      disabled={isDisabled}
      value={value}
      onChange={onChange}
      comboboxProps={{ withinPortal: true }}
    />
  );
}

/** Who the others see behind it: the person of the token, or a name that this browser remembers. */
export function usePerson(): [string, (name: string) => void] {
  const [person, setPerson] = useLocalStorage({
    key: 'runnerwatch.person',
    defaultValue: '',
    getInitialValueInEffect: false,
  });
  const me = useMe();
  return [me?.name ?? person, setPerson];
}

export function ReasonField({ value, onChange }: { value: string; onChange: (reason: string) => void }): ReactNode {
  return (
    <TextInput
      label="Why"
      description="The others see it."
      maxLength={1000}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}

/** Not for whoever has a token of their own: the collector knows the name. */
export function PersonField({ value, onChange }: Pick<TextProps, 'value' | 'onChange'>): ReactNode {
  if (useMe()?.kind === 'person') return null;
  return (
    <TextInput
      label="Your name"
      description="The others see it."
      autoComplete="name"
      maxLength={200}
      value={value}
      onChange={(event) => onChange(event.currentTarget.value)}
    />
  );
}
