import { ActionIcon, Autocomplete, Button, TextInput } from '@mantine/core';
import type { ReactNode } from 'react';
import { Icon } from './icon.tsx';
import type { MatcherLine, Matchers } from './matcher-lines.ts';
import classes from './matchers.module.css';
import { visible } from './texts.ts';

const keys = ['node', 'job', 'project', 'owner', 'name', 'source', 'status', 'cause', 'condition', 'severity'];

/** `node = gpu-*, cpu-1`, one tag a key; `none` says what no matcher means. */
export function MatcherTags({ matchers, none = 'everything' }: { matchers: Matchers; none?: string }): ReactNode {
  const entries = Object.entries(matchers);
  if (entries.length === 0) return <span className={classes.soft}>{none}</span>;
  return (
    <span className={classes.tags}>
      {entries.map(([key, patterns]) => (
        <span key={key} className={classes.tag} title={visible(patterns.join(', '))}>
          <b>{visible(key)}</b> {visible(patterns.join(', '))}
        </span>
      ))}
    </span>
  );
}

/** Lines of key and patterns; all must fit, of one line any pattern. */
export function MatcherField({
  lines,
  onChange,
}: {
  lines: readonly MatcherLine[];
  onChange: (lines: readonly MatcherLine[]) => void;
}): ReactNode {
  const change = (index: number, changed: Partial<MatcherLine>) =>
    onChange(lines.map((line, at) => (at === index ? { ...line, ...changed } : line)));
  return (
    <fieldset className={classes.field}>
      <legend>What it is about</legend>
      <p className={classes.soft}>
        All lines must fit; * stands for anything, commas part several. A label of nodes is the key label.NAME.
      </p>
      {lines.map((line, index) => (
        <div key={index} className={classes.line}>
          <Autocomplete
            aria-label={`Key ${index + 1}`}
            placeholder="node"
            data={keys}
            filter={({ options }) => options}
            value={line.key}
            onChange={(key) => change(index, { key })}
          />
          <TextInput
            aria-label={`Patterns ${index + 1}`}
            placeholder="name-*"
            value={line.patterns}
            onChange={(event) => change(index, { patterns: event.currentTarget.value })}
          />
          <ActionIcon
            variant="subtle"
            color="gray"
            size="lg"
            aria-label={`Take line ${index + 1} away`}
            onClick={() => onChange(lines.filter((_, at) => at !== index))}
          >
            <Icon name="close" size={15} />
          </ActionIcon>
        </div>
      ))}
      <Button variant="subtle" size="compact-sm" onClick={() => onChange([...lines, { key: '', patterns: '' }])}>
        Add a line
      </Button>
    </fieldset>
  );
}
