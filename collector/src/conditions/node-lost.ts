import type { Evidence, Verdict } from '@runnerwatch/shared/model/task.ts';

/** The verdict on a task whose node has fallen silent. Its end is inferred, so it is likely at best, and amended when the truth arrives. */
export function lostVerdict({
  lastHeardAt,
  bootId,
  now,
}: {
  lastHeardAt: Date;
  bootId: string | null;
  now: Date;
}): Verdict {
  const at = now.toISOString();
  return {
    cause: 'node_lost',
    confidence: 'likely',
    summary: `its node was last heard at ${lastHeardAt.toISOString()}; how the task fares is not known`,
    evidence: [{ source: 'collector', at, fact: 'heartbeat expired' }, ...bootEvidence(bootId, at)],
    advice: ['look at the node; when it returns, the end of this task is corrected by itself'],
  };
}

/**
 * Whether a lost task may be running still: its node returned in the very boot in which it fell silent.
 * After a reboot, or when a boot id is missing, only the agent can say how the task ended.
 */
export function mayStillRun(verdict: Verdict | null, bootId: string | null): boolean {
  if (verdict?.cause !== 'node_lost' || bootId === null) return false;
  const expected = bootEvidence(bootId, '')[0];
  return verdict.evidence.some(({ source, fact }) => source === expected?.source && fact === expected.fact);
}

function bootEvidence(bootId: string | null, at: string): Evidence[] {
  return bootId === null ? [] : [{ source: 'collector', at, fact: `boot id ${bootId}` }];
}
