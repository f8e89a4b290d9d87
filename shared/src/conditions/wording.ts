const BINARY_UNITS = ['B', 'KiB', 'MiB', 'GiB', 'TiB', 'PiB'];

/** `92%`; with as many decimals (at most two) as it takes not to look equal to the level it is compared with. */
export function percentText(value: number, level: number): string {
  const digits = [0, 1, 2].find((count) => Number(value.toFixed(count)) !== level || value === level) ?? 2;
  return `${value.toFixed(digits)}%`;
}

/** `1.5 GiB`. */
export function bytesText(bytes: number): string {
  const power = bytes < 1024 ? 0 : Math.min(BINARY_UNITS.length - 1, Math.floor(Math.log2(bytes) / 10));
  const amount = bytes / 1024 ** power;
  return `${power === 0 || amount >= 100 ? amount.toFixed(0) : amount.toFixed(1)} ${BINARY_UNITS[power]}`;
}

/** `40.0 MiB/s`. */
export function rateText(bytesPerSecond: number): string {
  return `${bytesText(bytesPerSecond)}/s`;
}

/** How long in words, as exact as a person needs it: `40 s`, `6 min`, `3.5 h`, `2.1 d`. */
export function spanText(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 90) return `${Math.round(seconds)} s`;
  if (seconds < 90 * 60) return `${Math.round(seconds / 60)} min`;
  if (seconds < 48 * 3600) return `${Number((seconds / 3600).toFixed(1))} h`;
  return `${Number((seconds / 86_400).toFixed(1))} d`;
}

/** A number without needless decimals: `90`, `1.75`. */
export function numberText(value: number): string {
  return String(Number(value.toFixed(2)));
}
