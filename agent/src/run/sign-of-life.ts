import type { LineTail } from '../logs/line-tail.ts';
import type { FactWriter } from './fact-writer.ts';

/** Within this an agent knows that output goes on. */
const everyMs = 5000;

/** Shows the agent, by the time stamp of the run's first file, that output has passed through. */
export function showOutput(tail: LineTail, writer: FactWriter): { stop(): void } {
  let shown = tail.pieces;
  const timer = setInterval(() => {
    if (tail.pieces === shown) return;
    shown = tail.pieces;
    writer.touch();
  }, everyMs);
  return { stop: () => clearInterval(timer) };
}
