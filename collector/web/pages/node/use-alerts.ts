import { useQuery } from '@tanstack/react-query';
import type { Alert, Node } from '../../data/api-types.ts';
import { read } from '../../data/queries.ts';

/** The node's own alerts of its newest incidents, the newest first. */
export function useAlerts({ id }: Pick<Node, 'id'>): readonly NodeAlert[] {
  const { data } = useQuery(read('GET /incidents', { query: { node: id, limit: 200 } }));
  return (data?.items ?? [])
    .flatMap(({ id: incident_id, alerts }) => alerts.map((alert) => ({ ...alert, incident_id })))
    .filter((alert) => alert.node_id === id && alert.task_id === null)
    .toSorted((a, b) => b.fired_at.localeCompare(a.fired_at));
}

export interface NodeAlert extends Alert {
  readonly incident_id: string;
}
