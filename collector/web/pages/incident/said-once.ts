import type { Transition } from '../../data/api-types.ts';

/**
 * The transitions of an incident with its acknowledgement told once: that of failed tasks ends an alert for each of them, with the
 * same words. Of those nobody was told of, the first stands for all.
 */
export function saidOnce<T extends Pick<Transition, 'at' | 'decisions'>>(
  transitions: readonly T[],
  acknowledgedAt: string | null,
): T[] {
  const words = transitions.filter(({ at }) => at === acknowledgedAt);
  const kept = words.filter(({ decisions }) => decisions.length > 0);
  const shown = kept.length > 0 ? kept : words.slice(0, 1);
  return transitions.filter((one) => !words.includes(one) || shown.includes(one));
}
