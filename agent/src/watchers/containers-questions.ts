import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Logger } from 'pino';
import { type EngineClient, EngineError } from './containers-client.ts';
import { readLines } from './containers-events.ts';
import { logGrewAt } from './containers-log-growth.ts';
import { LogTail } from './containers-log-tail.ts';
import { type ContainerEvent, type InspectedContainer, parseEvent, parseInspect } from './containers-model.ts';
import type { ContainerSocket } from './watcher.ts';

/** How to ask the engine while one connection to it lasts. */
export interface EngineAccess extends ContainerSocket {
  readonly client: EngineClient;
  readonly prefix: string;
}

export interface QuestionsOptions {
  readonly clock: Clock;
  readonly log: Logger;
  /** How many of a container's last lines are read. */
  readonly logLines: number;
}

/** What an engine is asked about one of its containers. Without a connection, or an answer in time, nothing is known. */
export class EngineQuestions {
  /** Null while no connection stands. */
  access: EngineAccess | null = null;
  readonly #options: QuestionsOptions;

  constructor(options: QuestionsOptions) {
    this.#options = options;
  }

  /** Null: gone, or not answered in time; the event itself must do then. */
  async inspect(id: string, waitMs?: number): Promise<InspectedContainer | null> {
    if (this.access === null) return null;
    const asked = this.#inspected(this.access, id);
    if (waitMs === undefined) return asked;
    const waiting = new AbortController();
    const found = await Promise.race([asked, this.#options.clock.sleep(waitMs, waiting.signal).then(() => null)]);
    waiting.abort();
    return found;
  }

  /** The last death since an instant that the engine still remembers of a container; it may not know the container any more. */
  async deathOf(id: string, sinceMs: number): Promise<ContainerEvent | null> {
    if (this.access === null) return null;
    const { access } = this;
    let death: ContainerEvent | null = null;
    const onLine = (line: string) => {
      const event = parseEvent(line, access)?.container;
      if (event?.id === id && event.action === 'die') death = event;
    };
    const path = pastEvents(access, { sinceMs, untilMs: this.#options.clock.wallMs(), containerId: id });
    try {
      await access.client.readStream(path, (stream) => readLines(stream, { onLine, onLost: () => {} }));
    } catch (error) {
      this.#unanswered(error, id, 'the last events of a container could not be read');
    }
    return death;
  }

  async logGrewAt(containerId: string, sinceMs: number): Promise<number | null> {
    if (this.access === null) return null;
    const { client, prefix } = this.access;
    return logGrewAt({ client, prefix, containerId, sinceMs });
  }

  tail(containerId: string, hasTerminal: boolean): LogTail | null {
    const { clock, logLines: lines } = this.#options;
    if (this.access === null || lines <= 0) return null;
    const { client, prefix } = this.access;
    return new LogTail({ client, clock, prefix, containerId, hasTerminal, lines });
  }

  async #inspected({ client, prefix, ...socket }: EngineAccess, id: string): Promise<InspectedContainer | null> {
    try {
      return parseInspect(await client.getJson(`${prefix}/containers/${encodeURIComponent(id)}/json`), socket);
    } catch (error) {
      this.#unanswered(error, id, 'a container could not be inspected');
      return null;
    }
  }

  #unanswered(error: unknown, container: string, message: string): void {
    if (!(error instanceof EngineError)) throw error;
    this.#options.log.debug({ err: error, container }, message);
  }
}

export interface PastEvents {
  readonly sinceMs: number;
  readonly untilMs: number;
  readonly containerId?: string;
}

/** An answer that ends: with `until` in the past Docker ends it by itself, Podman when told not to stream (Engine API, "Monitor events"). */
export function pastEvents({ prefix }: EngineAccess, { sinceMs, untilMs, containerId }: PastEvents): string {
  const since = Math.floor(Math.min(sinceMs, untilMs) / 1000);
  const filters =
    containerId === undefined ? '' : `&filters=${encodeURIComponent(JSON.stringify({ container: [containerId] }))}`;
  return `${prefix}/events?since=${since}&until=${(untilMs / 1000).toFixed(3)}&stream=false${filters}`;
}
