/** What a subscription was told of failures of one kind. Instants are epoch milliseconds. */
export interface ToldGroup {
  readonly toldAt: number;
  /** How long after it the next message may come. */
  readonly windowMs: number;
  /** Failures that wait for that message. */
  readonly waiting: number;
}

const growth = 8;
/** So many windows without a message, five minutes at least, and the next failure is a new trouble. */
export const calmWindows = 10;
export const calmMsMin = 5 * 60_000;
const windowMaxMs = 3_600_000;

/**
 * Whether a failure is told at once or waits for those like it. The first is told at once; those within the window after a
 * message wait, and while failures go on each window is eight times the one before: three messages in five minutes from five
 * seconds on, however many there are. Null: it waits.
 */
export function admit(
  group: ToldGroup | null,
  { now, windowMs }: { now: number; windowMs: number },
): Omit<ToldGroup, 'waiting'> | null {
  if (group === null) return { toldAt: now, windowMs };
  if (group.waiting > 0 || now < group.toldAt + group.windowMs) return null;
  const isCalm = now >= group.toldAt + Math.max(calmMsMin, calmWindows * group.windowMs);
  return { toldAt: now, windowMs: isCalm ? windowMs : nextWindow(group.windowMs) };
}

export function nextWindow(windowMs: number): number {
  return Math.min(windowMaxMs, growth * windowMs);
}

/** Where a subscription tells failures of whatever kind in one message: how long they wait counts from the first of them. */
export function gather(any: ToldGroup | null, { now, windowMs }: { now: number; windowMs: number }) {
  const group = any === null || any.waiting === 0 ? { toldAt: now, windowMs, waiting: 0 } : any;
  return { where: 'any', isTold: false, group: { ...group, waiting: group.waiting + 1 } } as const;
}

export interface Placing {
  /** The failures of its kind. */
  readonly own: ToldGroup | null;
  /** Those of any kind, that came when too many kinds had been told. */
  readonly any: ToldGroup | null;
  /** How many kinds were told lately. */
  readonly kinds: number;
  /** It is a run of a job, of which there may be many alike. */
  readonly isOfJob: boolean;
  readonly now: number;
  readonly windowMs: number;
}

/** What a fleet may bring in a minute on an ordinary bad day; more is a storm. Tasks without a job are each of a kind of their own. */
const kindsMax = { ofJob: 100, ofOne: 1000 } as const;

/** Where a failure goes, and what becomes of that group: told at once, or waiting with its kind, or with those of any kind. */
export function place({ own, any, kinds, isOfJob, now, windowMs }: Placing): {
  readonly where: 'own' | 'any';
  readonly isTold: boolean;
  readonly group: ToldGroup;
} {
  const admitted = admit(own, { now, windowMs });
  const isTooMuch = kinds >= (isOfJob ? kindsMax.ofJob : kindsMax.ofOne);
  if (own !== null && (admitted === null || isTooMuch))
    return { where: 'own', isTold: false, group: { ...own, waiting: own.waiting + 1 } };
  const isStorm = any !== null && (any.waiting > 0 || now < any.toldAt + any.windowMs);
  if (own === null && any !== null && isStorm)
    return { where: 'any', isTold: false, group: { ...any, waiting: any.waiting + 1 } };
  if (own === null && isTooMuch) return { where: 'any', isTold: false, group: { toldAt: now, windowMs, waiting: 1 } };
  return { where: 'own', isTold: true, group: { toldAt: now, windowMs: admitted?.windowMs ?? windowMs, waiting: 0 } };
}
