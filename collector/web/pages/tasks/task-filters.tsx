import { Select, TextInput } from '@mantine/core';
import { type ReactNode, useEffect, useState } from 'react';
import type { Verdict } from '../../data/api-types.ts';
import { causeText } from '../../parts/texts.ts';
import { causeTones } from '../../theme/tones.ts';
import type { TasksSearch } from './search.ts';
import classes from './tasks.module.css';

interface FilterProps {
  readonly search: TasksSearch;
  readonly show: (search: TasksSearch) => void;
}

const causes = (Object.keys(causeTones) as Verdict['cause'][]).map((value) => ({ value, label: causeText(value) }));
const ages = [
  { value: '1h', label: 'last hour' },
  { value: '24h', label: 'last 24 hours' },
  { value: '7d', label: 'last 7 days' },
  { value: '30d', label: 'last 30 days' },
];
const texts = [
  { name: 'job', label: 'Job', placeholder: 'job or project/job' },
  { name: 'node', label: 'Node', placeholder: 'node' },
  { name: 'project', label: 'Project', placeholder: 'project' },
  { name: 'owner', label: 'Owner', placeholder: 'owner' },
] as const;

/** Narrows the list; each filter is a part of the address. */
export function TaskFilters({ search, show }: FilterProps): ReactNode {
  const change = (name: keyof TasksSearch, value: string | null) => {
    const { [name]: _, ...others } = search;
    show(value ? { ...others, [name]: value } : others);
  };
  return (
    <div className={classes.filters}>
      {texts.map(({ name, label, placeholder }) => (
        <TextFilter
          key={name}
          label={label}
          placeholder={placeholder}
          value={search[name] ?? ''}
          onChange={(value) => change(name, value)}
        />
      ))}
      <Select
        size="xs"
        clearable
        searchable
        aria-label="Cause"
        placeholder="cause"
        data={causes}
        value={search.cause ?? null}
        onChange={(value) => change('cause', value)}
      />
      <Select
        size="xs"
        clearable
        aria-label="Ended within"
        placeholder="any time"
        data={ages}
        value={search.since ?? null}
        onChange={(value) => change('since', value)}
      />
    </div>
  );
}

interface TextFilterProps {
  readonly label: string;
  readonly placeholder: string;
  readonly value: string;
  readonly onChange: (value: string) => void;
}

/** Asks when it is left or Enter is pressed: the API compares whole words. */
function TextFilter({ label, placeholder, value, onChange }: TextFilterProps): ReactNode {
  const [text, setText] = useState(value);
  useEffect(() => setText(value), [value]);
  const ask = () => {
    if (text.trim() !== value) onChange(text.trim());
  };
  return (
    <TextInput
      size="xs"
      aria-label={label}
      placeholder={placeholder}
      value={text}
      onChange={(event) => setText(event.currentTarget.value)}
      onBlur={ask}
      onKeyDown={(event) => {
        if (event.key === 'Enter') ask();
      }}
    />
  );
}
