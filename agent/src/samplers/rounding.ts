/** Two decimals: more than any of these readings is exact to, and short on the wire. */
export function hundredths(value: number): number {
  return Math.round(value * 100) / 100;
}
