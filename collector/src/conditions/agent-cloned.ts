import type { Judgment } from './condition.ts';

/** A second agent was kept out for as long as it knocks; that long after its last knock it is held for gone. */
export const cloneGoneMs = 10 * 60_000;

export interface CloneSight {
  /** Addresses of the agent that stays and of the one that is kept out. */
  readonly admitted: string | null;
  readonly refused: string | null;
  /** Milliseconds since the epoch. */
  readonly seenAt: number;
}

/**
 * AgentCloned: two agents that are alive show the same node id and the same key, as a cloned machine or a copied data_dir does, or
 * someone who has the key. `sight` is null when none was seen since `listeningSince`; null is returned while that says nothing yet.
 */
export function judgeClone(
  { sight, listeningSince }: { sight: CloneSight | null; listeningSince: number },
  now: number,
): Judgment | null {
  const isThere = sight !== null && now - sight.seenAt <= cloneGoneMs;
  if (!isThere && now - listeningSince <= cloneGoneMs) return null;
  return {
    condition: 'AgentCloned',
    component: 'agent',
    subject: '',
    status: isThere ? 'true' : 'false',
    severity: 'critical',
    reason: isThere
      ? `two agents speak for it: ${sight.admitted ?? 'one'}, and ${sight.refused ?? 'another'}, which is kept out; one is a copy, or somebody has its key`
      : 'one agent speaks for it',
    value: null,
    threshold: null,
    since: now,
  };
}
