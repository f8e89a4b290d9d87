import type { IncomingMessage } from 'node:http';
import type { Duplex } from 'node:stream';
import type { CloseReason } from '@runnerwatch/shared/protocol/close-codes.ts';
import { maxFrameBytes } from '@runnerwatch/shared/protocol/codec.ts';
import { agentKeyHeader } from '@runnerwatch/shared/protocol/credentials.ts';
import type { AllClearFrame, DeputyFrame } from '@runnerwatch/shared/protocol/frames.ts';
import { repeat } from '@runnerwatch/shared/runtime/repeat.ts';
import { WebSocketServer } from 'ws';
import type { Admission, Shown } from '../enrolment/admission.ts';
import { Session, type SessionLimits, type SessionParts } from './session.ts';
import { Turns } from './turns.ts';

export interface GatewayOptions
  extends Omit<SessionParts, 'onWelcomed' | 'onEnded' | 'present' | 'waiting' | 'greetings' | 'limits'> {
  /** May this agent come in? Asked before there is a socket object. */
  readonly admit: (shown: Shown) => Admission;
  /** A node's agent has said hello and been written down. */
  readonly onConnected: (nodeId: string) => void;
  /** A node's agent has no session any more. */
  readonly onDisconnected: (nodeId: string, reason: CloseReason | 'lost') => void;
  readonly limits?: Partial<SessionLimits>;
  readonly tickMs?: number;
}

export interface Connected {
  readonly nodeId: string;
  readonly remoteAddress: string | null;
  /** Records the agent holds that are not acknowledged; null before its first heartbeat. */
  readonly pendingRecords: number | null;
}

/** The agents' door. The assembly gives it the HTTP server's `upgrade` events for its path. */
export interface Gateway extends AsyncDisposable {
  handleUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void;
  connected(): Connected[];
  /** To the agent of a node; lost when it has no session. */
  say(nodeId: string, frame: DeputyFrame | AllClearFrame): void;
  /** Ends the session of a node, for example because it was removed. */
  disconnect(nodeId: string, reason: CloseReason): void;
}

const defaultLimits: SessionLimits = {
  helloWithinMs: 10_000,
  silentAfterMs: 30_000,
  answerWithinMs: 2000,
  // An agent of ours waits for acks after eight.
  waitingBatchesMax: 256,
  waitingBytesMax: 4 * 1024 * 1024,
  waitingBytesMaxTogether: 64 * 1024 * 1024,
  unreadBytesMax: 256 * 1024,
  budget: { perSecond: 1000, savedMax: 2000 },
  inDebtMaxMs: 30_000,
};
const greetingsAtOnce = 4;
const closeWithinMs = 2000;
/** An agent behind a way that loses large packets sends its largest event, 512 KiB, in pieces of 1,100 bytes. */
const maxFragments = 512;
/** Pieces in which a frame of the largest size may arrive from the network: 128 bytes each. */
const maxBufferedChunks = 8192;

export function createGateway(options: GatewayOptions): Gateway {
  const { log, clock, tickMs = 500 } = options;
  const server = new WebSocketServer({
    noServer: true,
    maxPayload: maxFrameBytes,
    maxFragments,
    maxBufferedChunks,
    perMessageDeflate: false,
    clientTracking: false,
  });
  const sessions = new Set<Session>();
  const byNode = new Map<string, Session>();
  let isStopping = false;
  const parts = sessionParts(options, { sessions, byNode });
  const sweep = () => {
    for (const session of sessions) session.checkPatience();
  };
  const sweeping = repeat(sweep, { clock, everyMs: tickMs, isFirstLater: true });

  const accept = (request: IncomingMessage, socket: Duplex, head: Buffer) => {
    const remoteAddress = request.socket.remoteAddress ?? null;
    const { authorization, [agentKeyHeader]: key } = request.headers;
    const admission = options.admit({ token: bearerToken(authorization), key: typeof key === 'string' ? key : null });
    if (isStopping) {
      return refuse(socket, { status: 503, code: 'stopping', message: 'the collector is stopping' });
    }
    if (!admission.admitted) {
      log.warn({ remote_address: remoteAddress, code: admission.code }, 'did not admit an agent');
      return refuse(socket, admission);
    }
    const bytesRead = () => request.socket.bytesRead;
    server.handleUpgrade(request, socket, head, (webSocket) =>
      sessions.add(new Session(webSocket, { remoteAddress, credential: admission.credential, bytesRead }, parts)),
    );
  };

  return {
    handleUpgrade: (request, socket, head) => {
      // Node's HTTP server hands the socket over without a listener; an error nobody hears ends the process.
      socket.on('error', (error) => log.debug({ err: error }, 'an agent connection broke'));
      accept(request, socket, head);
    },
    connected: () =>
      [...byNode].map(([nodeId, session]) => ({
        nodeId,
        remoteAddress: session.remoteAddress,
        pendingRecords: session.heartbeat?.spool.pending_records ?? null,
      })),
    say: (nodeId, frame) => byNode.get(nodeId)?.say(frame),
    disconnect: (nodeId, reason) => byNode.get(nodeId)?.end(reason),
    [Symbol.asyncDispose]: async () => {
      isStopping = true;
      await sweeping[Symbol.asyncDispose]();
      await closeAll([...sessions]);
      server.close();
    },
  };
}

/** What each session is given: the options, and a way to say which node it speaks for. */
function sessionParts(
  options: GatewayOptions,
  { sessions, byNode }: { sessions: Set<Session>; byNode: Map<string, Session> },
): SessionParts {
  const { log, onConnected, onDisconnected, limits, fallback } = options;
  return {
    ...options,
    limits: { ...defaultLimits, ...limits },
    waiting: { bytes: 0 },
    greetings: new Turns(greetingsAtOnce),
    present: (nodeId) => byNode.get(nodeId),
    onWelcomed: (session) => {
      const nodeId = session.nodeId;
      if (nodeId === undefined) return;
      const older = byNode.get(nodeId);
      byNode.set(nodeId, session);
      older?.end('replaced');
      log.info(session.facts, 'agent connected');
      onConnected(nodeId);
    },
    onEnded: (session, reason) => {
      sessions.delete(session);
      log.info({ ...session.facts, reason }, 'agent session ended');
      const nodeId = session.nodeId;
      if (nodeId === undefined || byNode.get(nodeId) !== session) return;
      byNode.delete(nodeId);
      fallback?.left(nodeId);
      onDisconnected(nodeId, reason);
    },
  };
}

/** Says that we are going, waits for what is being written down, and cuts off who does not answer. */
async function closeAll(sessions: readonly Session[]): Promise<void> {
  for (const session of sessions) session.end('goingAway');
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<void>((resolve) => {
    timer = setTimeout(resolve, closeWithinMs);
  });
  await Promise.race([Promise.all(sessions.map((session) => session.settled())), late]);
  clearTimeout(timer);
  for (const session of sessions) session.cutOff();
}

function bearerToken(header: string | undefined): string | null {
  return /^Bearer +(\S+) *$/i.exec(header ?? '')?.[1] ?? null;
}

const phrases = {
  401: 'Unauthorized',
  403: 'Forbidden',
  429: 'Too Many Requests',
  503: 'Service Unavailable',
} as const;

/** An answer in place of the upgrade, in the form of all our errors. */
function refuse(
  socket: Duplex,
  { status, code, message }: { status: keyof typeof phrases; code: string; message: string },
): void {
  const body = JSON.stringify({ error: { code, message } });
  const head = [
    `HTTP/1.1 ${status} ${phrases[status]}`,
    'content-type: application/json; charset=utf-8',
    `content-length: ${Buffer.byteLength(body)}`,
    ...(status === 401 ? ['www-authenticate: Bearer realm="runnerwatch"'] : []),
    ...(status === 429 || status === 503 ? ['retry-after: 5'] : []),
    'connection: close',
  ];
  socket.end(`${head.join('\r\n')}\r\n\r\n${body}`, () => socket.destroy());
}
