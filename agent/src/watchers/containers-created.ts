import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Logger } from 'pino';
import type { ContainerEvent, InspectedContainer } from './containers-model.ts';
import type { ContainerFacts, Report } from './watcher.ts';

export interface CreatedContainersOptions {
  readonly report: Report;
  readonly clock: Clock;
  readonly log: Logger;
  /** Null: gone, or not answered. */
  readonly inspect: (id: string) => Promise<InspectedContainer | null>;
}

interface Created {
  facts: ContainerFacts;
  /** Null: not inspected yet. */
  isAutoRemoved: boolean | null;
  readonly heardAtMs: number | null;
  readonly looking: AbortController;
  /** Settles when nobody looks any more. */
  done: Promise<void>;
}

/** When to look after a creation. The engine removes a container with `--rm` in the moment its start has failed, so that one is looked at without a break. */
const LOOK_AFTER_MS = {
  kept: [300, 1_000, 3_000, 10_000],
  autoRemoved: [5, 15, 30, 50, 100, 200, 500, 1_000, 3_000, 10_000],
};
/** How long the end of a removed one waits for an inspection that may know why. */
const LAST_LOOK_MS = 1_000;
const MAX_LOOKING = 200;

/**
 * Containers that were created and have not started. One that cannot start gives no event: it stays `created`, with an
 * exit code (125 to 128) and the reason in its state. All looking happens beside the container's events: an engine
 * answers an inspection only when it has done with starting the container, and the start must not wait for that.
 */
export class CreatedContainers {
  readonly #options: CreatedContainersOptions;
  readonly #waiting = new Map<string, Created>();
  readonly #told = new Set<string>();

  constructor(options: CreatedContainersOptions) {
    this.#options = options;
  }

  /** `heardAtMs`: when its event came; null for one that was found. One that failed before `sinceMs` was someone else's to tell. Resolves, never rejects, when nobody looks any more. */
  created(facts: ContainerFacts, heardAtMs: number | null, sinceMs: number): Promise<void> {
    const id = facts.containerId;
    const done = Promise.resolve();
    if (this.#waiting.has(id) || this.#told.has(id) || this.#waiting.size >= MAX_LOOKING) return done;
    const created: Created = { facts, isAutoRemoved: null, heardAtMs, looking: new AbortController(), done };
    this.#waiting.set(id, created);
    created.done = this.#lookOften(created, sinceMs).catch((error: unknown) => {
      this.#options.log.error({ err: error, container: id }, 'a created container could not be looked at');
    });
    return created.done;
  }

  /** Looks once more, long after the creation: a container may be started at any time, and fail. True: nothing is left to look for. */
  async look(id: string): Promise<boolean> {
    if (this.#told.has(id)) return true;
    const found = await this.#options.inspect(id);
    if (found === null) return false;
    if (hasFailedToStart(found)) this.#tell(found);
    return hasFailedToStart(found) || found.status !== 'created';
  }

  started(id: string): void {
    this.#waiting.get(id)?.looking.abort();
    this.#waiting.delete(id);
    this.#told.delete(id);
  }

  /** The engine removes a container with `--rm` by itself only after it ran or could not. */
  async destroyed(event: ContainerEvent): Promise<void> {
    const created = this.#waiting.get(event.id);
    if (created !== undefined) {
      created.looking.abort();
      // An inspection under way may have seen the reason just before the removal.
      await Promise.race([created.done, this.#options.clock.sleep(LAST_LOOK_MS)]);
      // Never inspected in all its life: the engine was busy starting it, for one that lies idle is answered at once.
      const isOwnRemoval = created.isAutoRemoved ?? created.heardAtMs !== null;
      if (isOwnRemoval) this.#tellUnexplained(created, 'the engine removed it before it had started', event.at);
    }
    this.started(event.id);
  }

  /** Podman cleans up after a start that failed, and keeps neither code nor reason. */
  async cleanedUp(event: ContainerEvent): Promise<void> {
    const created = this.#waiting.get(event.id);
    if (created === undefined) return;
    created.looking.abort();
    await Promise.race([created.done, this.#options.clock.sleep(LAST_LOOK_MS)]);
    this.#tellUnexplained(created, 'the engine could not start it and does not say why', event.at);
  }

  /** Stops looking; what was told stays told. */
  clear(): void {
    for (const { looking } of this.#waiting.values()) looking.abort();
    this.#waiting.clear();
  }

  async #lookOften(created: Created, sinceMs: number): Promise<void> {
    const id = created.facts.containerId;
    const { signal } = created.looking;
    const found = await this.#options.inspect(id);
    if (found !== null) {
      created.facts = found.facts;
      created.isAutoRemoved = found.isAutoRemoved;
      const createdAtMs = created.heardAtMs ?? found.createdAt ?? 0;
      if (hasFailedToStart(found) && createdAtMs < sinceMs) this.#told.add(id);
      else if (hasFailedToStart(found)) this.#tell(found);
      if (hasFailedToStart(found) || found.status !== 'created') return;
    }
    for (const delayMs of created.isAutoRemoved === false ? LOOK_AFTER_MS.kept : LOOK_AFTER_MS.autoRemoved) {
      await this.#options.clock.sleep(delayMs, signal);
      if (signal.aborted || (await this.look(id))) return;
    }
  }

  #tellUnexplained({ facts }: Created, error: string, at: number): void {
    if (this.#told.has(facts.containerId)) return;
    this.#told.add(facts.containerId);
    this.#options.report({ kind: 'container_not_started', ...facts, exitCode: null, error, at });
  }

  #tell({ facts, exitCode, error }: InspectedContainer): void {
    if (this.#told.has(facts.containerId)) return;
    this.#told.add(facts.containerId);
    const at = this.#options.clock.wallMs();
    this.#options.report({ kind: 'container_not_started', ...facts, exitCode, error, at });
  }
}

/** While the engine removes it, the state says `removing` and still has the reason. */
function hasFailedToStart({ facts, status, exitCode, error }: InspectedContainer): boolean {
  const isUnstarted = facts.startedAt === null && ['created', 'initialized', 'removing', 'dead'].includes(status);
  return isUnstarted && ((exitCode !== null && exitCode !== 0) || error !== null);
}
