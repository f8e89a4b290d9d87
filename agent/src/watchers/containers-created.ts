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
  readonly facts: ContainerFacts;
  readonly isAutoRemoved: boolean;
  readonly looking: AbortController;
  /** Settles when nobody looks any more. */
  done: Promise<void>;
}

/** When to look after a creation. The engine removes a container with `--rm` in the moment its start has failed, so that one is looked at without a break. */
const LOOK_AFTER_MS = {
  kept: [300, 1_000, 3_000, 10_000],
  autoRemoved: [5, 15, 30, 50, 100, 200, 500, 1_000, 3_000, 10_000],
};
/** Nobody but the engine removes a container so soon after its creation. */
const VANISHED_WITHIN_MS = 2_000;
const MAX_LOOKING = 200;

/**
 * Containers that were created and have not started. One that cannot start gives no event: it stays `created`, with an
 * exit code (125 to 128) and the reason in its state.
 */
export class CreatedContainers {
  readonly #options: CreatedContainersOptions;
  readonly #waiting = new Map<string, Created>();
  readonly #told = new Set<string>();
  /** Gone before they could be inspected, and when they were created. */
  readonly #vanished = new Map<string, number>();

  constructor(options: CreatedContainersOptions) {
    this.#options = options;
  }

  /** One that failed before `sinceMs` was someone else's to tell. */
  async created(id: string, createdAtMs: number | null, sinceMs: number): Promise<void> {
    if (this.#waiting.has(id) || this.#told.has(id)) return;
    const found = await this.#options.inspect(id);
    if (found === null && createdAtMs !== null) this.#vanished.set(id, createdAtMs);
    if (found === null || found.status !== 'created') return;
    if (hasFailedToStart(found) && (createdAtMs ?? found.createdAt ?? 0) < sinceMs) this.#told.add(id);
    else if (!this.#tellIfFailed(found) && this.#waiting.size < MAX_LOOKING) this.#wait(found);
  }

  /** Looks once more, long after the creation: a container may be started at any time, and fail. */
  async look(id: string): Promise<boolean> {
    if (this.#told.has(id)) return true;
    const found = await this.#options.inspect(id);
    return found !== null && (found.status !== 'created' || this.#tellIfFailed(found));
  }

  started(id: string): void {
    this.#waiting.get(id)?.looking.abort();
    this.#waiting.delete(id);
    this.#vanished.delete(id);
    this.#told.delete(id);
  }

  /** The engine removes a container with `--rm` by itself only after it ran or could not. */
  async destroyed(event: ContainerEvent): Promise<void> {
    const created = this.#waiting.get(event.id);
    created?.looking.abort();
    // An inspection under way may have seen the reason just before the removal.
    await created?.done;
    const isVanished = event.at - (this.#vanished.get(event.id) ?? -Infinity) < VANISHED_WITHIN_MS;
    if ((created?.isAutoRemoved || isVanished) && !this.#told.has(event.id)) {
      const facts = created?.facts ?? event.facts;
      const error = 'the engine removed it before it had started';
      this.#options.report({ kind: 'container_not_started', ...facts, exitCode: null, error, at: event.at });
    }
    this.started(event.id);
  }

  /** Stops looking; what was told stays told. */
  clear(): void {
    for (const { looking } of this.#waiting.values()) looking.abort();
    this.#waiting.clear();
    this.#vanished.clear();
  }

  #wait(found: InspectedContainer): void {
    const id = found.facts.containerId;
    const looking = new AbortController();
    const { facts, isAutoRemoved } = found;
    const done = this.#lookOften(id, isAutoRemoved ? LOOK_AFTER_MS.autoRemoved : LOOK_AFTER_MS.kept, looking.signal);
    this.#waiting.set(id, {
      facts,
      isAutoRemoved,
      looking,
      done: done.catch((error: unknown) => {
        this.#options.log.error({ err: error, container: id }, 'a created container could not be looked at');
      }),
    });
  }

  /** Beside the container's events: an inspection may wait until the engine has done with starting it, and the start's event must not wait for that. */
  async #lookOften(id: string, delaysMs: readonly number[], signal: AbortSignal): Promise<void> {
    for (const delayMs of delaysMs) {
      await this.#options.clock.sleep(delayMs, signal);
      if (signal.aborted || (await this.look(id))) return;
    }
  }

  #tellIfFailed(found: InspectedContainer): boolean {
    const { facts, exitCode, error } = found;
    if (!hasFailedToStart(found)) return false;
    if (this.#told.has(facts.containerId)) return true;
    this.#told.add(facts.containerId);
    const at = this.#options.clock.wallMs();
    this.#options.report({ kind: 'container_not_started', ...facts, exitCode, error, at });
    return true;
  }
}

function hasFailedToStart({ status, exitCode, error }: InspectedContainer): boolean {
  return status === 'created' && ((exitCode !== null && exitCode !== 0) || error !== null);
}
