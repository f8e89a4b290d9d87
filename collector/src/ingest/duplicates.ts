import type { Hello } from '@runnerwatch/shared/protocol/frames.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Logger } from 'pino';

/** Two agents that are alive at once and show one identity. */
export interface Duplicate {
  /** Address of the one that stays; null where the socket did not say. */
  readonly admitted: string | null;
  /** Address of the one that is kept out. */
  readonly refused: string | null;
  /** When it last knocked, milliseconds since the epoch. */
  readonly seenAt: number;
}

/** The hello came from a second agent of this identity, while the first one answers. */
export class DuplicateError extends Error {}

export interface Present {
  readonly instanceId: string | undefined;
  readonly streamId: string | undefined;
  readonly remoteAddress: string | null;
  /** Asks over the wire whether its agent is there at this moment. */
  answers(): Promise<boolean>;
}

/** How many nodes and streams are remembered; the oldest are forgotten first. */
const rememberedMax = 1000;

/**
 * Copies of one agent: a cloned machine, a copied `data_dir`. Every start of an agent names itself (`instance_id`), so an agent that
 * comes back over a new connection is known; one of another name is either the next start of the same agent, and then nobody
 * answers on the older connection, or a second one. The first stays; what the second did on the shared stream is set apart from it.
 */
export class Duplicates {
  readonly #clock: Clock;
  readonly #log: Logger;
  readonly #byNode = new Map<string, Duplicate>();
  /** Streams that two have written: the instance that goes on with it. */
  readonly #contested = new Map<string, string>();

  constructor({ clock, log }: { clock: Clock; log: Logger }) {
    this.#clock = clock;
    this.#log = log;
  }

  /** By node, those seen since this collector started. */
  get seen(): ReadonlyMap<string, Duplicate> {
    return this.#byNode;
  }

  /** `vouch` proves that the newcomer may speak for the node. @throws DuplicateError, and what `vouch` throws. */
  async judge(
    hello: Hello,
    { present, remoteAddress, vouch }: { present: Present; remoteAddress: string | null; vouch: () => Promise<void> },
  ): Promise<void> {
    const { instanceId, streamId } = present;
    const isSame = instanceId === undefined || hello.instance_id === undefined || instanceId === hello.instance_id;
    if (isSame || !(await present.answers())) return;
    await vouch();
    if (streamId === hello.stream_id) remember(this.#contested, streamId, instanceId);
    const before = this.#byNode.get(hello.node_id);
    const duplicate = { admitted: present.remoteAddress, refused: remoteAddress, seenAt: this.#clock.wallMs() };
    remember(this.#byNode, hello.node_id, duplicate);
    if (before?.admitted !== duplicate.admitted || before.refused !== duplicate.refused)
      this.#log.error(
        { node_id: hello.node_id, node: hello.node.name, admitted: duplicate.admitted, refused: duplicate.refused },
        'two agents speak for one node; the second one is kept out',
      );
    throw new DuplicateError();
  }

  /** Whether two have numbered this stream, and the other one goes on with it: its numbers mean something else here. */
  mustRenew({ stream_id, instance_id }: Hello): boolean {
    const owner = this.#contested.get(stream_id);
    return owner !== undefined && owner !== instance_id;
  }
}

function remember<K, V>(map: Map<K, V>, key: K, value: V): void {
  map.delete(key);
  map.set(key, value);
  const [oldest] = map.keys();
  if (map.size > rememberedMax && oldest !== undefined) map.delete(oldest);
}
