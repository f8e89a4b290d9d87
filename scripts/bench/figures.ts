import { percentile } from './process-cost.ts';

/** A heading, and a line of percentiles for each kind of thing, in milliseconds. */
export function printLatencies(title: string, rows: readonly (readonly [string, readonly number[]])[]): void {
  process.stdout.write(`${title}, milliseconds, Node ${process.version}\n`);
  for (const [name, values] of rows) {
    const figures = [0.5, 0.9, 0.99].map((share) => percentile(values, share).toFixed(0).padStart(5));
    process.stdout.write(
      `  ${name.padEnd(30)} p50 ${figures.join(' · p90 ').replace(/p90 (?=[^·]*$)/, 'p99 ')}  (n ${values.length})\n`,
    );
  }
}

export function target(isMet: boolean, wanted: string): string {
  return `(target ${wanted}: ${isMet ? 'met' : 'MISSED'})`;
}
