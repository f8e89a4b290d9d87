import { EventEmitter } from 'node:events';
import { Duplex } from 'node:stream';
import { describeFailure } from '../../proc/descriptors.ts';

/** One message heard on the bus. */
export interface BusSignal {
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly body: readonly unknown[];
}

export interface BusCall {
  readonly destination: string;
  readonly path: string;
  readonly interface: string;
  readonly member: string;
  readonly signature?: string;
  readonly body?: unknown[];
  /** Called with the reply's body at its place among the signals: by the time the call resolves, later ones may have been heard. */
  readonly onReply?: (body: readonly unknown[]) => void;
}

/** One connection to a message bus. It lives until {@link Bus.closed} resolves, with the reason, and is never used again after. */
export interface Bus {
  /** The reply's body. Rejects when the peer answers with an error, after 10 s, or when the connection ends. */
  call(call: BusCall): Promise<readonly unknown[]>;
  readonly closed: Promise<string>;
  close(): void;
}

export interface BusOptions {
  readonly address: string;
  /** Called in the order of the bus, synchronously; must not throw. */
  readonly onSignal: (signal: BusSignal) => void;
}

export const systemBusAddress = 'unix:path=/run/dbus/system_bus_socket';

const connectTimeoutMs = 5_000;
const callTimeoutMs = 10_000;
const pingEveryMs = 15_000;
const peer = { destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus' };

/** Connects and says Hello. Rejects with the reason; nothing is left open then. */
export async function connectBus({ address, onSignal }: BusOptions): Promise<Bus> {
  // Loaded only where there is a bus to listen to: 4 MB that other nodes keep.
  const { Message, MessageType, sessionBus } = await import('@jellybrick/dbus-next');
  // Given an address, `sessionBus` is a plain connection to it.
  const library = sessionBus({ busAddress: address, authMethods: ['EXTERNAL'] });
  const life = new ConnectionLife(library);
  const expected = new Map<number, NonNullable<BusCall['onReply']>>();
  library.on('message', (message) => {
    if (message.type === MessageType.SIGNAL) return onSignal(message);
    if (message.type === MessageType.METHOD_RETURN && message.replySerial !== undefined)
      expected.get(message.replySerial)?.(message.body);
  });

  const call = async ({ onReply, ...request }: BusCall): Promise<readonly unknown[]> => {
    const serial = library.newSerial();
    let failure: unknown;
    expected.set(serial, (body) => {
      try {
        onReply?.(body);
      } catch (error) {
        failure = error;
      }
    });
    try {
      const reply = await life.within(library.call(new Message({ ...request, serial })), callTimeoutMs);
      if (failure !== undefined) throw failure;
      return reply?.body ?? [];
    } finally {
      expected.delete(serial);
    }
  };
  const ping = setInterval(() => {
    // Peer.Ping would do, but the policy of the system bus refuses it to the bus itself.
    call({ ...peer, interface: 'org.freedesktop.DBus', member: 'GetId' }).catch((error: unknown) =>
      life.end(`the bus does not answer: ${describeFailure(error)}`),
    );
  }, pingEveryMs);
  ping.unref();
  const closed = life.ended.finally(() => clearInterval(ping));

  const connected = new Promise<void>((resolve) => library.once('connect', resolve));
  try {
    await life.within(connected, connectTimeoutMs);
  } catch (error) {
    life.end('could not connect');
    throw new Error(`message bus ${address}: ${describeFailure(error)}`, { cause: error });
  }
  return { call, closed, close: () => life.end('closed by us') };
}

interface LibraryBus {
  on(event: 'error', listener: (error: unknown) => void): unknown;
  disconnect(): void;
}

/**
 * The library tells its users of errors but not of the connection's end; its own connection object does. That object
 * is internal, so it is looked at with care: without it the ping still finds a dead connection.
 */
class ConnectionLife {
  readonly ended: Promise<string>;
  readonly #waiting = new Set<(reason: Error) => void>();
  readonly #library: LibraryBus;
  readonly #connection: unknown;
  #settle: (reason: string) => void = () => {};
  #endReason: string | null = null;

  constructor(library: LibraryBus) {
    this.#library = library;
    this.#connection = Reflect.get(library, '_connection');
    this.ended = new Promise((resolve) => {
      this.#settle = resolve;
    });
    // These stay for good: an 'error' event that nobody hears would end the process.
    library.on('error', (error) => this.end(describeFailure(error)));
    if (this.#connection instanceof EventEmitter) {
      this.#connection.on('end', () => this.end('the bus closed the connection'));
    }
  }

  end(reason: string): void {
    if (this.#endReason !== null) return;
    this.#endReason = reason;
    const stream: unknown = this.#connection instanceof EventEmitter ? Reflect.get(this.#connection, 'stream') : null;
    if (stream instanceof Duplex) stream.destroy();
    else this.#library.disconnect();
    for (const reject of this.#waiting) reject(new Error(reason));
    this.#waiting.clear();
    this.#settle(reason);
  }

  async within<T>(promise: Promise<T>, timeoutMs: number): Promise<T> {
    if (this.#endReason !== null) {
      promise.catch(() => {}); // its failure is this one's
      throw new Error(this.#endReason);
    }
    let give: (reason: Error) => void = () => {};
    const givenUp = new Promise<never>((_, reject) => {
      give = reject;
    });
    this.#waiting.add(give);
    const timer = setTimeout(() => give(new Error(`no answer within ${timeoutMs} ms`)), timeoutMs);
    try {
      return await Promise.race([promise, givenUp]);
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(give);
    }
  }
}
