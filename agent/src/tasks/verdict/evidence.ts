import { type Instant, toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { Evidence } from '@runnerwatch/shared/model/task.ts';
import { formatDuration } from '@runnerwatch/shared/runtime/duration.ts';
import { formatSize } from '@runnerwatch/shared/runtime/size.ts';
import { describeExit, type ExitStatus, exitStatusOf, signalName } from './exit-status.ts';
import { describeDisk } from './judge-disk.ts';
import { isAmbiguous } from './judge-exit.ts';
import { hadOomKill, type KernelOomFacts, type RunFacts } from './run-facts.ts';

/** The observed facts a verdict rests on, each with who saw it and when; nothing inferred. */
export function evidenceOf(facts: RunFacts, exit: ExitStatus | null): Evidence[] {
  const at = toInstant(facts.endedAt);
  return [
    ...fromProcess(facts),
    ...fromRun(facts, at),
    ...fromUnit(facts, at),
    ...fromContainer(facts, at),
    ...fromMemory(facts, at),
    ...fromCoreDump(facts),
    ...fromGpu(facts),
    ...fromDisk(facts, exit, at),
    ...fromConvention(facts, exit),
    ...(facts.shuttingDown ? [{ source: 'systemd', at, fact: 'the node is shutting down' }] : []),
  ];
}

function fromProcess({ process }: RunFacts): Evidence[] {
  if (process === null) return [];
  const at = toInstant(process.at);
  if (process.waitStatus === null)
    return [
      {
        source: 'agent',
        at,
        fact: `the main process's exit status was not seen: ${process.blindReason ?? 'no reason known'}`,
      },
    ];
  return [
    {
      source: 'kernel',
      at,
      fact: `main process ended with ${describeExit(exitStatusOf(process.waitStatus))}${process.via === null ? '' : ` (${channels[process.via]})`}`,
    },
  ];
}

const channels = { pidfd: 'pidfd', zombie: '/proc', connector: 'process connector' } as const;

function fromRun({ run }: RunFacts, at: Instant): Evidence[] {
  if (run === null) return [];
  if (run.startError !== null) return [{ source: 'run', at, fact: run.startError }];
  const limit = run.timedOut ? [{ source: 'run', at, fact: 'the time limit ran out' }] : [];
  if (run.waitStatus === null)
    return [...limit, { source: 'run', at, fact: 'the wrapper ended without saying how its command did' }];
  return [
    ...limit,
    { source: 'run', at, fact: `the command ended with ${describeExit(exitStatusOf(run.waitStatus))}` },
  ];
}

function fromUnit({ unit }: RunFacts, at: Instant): Evidence[] {
  if (unit === null) return [];
  const source = unit.via === 'journal' ? 'journal' : 'systemd';
  const found: Evidence[] = [];
  if (unit.startError !== null)
    found.push({ source: 'journal', at: toInstant(unit.startError.at), fact: unit.startError.words });
  if (unit.execMain)
    found.push({ source, at, fact: `main process ${unit.execMain.code}, status ${unit.execMain.status}` });
  if (unit.result !== null && !(unit.isScope && unit.result === 'success'))
    found.push({ source, at, fact: `result ${unit.result}` });
  if (unit.isScope && unit.result === 'success')
    found.push({ source, at, fact: 'scope ended; systemd keeps no exit status of a scope' });
  if (unit.result === 'timeout' && unit.runtimeMaxMs !== null)
    found.push({ source, at, fact: `RuntimeMaxSec= is ${formatDuration(unit.runtimeMaxMs)}` });
  if (unit.stopJob === true) found.push({ source, at, fact: 'a stop was asked for' });
  if (unit.oomAt !== null)
    found.push({ source, at: toInstant(unit.oomAt), fact: 'a process of the unit was killed by the OOM killer' });
  return found;
}

function fromContainer({ container, source }: RunFacts, at: Instant): Evidence[] {
  if (container === null) return [];
  const found: Evidence[] = container.signals.map(({ signal, at: sentAt }) => ({
    source,
    at: toInstant(sentAt),
    fact: `${signalName(signal)} was sent through the engine`,
  }));
  if (container.engineStopping !== null)
    found.push({ source: 'systemd', at, fact: `${container.engineStopping} was being stopped or restarted` });
  if (container.oomAt !== null) found.push({ source, at: toInstant(container.oomAt), fact: 'oom event' });
  if (container.exitCode !== null) found.push({ source, at, fact: `exit code ${container.exitCode}` });
  if (container.oomKilled !== null) found.push({ source, at, fact: `OOMKilled is ${container.oomKilled}` });
  if (container.error) found.push({ source, at, fact: container.error });
  return found;
}

function fromMemory(facts: RunFacts, at: Instant): Evidence[] {
  const { oomKills, oomAt, kernelOom, peakBytes, limitBytes } = facts.memory;
  const found: Evidence[] = [];
  if ((oomKills ?? 0) > 0)
    found.push({
      source: 'cgroup',
      at: oomAt === null ? at : toInstant(oomAt),
      fact: `memory.events counts ${oomKills} OOM kill${oomKills === 1 ? '' : 's'}`,
    });
  if (kernelOom) found.push(...fromKernelOom(kernelOom));
  if (peakBytes !== null && hadOomKill(facts)) {
    found.push({
      source: 'cgroup',
      at,
      fact: `memory peaked at ${formatSize(peakBytes)}${limitBytes === null ? '' : ` of ${formatSize(limitBytes)}`}`,
    });
  }
  return found;
}

function fromKernelOom({ at: atMs, isGlobal, group, usageBytes, limitBytes, victim, largest }: KernelOomFacts) {
  const at = toInstant(atMs);
  const size = (bytes: number | null) => (bytes === null ? '' : ` with ${formatSize(bytes)}`);
  const name = victim.comm === null ? '' : ` (${victim.comm})`;
  const reason = isGlobal ? 'the node had run out of memory' : 'a memory limit was reached';
  const which = victim.isMain ? 'the main process,' : 'process';
  const found = [`the OOM killer took ${which} ${victim.pid}${name}${size(victim.rssBytes)}: ${reason}`];
  if (!isGlobal && usageBytes !== null)
    found.push(
      `${group ?? 'the task'} used ${formatSize(usageBytes)}${limitBytes === null ? '' : ` of its limit of ${formatSize(limitBytes)}`}`,
    );
  if (largest !== null && largest.pid !== victim.pid)
    found.push(`the largest process then was ${largest.pid} (${largest.comm})${size(largest.rssBytes)}`);
  return found.map((fact) => ({ source: 'kernel', at, fact }));
}

function fromCoreDump({ coreDump }: RunFacts): Evidence[] {
  if (coreDump === null) return [];
  const { at, pid, comm, signal, file } = coreDump;
  const name = comm === null ? '' : ` (${comm})`;
  const place = file === null ? '' : `, kept in ${file}`;
  const fact = `process ${pid}${name} dumped core on ${signalName(signal)}${place}`;
  return [{ source: 'journal', at: toInstant(at), fact }];
}

function fromGpu({ gpu }: RunFacts): Evidence[] {
  return gpu === null || gpu.whose === 'none' ? [] : [{ source: 'kernel', at: toInstant(gpu.at), fact: gpu.text }];
}

function fromDisk({ disk }: RunFacts, exit: ExitStatus | null, at: Instant): Evidence[] {
  if (exit === null || (exit.kind === 'code' && exit.code === 0)) return [];
  const found: Evidence[] = [];
  if (disk.complaint !== null) found.push({ source: 'log', at, fact: disk.complaint.trim() });
  const { fullest } = disk;
  if (fullest !== null && (disk.complaint !== null || fullest.usedPercent >= noticedPercent))
    found.push({
      source: 'statfs',
      at: toInstant(fullest.at),
      fact: describeDisk(fullest),
    });
  return found;
}

const noticedPercent = 99;

function fromConvention(facts: RunFacts, exit: ExitStatus | null): Evidence[] {
  if (exit?.kind !== 'code' || exit.code <= 128 || exit.code > 192) return [];
  const at = toInstant(facts.endedAt);
  const signal = signalName(exit.code - 128);
  if (isAmbiguous(facts, exit.code)) {
    return [
      {
        source: 'agent',
        at,
        fact: `the engine says ${exit.code} of that code and of a death by ${signal} alike; no event of it and no word of the kernel tells which`,
      },
    ];
  }
  return [
    {
      source: 'agent',
      at,
      fact: `exit ${exit.code} is a code, not a signal; shells use it for a command that died of ${signal}`,
    },
  ];
}
