import { createContext, useContext } from 'react';
import type { NodeSample } from './api-types.ts';
import type { Connection, Live } from './live.ts';
import { useStore } from './store.ts';

export const LiveContext = createContext<Live | null>(null);

export function useLive(): Live {
  const live = useContext(LiveContext);
  if (live === null) throw new Error('no live stream around this component');
  return live;
}

export function useConnection(): Connection {
  return useStore(useLive().connection);
}

/** A node's newest reading: of the stream, or the one its record came with. */
export function useSample(node: { readonly id: string; readonly sample: NodeSample | null }): NodeSample | null {
  const streamed = useStore(useLive().sampleOf(node.id));
  if (streamed === null || node.sample === null) return streamed ?? node.sample;
  return streamed.at > node.sample.at ? streamed : node.sample;
}
