import { Spotlight, spotlight } from '@mantine/spotlight';
import { useQuery } from '@tanstack/react-query';
import { useNavigate } from '@tanstack/react-router';
import { type ReactNode, useState } from 'react';
import { read } from '../data/queries.ts';
import { Icon } from '../parts/icon.tsx';
import { statusText, visible } from '../parts/texts.ts';
import { navigation } from './navigation.ts';
import classes from './shell.module.css';

export function SearchButton(): ReactNode {
  return (
    <button type="button" className={classes.search} onClick={() => spotlight.open()} aria-label="Search (Ctrl K)">
      <Icon name="search" size={16} />
      <span>Search</span>
      <kbd>Ctrl K</kbd>
    </button>
  );
}

/** Goes anywhere by a few letters: Ctrl K, or `/`. */
export function Palette(): ReactNode {
  const [text, setText] = useState('');
  const navigate = useNavigate();
  const wanted = text.trim().toLowerCase();
  const nodes = useQuery({
    ...read('GET /nodes', { query: { search: wanted, limit: 8 } }),
    enabled: wanted.length > 1,
  });
  const pages = navigation.filter(({ label }) => label.toLowerCase().includes(wanted));
  return (
    <Spotlight.Root
      query={text}
      onQueryChange={setText}
      shortcut={['mod + K', '/']}
      clearQueryOnClose
      scrollable
      maxHeight={460}
    >
      <Spotlight.Search placeholder="Pages, nodes …" leftSection={<Icon name="search" />} aria-label="Search" />
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
        {wanted.length > 1 && (nodes.data?.items.length ?? 0) > 0 && (
          <Spotlight.ActionsGroup label="Nodes">
            {nodes.data?.items.map(({ id, name, status }) => (
              <Spotlight.Action
                key={id}
                label={visible(name)}
                description={statusText(status)}
                leftSection={<Icon name="nodes" />}
                onClick={() => void navigate({ to: '/nodes', search: { search: name } })}
              />
            ))}
          </Spotlight.ActionsGroup>
        )}
        {pages.length === 0 && nodes.data?.items.length === 0 && (
          <Spotlight.Empty>Nothing has this in its name.</Spotlight.Empty>
        )}
      </Spotlight.ActionsList>
    </Spotlight.Root>
  );
}
