import type { Event, Lane } from '@runnerwatch/shared/model/event.ts';
import type { Spool } from './spool/spool.ts';
import type { TaskEnded } from './tasks/ending.ts';
import type { TasksOnDisk } from './tasks/ledger-options.ts';
import type { TaskBegun } from './tasks/ledger-state.ts';
import type { ContainerRunTimes } from './watchers/watcher.ts';

/** More cannot have been written between two savings of what runs; of ends, as many as a ledger remembers. */
const looksBack: Readonly<Record<Lane, number>> = { ends: 20_000, facts: 5000 };
const pageBytes = 1024 * 1024;
/** A node is up again by then, and its agent has caught up. */
const unprovenForMs = 600_000;
const mostUnproven = 500;

export interface AllOnDisk extends TasksOnDisk {
  /** The last run of each container that ended, by the container's id, oldest end first. */
  readonly containers: ReadonlyMap<string, ContainerRunTimes>;
}

/**
 * The tasks that the spool still holds, acknowledged or not. A life that died after it wrote an end and before its source
 * forgot it hears of that end again: it knows by this that it is told, and how well it was proven. One that died after it wrote a beginning and before
 * it saved what runs finds the run here.
 */
export async function tasksOnDisk(spool: Pick<Spool, 'read' | 'positions'>, now: number): Promise<AllOnDisk> {
  const ended = new Set<string>();
  const unproven = new Map<string, TaskEnded>();
  const begun = new Map<string, TaskBegun>();
  const containers = new Map<string, ContainerRunTimes>();
  for await (const { body, at } of newest(spool, 'ends', 'task_ended')) {
    if (body.kind !== 'task_ended') continue;
    const { id, container_id: containerId, started_at: startedAt } = body.task;
    ended.add(id);
    unproven.delete(id);
    const isUnproven = body.ending.verdict.confidence !== 'proven' && Date.parse(at) >= now - unprovenForMs;
    if (isUnproven) unproven.set(id, body);
    const [oldest] = unproven.keys();
    if (unproven.size > mostUnproven && oldest !== undefined) unproven.delete(oldest);
    if (containerId === null) continue;
    containers.delete(containerId);
    containers.set(containerId, {
      startedAtMs: startedAt === null ? null : Date.parse(startedAt),
      endedAtMs: Date.parse(body.ending.ended_at),
    });
  }
  for await (const { body, at } of newest(spool, 'facts', 'task_started')) {
    if (body.kind !== 'task_started') continue;
    const { id } = body.task;
    begun.set(id, { identity: body.task, at: begun.get(id)?.at ?? Date.parse(at) });
  }
  return { ended, unproven: [...unproven.values()], containers, begun: [...begun.values()] };
}

/** The newest events of a lane in which the word stands, oldest first. */
async function* newest(spool: Pick<Spool, 'read' | 'positions'>, lane: Lane, word: string): AsyncGenerator<Event> {
  const { last, oldest } = spool.positions;
  let after = Math.max(oldest[lane] - 1, last[lane] - looksBack[lane]);
  while (after < last[lane]) {
    const events = await spool.read(lane, after, pageBytes);
    const reached = events.at(-1)?.seq;
    if (reached === undefined) return;
    after = reached;
    for (const { text } of events) if (text.includes(word)) yield JSON.parse(text) as Event;
  }
}
