import type { NodeReading } from '@runnerwatch/shared/conditions/reading.ts';
import type { NodeSample } from '@runnerwatch/shared/model/sample.ts';

/** Reads one gauge on a tick and keeps what its next rate needs. */
export interface Sampler {
  readonly name: string;
  /**
   * What could be read; what is left out counts as not read. A sampler that must wait answers with a promise: while one
   * is open it is not asked again. Throwing costs this tick's values and nothing else.
   */
  sample(now: TickTime): Contribution | Promise<Contribution>;
  /** Lets go what is open. */
  close?(): void;
}

/** A sampler's part of one reading. */
export interface Contribution {
  readonly sample?: Partial<Omit<NodeSample, 'at'>>;
  readonly unreadDisks?: NodeReading['unreadDisks'];
  readonly ruleProcesses?: NodeReading['ruleProcesses'];
}

/** The instant of a tick, the same for all its samplers. */
export interface TickTime {
  readonly wallMs: number;
  readonly monotonicMs: number;
}
