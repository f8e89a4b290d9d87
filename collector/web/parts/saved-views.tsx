import { ActionIcon, Button, Popover, TextInput, Tooltip } from '@mantine/core';
import { useLocalStorage } from '@mantine/hooks';
import { type ReactNode, useState } from 'react';
import { Icon } from './icon.tsx';
import classes from './saved-views.module.css';

/** Filters under a name: what the address of a list says. */
export interface View<Search> {
  readonly name: string;
  readonly search: Search;
}

export interface SavedViewsProps<Search> {
  /** Of which list: this browser keeps them under it. */
  readonly list: string;
  /** Ours, before those that a person saved. */
  readonly given: readonly View<Search>[];
  readonly search: Search;
  readonly show: (search: Search) => void;
}

/** Filters under a name: ours, and those a person saved in this browser. */
export function SavedViews<Search extends object>({ list, given, search, show }: SavedViewsProps<Search>): ReactNode {
  const [saved, setSaved] = useLocalStorage<View<Search>[]>({ key: `runnerwatch.${list}-views`, defaultValue: [] });
  const isShown = (view: View<Search>) => keyOf(view.search) === keyOf(search);
  const isKnown = [...given, ...saved].some(isShown);
  return (
    <div className={classes.views} role="group" aria-label="Views">
      {given.map((view) => (
        <ViewButton key={view.name} view={view} isShown={isShown(view)} show={show} />
      ))}
      {saved.map((view) => (
        <span key={view.name} className={classes.saved}>
          <ViewButton view={view} isShown={isShown(view)} show={show} />
          {isShown(view) && (
            <Tooltip label="Forget this view">
              <ActionIcon
                variant="subtle"
                color="gray"
                size="sm"
                aria-label={`Forget the view ${view.name}`}
                onClick={() => setSaved(saved.filter(({ name }) => name !== view.name))}
              >
                <Icon name="close" size={14} />
              </ActionIcon>
            </Tooltip>
          )}
        </span>
      ))}
      {!isKnown && (
        <SaveView save={(name) => setSaved([...saved.filter((view) => view.name !== name), { name, search }])} />
      )}
    </div>
  );
}

function ViewButton<Search>({
  view,
  isShown,
  show,
}: {
  view: View<Search>;
  isShown: boolean;
  show: (search: Search) => void;
}): ReactNode {
  return (
    <Button size="xs" variant={isShown ? 'light' : 'default'} aria-pressed={isShown} onClick={() => show(view.search)}>
      {view.name}
    </Button>
  );
}

function SaveView({ save }: { save: (name: string) => void }): ReactNode {
  const [name, setName] = useState('');
  return (
    <Popover trapFocus position="bottom-end">
      <Popover.Target>
        <Button size="xs" variant="subtle">
          Save view
        </Button>
      </Popover.Target>
      <Popover.Dropdown>
        <form
          className={classes.save}
          onSubmit={(event) => {
            event.preventDefault();
            if (name.trim() !== '') save(name.trim());
          }}
        >
          <TextInput
            size="xs"
            aria-label="Name of the view"
            placeholder="Its name"
            maxLength={40}
            value={name}
            onChange={(event) => setName(event.currentTarget.value)}
          />
          <Button size="xs" type="submit">
            Save
          </Button>
        </form>
      </Popover.Dropdown>
    </Popover>
  );
}

function keyOf(search: object): string {
  return JSON.stringify(Object.entries(search).toSorted(([one], [other]) => (one < other ? -1 : 1)));
}
