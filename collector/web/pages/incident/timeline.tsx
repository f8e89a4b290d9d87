import { useInfiniteQuery } from '@tanstack/react-query';
import type { ReactNode } from 'react';
import { readPages } from '../../data/queries.ts';
import { whileOnTheWay } from '../../data/reread.ts';
import { Loaded } from '../../parts/loaded.tsx';
import { Panel } from '../../parts/page.tsx';
import { type Moment, Story } from '../../parts/story.tsx';
import { instantText } from '../../parts/texts.ts';
import { useZone } from '../../theme/zone.ts';
import type { IncidentDetail } from './incident-page.tsx';

/** What happened in order: fired, who was told and why others were not, seen, reminded, over. */
export function Timeline({ incident }: { incident: IncidentDetail }): ReactNode {
  const query = useInfiniteQuery({
    ...readPages('GET /incidents/{id}/timeline', { path: { id: incident.id }, query: { limit: 30 } }),
    refetchInterval: ({ state: { data } }) =>
      whileOnTheWay(data?.pages.flatMap(({ items }) => items.flatMap(({ deliveries }) => deliveries)) ?? []),
  });
  const [zone] = useZone();
  return (
    <Panel title="What happened, and who was told">
      <Loaded query={query} lines={6}>
        {(transitions) => (
          <Story
            conclusion={incident.conclusion}
            transitions={transitions.toReversed()}
            areTasksNamed
            earlier={query}
            earlierCount={incident.timeline_total - transitions.length}
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
