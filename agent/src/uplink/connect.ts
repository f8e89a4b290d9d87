import type { IncomingMessage } from 'node:http';
import { isIP, type LookupFunction, type Socket } from 'node:net';
import { agentKeyHeader } from '@runnerwatch/shared/protocol/credentials.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import { WebSocket } from 'ws';
import { type ConnectFailure, explainError, explainStatus, explainTimeout, type Stage } from './connect-failure.ts';
import type { Shown } from './credential.ts';

/** Welcome, acks and pongs are small; nothing larger is taken from a collector. */
const maxPayloadBytes = 64 * 1024;
const bodyBytes = 512;

export interface ConnectOptions {
  readonly url: URL;
  readonly shown: Shown;
  /** PEM of the authorities to trust instead of the system's. */
  readonly ca: string | undefined;
  readonly timeoutMs: number;
  readonly clock: Clock;
  /** Gives up at once. */
  readonly signal: AbortSignal;
  /** The system's resolver when absent; asked anew for every connection. */
  readonly lookup?: LookupFunction | undefined;
}

export type Connection =
  | { readonly kind: 'open'; readonly socket: WebSocket }
  | { readonly kind: 'failed'; readonly failure: ConnectFailure }
  | { readonly kind: 'cancelled' };

/** `http://host/prefix` or `https://…` as configured, to the agents' door behind it. */
export function agentUrl(collectorUrl: string): URL {
  const url = new URL(collectorUrl);
  url.protocol = url.protocol === 'https:' || url.protocol === 'wss:' ? 'wss:' : 'ws:';
  url.pathname = `${url.pathname.replace(/\/+$/, '')}/agent/v1`;
  return url;
}

/** Opens one WebSocket, without compression, following no redirect. Never rejects: what went wrong is an answer. */
export function connect({ url, shown, ca, timeoutMs, clock, signal, lookup }: ConnectOptions): Promise<Connection> {
  return new Promise((resolve) => {
    const progress: { stage: Stage } = {
      stage: isIP(url.hostname.replace(/^\[|\]$/g, '')) === 0 ? 'resolving' : 'connecting',
    };
    const settled = new AbortController();
    const socket = new WebSocket(url, {
      headers: {
        authorization: `Bearer ${shown.token}`,
        ...(shown.key === null ? {} : { [agentKeyHeader]: shown.key }),
      },
      perMessageDeflate: false,
      followRedirects: false,
      maxPayload: maxPayloadBytes,
      ...(ca === undefined ? {} : { ca }),
      ...(lookup === undefined ? {} : { lookup }),
      finishRequest: (request) => {
        request.once('socket', (wire) => followStages(wire, url, progress));
        request.end();
      },
    });
    const settle = (connection: Connection) => {
      if (settled.signal.aborted) return;
      settled.abort();
      signal.removeEventListener('abort', cancel);
      if (connection.kind !== 'open') socket.terminate();
      resolve(connection);
    };
    const cancel = () => settle({ kind: 'cancelled' });
    socket.on('error', (error) =>
      settle({ kind: 'failed', failure: explainError(error, { url, stage: progress.stage }) }),
    );
    socket.once('open', () => settle({ kind: 'open', socket }));
    socket.once('unexpected-response', (_request, response) => {
      void firstBytes(response, clock).then((body) => {
        const { statusCode: status = 0, headers } = response;
        settle({ kind: 'failed', failure: explainStatus({ status, location: headers.location, body }, url) });
      });
    });
    if (signal.aborted) cancel();
    else signal.addEventListener('abort', cancel, { once: true });
    void clock
      .sleep(timeoutMs, settled.signal)
      .then(() => settle({ kind: 'failed', failure: explainTimeout({ url, stage: progress.stage }, timeoutMs) }));
  });
}

function followStages(wire: Socket, url: URL, progress: { stage: Stage }): void {
  wire.once('lookup', (error) => {
    if (error == null) progress.stage = 'connecting';
  });
  wire.once('connect', () => {
    progress.stage = url.protocol === 'wss:' ? 'securing' : 'asking';
  });
  wire.once('secureConnect', () => {
    progress.stage = 'asking';
  });
}

/** What it said, as far as it says it within a second. Never rejects. */
function firstBytes(response: IncomingMessage, clock: Clock): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const done = new AbortController();
    const finish = () => {
      if (done.signal.aborted) return;
      done.abort();
      resolve(Buffer.concat(chunks).subarray(0, bodyBytes).toString('utf8'));
      response.destroy();
    };
    response.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      if (chunks.reduce((sum, one) => sum + one.length, 0) >= bodyBytes) finish();
    });
    response.once('end', finish);
    response.once('error', finish);
    response.once('close', finish);
    void clock.sleep(1000, done.signal).then(finish);
  });
}
