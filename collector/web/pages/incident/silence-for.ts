import type { Incident } from '../../data/api-types.ts';
import type { Matchers } from '../../parts/matcher-lines.ts';

/** What a silence for an incident begins with: the conditions that fire, on the nodes where they do. */
export function silenceFor({ nodes, conditions }: Pick<Incident, 'nodes' | 'conditions'>): Matchers {
  return { ...(nodes.length === 0 ? {} : { node: nodes }), condition: conditions };
}
