import { Button } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { type ReactNode, useState } from 'react';
import type { Silence } from '../../data/api-types.ts';
import { read } from '../../data/queries.ts';
import { untilNext } from '../../data/reread.ts';
import { Allowed } from '../../parts/allowed.tsx';
import { Command, Empty } from '../../parts/empty.tsx';
import { FormDialog } from '../../parts/form.tsx';
import { Loaded } from '../../parts/loaded.tsx';
import { Page, Panel } from '../../parts/page.tsx';
import { SilenceForm } from '../../parts/silence-form.tsx';
import { SilenceTable } from './silence-table.tsx';
import { WeekStrip } from './week-strip.tsx';

const groups: readonly { title: string; states: readonly Silence['state'][] }[] = [
  { title: 'Quiet now', states: ['active'] },
  { title: 'Coming', states: ['pending', 'waiting'] },
  { title: 'Over', states: ['expired'] },
];

/** Who ordered quiet about what, why, and until when. */
export function SilencesPage(): ReactNode {
  const query = useQuery({
    ...read('GET /silences', { query: { all: 'true' } }),
    refetchInterval: ({ state: { data } }) =>
      untilNext(data?.items.flatMap(({ starts_at, ends_at, until }) => [starts_at, ends_at, until]) ?? []),
  });
  const [isAdding, setAdding] = useState(false);
  const close = () => setAdding(false);
  return (
    <Page
      title="Silences"
      lead="What fits a silence is seen and written down, and tells nobody until it ends."
      actions={
        <Allowed to="POST /silences">
          <Button size="xs" onClick={() => setAdding(true)}>
            Add a silence
          </Button>
        </Allowed>
      }
    >
      <Loaded query={query} lines={6}>
        {({ items }) => (
          <>
            <WeekStrip silences={items.filter(({ state }) => state !== 'expired')} />
            {items.length === 0 && <NoSilence />}
            {groups.map(({ title, states }) => (
              <Silences key={title} title={title} silences={items.filter(({ state }) => states.includes(state))} />
            ))}
          </>
        )}
      </Loaded>
      <FormDialog title="Add a silence" isOpen={isAdding} close={close}>
        <SilenceForm matchers={{}} onDone={close} />
      </FormDialog>
    </Page>
  );
}

function Silences({ title, silences }: { title: string; silences: readonly Silence[] }): ReactNode {
  if (silences.length === 0) return null;
  return (
    <Panel title={title} isFlush>
      <SilenceTable label={title} silences={silences} />
    </Panel>
  );
}

function NoSilence(): ReactNode {
  return (
    <Panel title="Nothing is silenced" isFlush>
      <Empty title="Every alert reaches those who subscribed to it.">
        <p>Before planned work add a silence here, drain the node, or type:</p>
        <Command text="npx runnerwatch silence add --match 'node=gpu-*' --for 2h --by me --reason 'new disks'" />
      </Empty>
    </Panel>
  );
}
