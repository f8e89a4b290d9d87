import { useQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { read } from '../../data/queries.ts';
import { whileOnTheWay } from '../../data/reread.ts';
import { Loaded } from '../../parts/loaded.tsx';
import { Panel } from '../../parts/page.tsx';
import { type Moment, Story } from '../../parts/story.tsx';
import { instantText } from '../../parts/texts.ts';
import { useZone } from '../../theme/zone.ts';
import type { IncidentDetail } from './incident-page.tsx';
import { saidOnce } from './said-once.ts';

/** What happened in order: fired, who was told and why others were not, seen, reminded, over. */
export function Timeline({ incident }: { incident: IncidentDetail }): ReactNode {
  const query = useQuery({
    ...read('GET /explain/incidents/{id}', { path: { id: incident.id } }),
    refetchInterval: ({ state: { data } }) =>
      whileOnTheWay(data?.transitions.flatMap(({ deliveries }) => deliveries) ?? []),
  });
  const [zone] = useZone();
  return (
    <Panel title="What happened, and who was told">
      <Loaded query={query}>
        {({ conclusion, transitions }) => (
          <Story
            conclusion={conclusion}
            transitions={saidOnce(transitions, incident.acknowledged_at)}
            moments={
              transitions.some(({ at }) => at === incident.acknowledged_at)
                ? []
                : momentsOf(incident, (at) => instantText(at, { zone }))
            }
          />
        )}
      </Loaded>
    </Panel>
  );
}

function momentsOf(incident: IncidentDetail, instant: (at: string) => string): Moment[] {
  const { acknowledged_at: at, acknowledged_by: by, acknowledge_note: note, acknowledged_until: until } = incident;
  if (at === null) return [];
  const words = [`by ${by || 'someone'}`, until && `until ${instant(until)}`].filter(Boolean).join(', ');
  return [{ at, title: 'acknowledged', text: note ? `${words}: ${note}` : words }];
}
