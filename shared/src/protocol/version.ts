/** Versions of the agent's conversation that this build speaks, both ends included. */
export const protocolVersions = { min: 1, max: 1 } as const;

/** The highest version both sides speak, or undefined when there is none. */
export function agreeVersion(
  ours: { min: number; max: number },
  theirs: { min: number; max: number },
): number | undefined {
  const version = Math.min(ours.max, theirs.max);
  return version >= Math.max(ours.min, theirs.min) ? version : undefined;
}
