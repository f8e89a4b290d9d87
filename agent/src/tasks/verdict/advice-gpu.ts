import { formatDuration } from '@runnerwatch/shared/runtime/duration.ts';
import type { Rule } from './advice-rule.ts';
import { gpuFaultReachMs } from './judge-gpu.ts';
import { severityOfXid, xidOf } from './judge-xid.ts';

export const gpuNeedsReset: Rule = ({ cause, facts: { gpu } }) => {
  if (cause !== 'gpu_fault' || gpu === null || severityOfXid(gpu.xid) !== 'critical') return null;
  const { name, blame } = xidOf(gpu.xid);
  const again =
    gpu.xid === fellOffTheBus ? 'restart it' : 'reset that GPU (nvidia-smi --gpu-reset) or restart the node';
  return `Xid ${gpu.xid} (${name}) points to ${blame === 'driver' ? 'the driver' : 'the hardware'} of GPU ${gpu.gpu}: drain the node, ${again}, and have the GPU looked at when it comes again.`;
};

export const programFaultedGpu: Rule = ({ cause, facts: { gpu } }) => {
  if (cause !== 'gpu_fault' || gpu === null || severityOfXid(gpu.xid) === 'critical') return null;
  return xidOf(gpu.xid).blame === 'application'
    ? `Xid ${gpu.xid} is most often the program's own: run it under compute-sanitizer; if other programs meet it on GPU ${gpu.gpu} too, suspect that GPU.`
    : `Run it again on another GPU than ${gpu.gpu}: if it ends well there, have that one looked at.`;
};

/** A fault of the node's GPU that nobody tied to this task is no cause, but worth a look. */
export const gpuFaultNear: Rule = ({ cause, facts: { gpu, endedAt } }) => {
  if (cause !== 'exit_code' && cause !== 'signal' && cause !== 'unknown') return null;
  if (gpu === null || gpu.whose !== 'none' || severityOfXid(gpu.xid) !== 'critical') return null;
  const beforeMs = Math.max(0, endedAt - gpu.at);
  if (beforeMs > gpuFaultReachMs) return null;
  return `${formatDuration(beforeMs)} before its end GPU ${gpu.gpu} of this node had Xid ${gpu.xid} (${xidOf(gpu.xid).name}): if the task used that GPU, look there first.`;
};

const fellOffTheBus = 79;
