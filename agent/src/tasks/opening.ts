import type { TaskSource } from '@runnerwatch/shared/model/task.ts';
import type { ContainerFacts, RunStarted, UnitEnded, UnitStarted } from '../watchers/watcher.ts';
import type { IdentifiableRun } from './identify.ts';

/** What a run's first sighting says of it. */
export interface Opening {
  readonly source: TaskSource;
  /** The source's own name of this one run. */
  readonly runKey: string;
  /** What later sightings of it carry: a unit's name, a container's id, a run's id. */
  readonly handle: string;
  /** Of its main process, where the source says it. */
  readonly pid: number | null;
  readonly names: Omit<IdentifiableRun, 'source' | 'runKey'>;
}

export function keyOf(source: TaskSource, runKey: string): string {
  return `${source}:${runKey}`;
}

/** A unit is also opened by its end, when that is the first that is heard of it. One without an invocation id goes by its start. */
export function openingOfUnit(sighting: UnitStarted | UnitEnded, now: number): Opening {
  const { unit, invocationId } = sighting;
  const started = sighting.kind === 'unit_started' ? sighting : undefined;
  return {
    source: 'systemd',
    runKey: invocationId ?? `${unit}@${started?.startedAt ?? now}`,
    handle: unit,
    pid: started?.mainPid ?? null,
    names: {
      ...noNames,
      unit,
      command: started?.command ?? null,
      description: started?.description ?? null,
      user: started?.user ?? null,
      cgroup: started?.cgroup ?? null,
      startedAt: started?.startedAt ?? null,
    },
  };
}

export function openingOfContainer(facts: ContainerFacts): Opening {
  return {
    source: facts.engine,
    runKey: `${facts.containerId}@${facts.startedAt ?? ''}`,
    handle: facts.containerId,
    pid: facts.pid,
    names: {
      ...noNames,
      containerId: facts.containerId,
      containerName: facts.name,
      image: facts.image,
      labels: facts.labels,
      command: facts.command,
      cgroup: facts.cgroup,
      startedAt: facts.startedAt,
    },
  };
}

export function openingOfCommand(started: RunStarted): Opening {
  const { name, job, project, owner } = started;
  return {
    source: 'run',
    runKey: started.runId,
    handle: started.runId,
    pid: started.pid,
    names: {
      ...noNames,
      command: started.command,
      cgroup: started.cgroup,
      startedAt: started.startedAt,
      run: { name, job, project, owner },
    },
  };
}

const noNames: Opening['names'] = {
  unit: null,
  containerId: null,
  containerName: null,
  image: null,
  labels: {},
  cgroup: null,
  command: null,
  description: null,
  user: null,
  startedAt: null,
  run: null,
};

/** What a sighting says of which run of a unit it means. */
export type UnitRunName = Pick<UnitStarted | UnitEnded, 'unit' | 'invocationId' | 'startedAt'>;

/** Whether it means the latest run of that unit: by the invocation id, or where one side has none, by the start. */
export function isRunOfUnit(
  { key, handle, startedAt }: { key: string; handle: string; startedAt: number | null },
  name: UnitRunName,
): boolean {
  const isNameless = key.startsWith(keyOf('systemd', `${handle}@`));
  if (name.invocationId !== null && !isNameless) return key === keyOf('systemd', name.invocationId);
  return isSameStart(startedAt, name.startedAt);
}

/** An engine's event and its inspection tell one start by instants that lie a little apart. */
export function isSameStart(one: number | null, other: number | null): boolean {
  return one === null || other === null || Math.abs(one - other) <= 2000;
}
