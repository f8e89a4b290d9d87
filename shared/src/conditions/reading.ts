import type { Instant } from '../model/instant.ts';
import type { NodeSample } from '../model/sample.ts';

/** What is judged at one tick: the sample that is sent, and what only judging needs. */
export interface NodeReading {
  readonly sample: NodeSample;
  /** Mount points of disks that did not answer in time (a dead NFS server); they are missing from the sample. */
  readonly unreadDisks: readonly string[];
  /** One for each process rule, in the rules' order; null when the processes could not be read. */
  readonly ruleProcesses: readonly RuleProcesses[] | null;
}

/** The processes that a rule speaks of. */
export interface RuleProcesses {
  /** The rule's match as written. */
  readonly match: string;
  readonly processes: readonly JudgedProcess[];
}

export interface JudgedProcess {
  readonly pid: number;
  readonly name: string;
  readonly rssBytes: number;
  /** Of one core, over the last interval; null at the first sight. */
  readonly cpuPercent: number | null;
}

/** A sample in which nothing has been read yet. */
export function unreadSample(at: Instant): NodeSample {
  return {
    at,
    uptime_s: null,
    cpu_count: null,
    cpu_percent: null,
    load1: null,
    load5: null,
    load15: null,
    memory_total_bytes: null,
    memory_available_bytes: null,
    swap_total_bytes: null,
    swap_free_bytes: null,
    network_rx_bytes_per_s: null,
    network_tx_bytes_per_s: null,
    psi_cpu: null,
    psi_memory: null,
    psi_io: null,
    disks: null,
    processes: null,
    self: { rss_bytes: null, cpu_percent: null },
  };
}
