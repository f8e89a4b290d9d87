import type { Node, NodeSample } from '../../data/api-types.ts';
import { useSample } from '../../data/use-live.ts';
import { isHeard } from '../nodes/readings.ts';

/** What it reads now; null while its agent is away. */
export function useReading(node: Node): NodeSample | null {
  const sample = useSample(node);
  return isHeard(node) ? sample : null;
}
