/** Of this browser. */
export const ownZone = Intl.DateTimeFormat().resolvedOptions().timeZone;

/** To choose from, this browser's own and UTC first. It knows others, too: newer names for the same. */
export const zones: readonly string[] = [...new Set([ownZone, 'UTC', ...Intl.supportedValuesOf('timeZone')])];

export function isZone(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name }).format(0);
    return true;
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/**
 * The instant at which the clocks of a zone show this, as a field has it: `2026-11-22T04:00`. What they show twice is its first time
 * or its second, what they leave out is an hour off.
 */
export function instantOf(shown: string, zone: string): string {
  const wantedMs = Date.parse(`${shown}Z`);
  const aboutMs = wantedMs - offsetMs(wantedMs, zone);
  return new Date(wantedMs - offsetMs(aboutMs, zone)).toISOString();
}

/** How far the clocks of a zone are ahead of UTC. `atMs`: whole seconds. */
function offsetMs(atMs: number, zone: string): number {
  // Swedish is written as RFC 3339 is, but for the T.
  const shown = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' });
  return Date.parse(`${shown.format(atMs).replace(' ', 'T')}Z`) - atMs;
}
