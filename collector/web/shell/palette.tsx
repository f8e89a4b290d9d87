import { useDebouncedValue } from '@mantine/hooks';
import { Spotlight, spotlight } from '@mantine/spotlight';
import { useQuery } from '@tanstack/react-query';
import { type NavigateOptions, useNavigate } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import type { Routes } from '../data/api-types.ts';
import { read } from '../data/queries.ts';
import { Icon } from '../parts/icon.tsx';
import { incidentPlace, jobPlace, nodePlace, taskPlace } from '../parts/places.ts';
import { visible } from '../parts/texts.ts';
import { useNavigation } from './navigation.ts';
import classes from './shell.module.css';

export function SearchButton(): ReactNode {
  return (
    <button type="button" className={classes.search} onClick={() => spotlight.open()} aria-label="Search Ctrl K">
      <Icon name="search" size={16} />
      <span>Search</span> <kbd>Ctrl K</kbd>
    </button>
  );
}

type Found = Routes['GET /search']['answer']['items'][number];

const kinds = [
  { kind: 'node', label: 'Nodes', icon: 'nodes' },
  { kind: 'incident', label: 'Incidents', icon: 'incidents' },
  { kind: 'job', label: 'Jobs', icon: 'jobs' },
  { kind: 'task', label: 'Tasks', icon: 'tasks' },
] as const;

const places: Readonly<Record<Found['kind'], (found: Found) => NavigateOptions>> = {
  node: nodePlace,
  incident: incidentPlace,
  job: jobPlace,
  task: taskPlace,
};

/** Goes anywhere by a few letters: Ctrl K, or `/`. */
export function Palette(): ReactNode {
  const [text, setText] = useState('');
  const navigate = useNavigate();
  const [wanted] = useDebouncedValue(text.trim(), 120);
  const { data } = useQuery({ ...read('GET /search', { query: { q: wanted } }), enabled: wanted !== '' });
  const found = wanted === '' ? [] : (data?.items ?? []);
  const pages = useNavigation().filter(({ label }) => label.toLowerCase().includes(wanted.toLowerCase()));
  return (
    <Spotlight.Root
      query={text}
      onQueryChange={setText}
      shortcut={['mod + K', '/']}
      clearQueryOnClose
      scrollable
      maxHeight={480}
    >
      <Spotlight.Search
        placeholder="A node, task, job, incident, page"
        leftSection={<Icon name="search" />}
        aria-label="Search"
      />
      <Spotlight.ActionsList>
        {pages.length > 0 && (
          <Spotlight.ActionsGroup label="Pages">
            {pages.map(({ to, label, icon }) => (
              <Spotlight.Action
                key={label}
                label={label}
                leftSection={<Icon name={icon} />}
                onClick={() => void navigate({ to })}
              />
            ))}
          </Spotlight.ActionsGroup>
        )}
        {kinds.map(({ kind, label, icon }) => {
          const ofKind = found.filter((one) => one.kind === kind);
          return ofKind.length === 0 ? null : (
            <Spotlight.ActionsGroup key={kind} label={label}>
              {ofKind.map((one) => (
                <Spotlight.Action
                  key={one.id}
                  label={visible(one.name)}
                  description={[one.status?.replaceAll('_', ' '), one.node && visible(one.node)]
                    .filter(Boolean)
                    .join(' on ')}
                  leftSection={<Icon name={icon} />}
                  onClick={() => void navigate(places[kind](one))}
                />
              ))}
            </Spotlight.ActionsGroup>
          );
        })}
        {pages.length === 0 && found.length === 0 && data !== undefined && (
          <Spotlight.Empty>Nothing has this in its name.</Spotlight.Empty>
        )}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}
