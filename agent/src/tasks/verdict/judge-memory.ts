import { formatSize } from '@runnerwatch/shared/runtime/size.ts';
import { describeExit, type ExitStatus } from './exit-status.ts';
import type { Finding } from './finding.ts';
import { hasFailedAnyway, isServiceSuccess, statusOf } from './judge-exit.ts';
import { isStopEnough } from './judge-stop.ts';
import { hadOomKill, type KernelOomFacts, type RunFacts } from './run-facts.ts';

/** Was it, or a part of it, killed for memory? */
export function outOfMemory(facts: RunFacts, exit: ExitStatus | null): Finding | null {
  if (!hadOomKill(facts) || isStopEnough(facts, exit)) return null;
  const { cause, confidence, who } = whoseMemory(facts);
  const wasMain = facts.memory.kernelOom?.victim.isMain === true;
  const isOfThisEnd = facts.unit?.result === 'oom-kill' || wasMain || wasJustBefore(facts);
  const isKill = exit?.kind === 'signal' ? exit.signal === 'SIGKILL' : exit?.code === 137;
  const wasKilled = isOfThisEnd && (isKill || facts.unit?.result === 'oom-kill');
  if (wasKilled) {
    const isSure = facts.unit?.result === 'oom-kill' || wasMain || sinceKillMs(facts) <= reachMs;
    const summary = `Killed for want of memory: ${who}.`;
    return { status: 'killed_oom', cause, confidence: isSure ? confidence : 'likely', summary };
  }
  if (exit === null) return unseenAfterOom(facts, who);
  if (exit.kind === 'code' && exit.code === 0) {
    if (hasFailedAnyway(facts)) return null;
    return {
      status: 'completed',
      cause: 'oom_child',
      confidence: 'proven',
      summary: `Ended with exit 0, but a process of it was killed for want of memory: ${who}.`,
    };
  }
  if (!isOfThisEnd && statusOf(exit) === 'killed') return null;
  return {
    status: statusOf(exit),
    cause: 'oom_child',
    confidence: 'likely',
    summary: `Ended with ${describeExit(exit)} after a process of it was killed for want of memory: ${who}.`,
  };
}

/** Whoever goes on for longer after a kill does not end of it. */
const reachMs = 10_000;
/** An engine on a node that starves tells of an end long after it. */
const engineReachMs = 60_000;

/** Where the kernel told nothing of the main process, the end's instant is the engine's. */
function wasJustBefore(facts: RunFacts): boolean {
  const isEngines = facts.container !== null && facts.process === null;
  return sinceKillMs(facts) <= (isEngines ? engineReachMs : reachMs);
}

/** From the last kill to the end. Of a kill or an end whose instant is not known nobody can say that there was any time between them. */
function sinceKillMs({ unit, container, memory, endedAt, approximate }: RunFacts): number {
  const instants = [unit?.oomAt, container?.oomAt, memory.oomAt, memory.kernelOom?.at].filter((at) => at != null);
  return approximate || instants.length === 0 ? 0 : endedAt - Math.max(...instants);
}

function unseenAfterOom({ unit }: RunFacts, who: string): Finding {
  if (isServiceSuccess(unit)) {
    return {
      status: 'completed',
      cause: 'oom_child',
      confidence: 'proven',
      summary: `Ended well, says systemd, but a process of it was killed for want of memory: ${who}.`,
    };
  }
  const failed = unit?.result != null && unit.result !== 'success';
  return {
    status: failed ? 'failed' : 'unknown',
    cause: 'unknown',
    confidence: 'unknown',
    summary: `A process of it was killed for want of memory (${who}); how it ended itself, nobody could see.`,
  };
}

const nearLimit = 0.9;

interface Whose {
  readonly cause: 'oom_limit' | 'oom_host';
  readonly confidence: Finding['confidence'];
  readonly who: string;
}

function whoseMemory({ memory, container }: RunFacts): Whose {
  const { peakBytes, limitBytes, kernelOom } = memory;
  if (kernelOom) return byKernel(kernelOom);
  if (limitBytes !== null && (peakBytes === null || peakBytes >= limitBytes * nearLimit))
    return { cause: 'oom_limit', confidence: 'proven', who: `it had reached its limit of ${formatSize(limitBytes)}` };
  if (limitBytes === null && (container?.oomKilled === true || (container?.oomAt ?? null) !== null))
    return { cause: 'oom_limit', confidence: 'likely', who: 'the engine says it had reached its limit' };
  const why = limitBytes === null ? 'no limit of its own is known' : 'it was below its limit';
  return { cause: 'oom_host', confidence: 'likely', who: `${why}, so the node or a group around it had run out` };
}

function byKernel({ isGlobal, group, limitBytes, largest, victim }: KernelOomFacts): Whose {
  if (!isGlobal) {
    const limit = limitBytes === null ? '' : ` of ${formatSize(limitBytes)}`;
    const owner = group === null ? 'it had reached its limit' : `${group} around it had reached its limit`;
    return { cause: 'oom_limit', confidence: 'proven', who: `${owner}${limit}` };
  }
  const fattest =
    largest === null || largest.pid === victim.pid
      ? ''
      : `; the largest process was ${largest.comm} (pid ${largest.pid}) with ${formatSize(largest.rssBytes)}`;
  return { cause: 'oom_host', confidence: 'proven', who: `the whole node had run out${fattest}` };
}
