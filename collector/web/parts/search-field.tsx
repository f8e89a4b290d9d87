import { TextInput } from '@mantine/core';
import { useDebouncedCallback } from '@mantine/hooks';
import { type ReactNode, useEffect, useRef, useState } from 'react';
import { Icon } from './icon.tsx';

export interface SearchFieldProps {
  /** What it searches, for those who cannot see it. */
  readonly label: string;
  readonly placeholder: string;
  readonly value: string;
  readonly onChange: (text: string) => void;
}

/** Asks a moment after the last letter. */
export function SearchField({ label, placeholder, value, onChange }: SearchFieldProps): ReactNode {
  const [text, setText] = useState(value);
  /* The address follows what is typed; only what comes from elsewhere is taken over. */
  const asked = useRef(value);
  const changeSoon = useDebouncedCallback((wanted: string) => {
    asked.current = wanted;
    onChange(wanted);
  }, 200);
  useEffect(() => {
    if (value !== asked.current) setText(value);
    asked.current = value;
  }, [value]);
  return (
    <TextInput
      size="xs"
      placeholder={placeholder}
      aria-label={label}
      leftSection={<Icon name="search" size={15} />}
      value={text}
      onChange={(event) => {
        setText(event.currentTarget.value);
        changeSoon(event.currentTarget.value.trim());
      }}
    />
  );
}
