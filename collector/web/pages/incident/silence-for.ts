import type { Incident } from '../../data/api-types.ts';
import type { Matchers } from '../../parts/matcher-lines.ts';

/** What a silence for this incident begins with: the conditions that fire, on the nodes where they do. */
export function silenceFor({ alerts }: Pick<Incident, 'alerts'>): Matchers {
  const firing = alerts.filter(({ status }) => status === 'firing');
  const nodes = [...new Set(firing.flatMap(({ node }) => (node === null ? [] : [node])))];
  return {
    ...(nodes.length === 0 ? {} : { node: nodes }),
    condition: [...new Set(firing.map(({ condition }) => condition))],
  };
}
