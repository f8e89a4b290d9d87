import { describeExit, type ExitStatus } from './exit-status.ts';
import type { Finding } from './finding.ts';
import { statusOf } from './judge-exit.ts';
import { xidOf } from './judge-xid.ts';
import type { RunFacts } from './run-facts.ts';

/** How soon after the fault a program that cannot go on has gone. */
export const gpuFaultReachMs = 10_000;

/** Did its GPU fail it? A fault of its own process, and an end that was none of its wishes within ten seconds. */
export function gpuFault({ gpu, endedAt }: RunFacts, exit: ExitStatus | null): Finding | null {
  if (gpu === null || gpu.whose === 'none' || endedAt - gpu.at > gpuFaultReachMs) return null;
  const { name, blame } = xidOf(gpu.xid);
  if (blame === 'notice' || exit === null || (exit.kind === 'code' && exit.code === 0)) return null;
  const whom = gpu.whose === 'main' ? 'it' : 'a process of it';
  return {
    status: statusOf(exit),
    cause: 'gpu_fault',
    confidence: gpu.whose === 'main' ? 'proven' : 'likely',
    summary: `Ended with ${describeExit(exit)} after a fault of GPU ${gpu.gpu} befell ${whom}: Xid ${gpu.xid}, ${name}.`,
  };
}
