/** What a subscription was told of failures of one kind. Instants are epoch milliseconds. */
export interface ToldGroup {
  readonly toldAt: number;
  /** How long after it the next message may come. */
  readonly windowMs: number;
  /** Failures that wait for that message. */
  readonly waiting: number;
}

const growth = 4;
const windowMaxMs = 3_600_000;

/**
 * Whether a failure is told at once or waits for those like it. The first is told at once; those within the window after a
 * message wait, and while failures go on each window is four times the one before: three messages in five minutes from thirty
 * seconds on, however many there are. Null: it waits.
 */
export function admit(
  group: ToldGroup | null,
  { now, windowMs }: { now: number; windowMs: number },
): Omit<ToldGroup, 'waiting'> | null {
  if (group === null) return { toldAt: now, windowMs };
  if (group.waiting > 0 || now < group.toldAt + group.windowMs) return null;
  const isCalm = now >= group.toldAt + growth * group.windowMs;
  return { toldAt: now, windowMs: isCalm ? windowMs : nextWindow(group.windowMs) };
}

export function nextWindow(windowMs: number): number {
  return Math.min(windowMaxMs, growth * windowMs);
}
