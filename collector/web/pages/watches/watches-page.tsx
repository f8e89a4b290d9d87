import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import { read } from '../../data/queries.ts';
import { untilNext } from '../../data/reread.ts';
import { Allowed } from '../../parts/allowed.tsx';
import { Command, Empty } from '../../parts/empty.tsx';
import { FormDialog } from '../../parts/form.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Page, Panel } from '../../parts/page.tsx';
import { WatchForm } from './watch-form.tsx';
import { ActiveWatches, PastWatches } from './watch-list.tsx';

/** Subscriptions that stop by themselves: for the run one waits for. */
export function WatchesPage(): ReactNode {
  const query = useQuery({
    ...read('GET /watches', {}),
    refetchInterval: ({ state: { data } }) => untilNext(data?.items.map(({ ends_at }) => ends_at) ?? []),
  });
  const [isStarting, setStarting] = useState(false);
  const close = () => setStarting(false);
  return (
    <Page
      title="Watches"
      lead="Tell me of these projects for a while, then no more."
      actions={
        <Allowed to="POST /watches">
          <Button size="xs" onClick={() => setStarting(true)}>
            Start a watch
          </Button>
        </Allowed>
      }
    >
      <Loaded query={query} lines={5}>
        {({ items }) => {
          const past = items.filter(({ active }) => !active);
          return (
            <>
              {items.length === past.length ? (
                <Panel title="Nothing is watched" isFlush>
                  <Empty title="Start one before the run you wait for.">
                    <p>It tells of what fails there, and stops by itself. Or type:</p>
                    <Command text="npx runnerwatch watch start --project vision --for 2h" />
                  </Empty>
                </Panel>
              ) : (
                <ActiveWatches watches={items.filter(({ active }) => active)} />
              )}
              {past.length > 0 && <PastWatches watches={past} />}
            </>
          );
        }}
      </Loaded>
      <FormDialog title="Start a watch" isOpen={isStarting} close={close}>
        <WatchForm onDone={close} />
      </FormDialog>
    </Page>
  );
}
