/** One that can fall back, and the machine it runs on: two agents of one machine die together. */
export interface Candidate {
  readonly nodeId: string;
  readonly name: string;
  readonly host: string;
}

export const deputiesMax = 3;

/** Who speaks when the collector is silent, by rank; a rank may be free. */
export type Places = readonly (Candidate | null)[];

/**
 * Names deputies: whoever has a place keeps it while they are there or expected back. Free places go to those that have been
 * there for longest, each on a machine of its own as far as there are enough; a second one of a machine gives way to another's.
 */
export function nameDeputies(
  held: Places,
  { here, isExpected }: { readonly here: readonly Candidate[]; readonly isExpected: (nodeId: string) => boolean },
): Places {
  const arrived = new Map(here.map((one) => [one.nodeId, one]));
  const kept = Array.from({ length: deputiesMax }, (_, rank) => {
    const one = held[rank] ?? null;
    if (one === null) return null;
    return arrived.get(one.nodeId) ?? (isExpected(one.nodeId) ? one : null);
  });
  const places = [...kept];
  const take = (rank: number, one: Candidate | undefined) => {
    if (one !== undefined) places[rank] = one;
  };
  const ofNewHost = () => here.find(({ host }) => !places.some((one) => one?.host === host));
  const free = () => here.find(({ nodeId }) => !places.some((one) => one?.nodeId === nodeId));
  for (const [rank, one] of kept.entries()) if (one === null) take(rank, ofNewHost());
  for (const [rank, one] of kept.entries()) if (one !== null && isDouble(places, one, rank)) take(rank, ofNewHost());
  for (const rank of places.keys()) if (places[rank] === null) take(rank, free());
  return places;
}

function isDouble(places: Places, { host }: Candidate, rank: number): boolean {
  return places.slice(0, rank).some((other) => other?.host === host);
}
