import type { ConditionReport } from '@runnerwatch/shared/model/condition.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import * as z from 'zod/mini';
import type { GpuFault } from '../watchers/watcher.ts';
import { gpuFaultReachMs } from './verdict/judge-gpu.ts';
import { severityOfXid, xidOf } from './verdict/judge-xid.ts';

/** What is known of one GPU's last fault, as kept over restarts of the agent. */
export const knownGpuFault = z.object({
  gpu: z.string(),
  xid: z.number(),
  severity: z.enum(['warning', 'critical']),
  reason: z.string(),
  since: z.number(),
  last_at: z.number(),
  boot_id: z.nullable(z.string()),
});
export type KnownGpuFault = z.infer<typeof knownGpuFault>;

export interface GpuFaultOptions {
  readonly tell: (report: ConditionReport) => void;
  /** From the agent's last life. */
  readonly known: readonly KnownGpuFault[];
  readonly bootId: string | null;
  readonly clock: Clock;
}

/** Nothing tells that a GPU is well again; so long without a fault is the best there is. */
const quietMs = { warning: 10 * 60_000, critical: 24 * 3_600_000 } as const;

/**
 * GpuFault of the node, one a GPU: fired by an Xid that is more than a notice, told again when a graver one comes, over when
 * the node was restarted or the GPU was quiet for ten minutes (a program's fault) or a day (a GPU that wants a reset).
 */
export class GpuFaults {
  readonly #options: GpuFaultOptions;
  readonly #faults = new Map<string, KnownGpuFault>();
  #unclaimed: GpuFault | null = null;

  constructor(options: GpuFaultOptions) {
    this.#options = options;
    for (const fault of options.known) this.#faults.set(fault.gpu, fault);
  }

  /** What fires, for the next life. */
  known(): KnownGpuFault[] {
    return [...this.#faults.values()];
  }

  /** The last one that befell no task we know, when it was shortly before or after this instant. */
  unclaimedAt(at: number): GpuFault | null {
    return this.#unclaimed !== null && Math.abs(at - this.#unclaimed.at) <= gpuFaultReachMs ? this.#unclaimed : null;
  }

  see(fault: GpuFault, { isClaimed }: { isClaimed: boolean }): void {
    if (!isClaimed) this.#unclaimed = fault;
    const { xid, gpu, pid, comm, at } = fault;
    const severity = severityOfXid(xid);
    if (severity === 'info') return;
    const before = this.#faults.get(gpu);
    const isGraver = before === undefined || (before.severity === 'warning' && severity === 'critical');
    if (!isGraver) {
      this.#faults.set(gpu, { ...before, last_at: Math.max(before.last_at, at) });
      return;
    }
    const whose = pid === null ? '' : `, in process ${pid}${comm === null ? '' : ` (${comm})`}`;
    const reason = `Xid ${xid}: ${xidOf(xid).name}${whose}`;
    const since = before?.since ?? at;
    const known = { gpu, xid, severity, reason, since, last_at: at, boot_id: this.#options.bootId };
    this.#faults.set(gpu, known);
    this.#report(known, 'true', reason);
  }

  tick(): void {
    const now = this.#options.clock.wallMs();
    for (const fault of this.#faults.values()) {
      const wasRestarted = fault.boot_id !== this.#options.bootId;
      if (!wasRestarted && now - fault.last_at < quietMs[fault.severity]) continue;
      this.#faults.delete(fault.gpu);
      const reason = wasRestarted ? 'the node was restarted since' : 'no fault since';
      this.#report({ ...fault, since: now }, 'false', `${reason} Xid ${fault.xid}`);
    }
  }

  #report({ gpu, xid, severity, since }: KnownGpuFault, status: ConditionReport['status'], reason: string): void {
    this.#options.tell({
      condition: 'GpuFault',
      component: 'agent',
      subject: gpu,
      status,
      severity,
      reason,
      value: xid,
      threshold: null,
      since: toInstant(since),
    });
  }
}
