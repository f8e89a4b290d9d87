import { connect as connectPlain, isIP, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { createDatabase, type Database } from './database.ts';
import { DatabaseSocket } from './database-socket.ts';
import { DatabaseError } from './errors.ts';
import { Pool } from './pool.ts';
import { parseServerUrl, type ServerTarget } from './server-url.ts';

export interface ServerOptions {
  readonly url: string;
  readonly poolSize?: number;
  readonly connectTimeoutMs?: number;
  /** The server gives a statement up after this. */
  readonly statementTimeoutMs?: number;
  /** We give a connection up after this much silence: longer than the statement limit, so that it means a frozen server. */
  readonly silenceLimitMs?: number;
  readonly acquireTimeoutMs?: number;
}

/** A database on a PostgreSQL server. Does not connect yet: the first query does. */
export function openServerDatabase({
  url,
  poolSize = 4,
  connectTimeoutMs = 5000,
  statementTimeoutMs = 10_000,
  silenceLimitMs = 15_000,
  acquireTimeoutMs = 20_000,
}: ServerOptions): Database {
  const target = parseServerUrl(url);
  const pool = new Pool({
    size: poolSize,
    acquireTimeoutMs,
    connect: async () => new DatabaseSocket(await connect(target, connectTimeoutMs), silenceLimitMs),
    session: {
      user: target.user,
      password: target.password,
      database: target.database,
      connection: {
        application_name: 'runnerwatch',
        statement_timeout: statementTimeoutMs,
        lock_timeout: statementTimeoutMs,
        idle_in_transaction_session_timeout: statementTimeoutMs * 3,
      },
    },
  });
  return createDatabase({ kind: 'server', descriptorsMax: poolSize, pool, closeEngine: async () => {} });
}

async function connect(target: ServerTarget, timeoutMs: number): Promise<Socket> {
  const where = target.path ?? `${target.host}:${target.port}`;
  const socket =
    target.path === null ? connectPlain({ host: target.host, port: target.port }) : connectPlain({ path: target.path });
  const timer = setTimeout(
    () =>
      socket.destroy(
        new DatabaseError('unreachable', `the database at ${where} did not answer within ${timeoutMs} ms`),
      ),
    timeoutMs,
  );
  try {
    await once(socket, 'connect');
    socket.setNoDelay(true);
    socket.setKeepAlive(true, 30_000);
    return target.tls === 'disable' ? socket : await upgrade(socket, target);
  } catch (error) {
    socket.destroy();
    if (error instanceof DatabaseError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new DatabaseError('unreachable', `cannot reach the database at ${where}: ${message}`, { cause: error });
  } finally {
    clearTimeout(timer);
  }
}

/** Asks for TLS on a fresh connection (PostgreSQL manual, section "SSL Session Encryption"): the answer is one byte. */
async function upgrade(socket: Socket, target: ServerTarget): Promise<Socket> {
  const request = Buffer.alloc(8);
  request.writeInt32BE(8, 0);
  request.writeInt32BE(80877103, 4);
  socket.write(request);
  const answer = await once(socket, 'data');
  socket.pause();
  if (!Buffer.isBuffer(answer) || answer.length !== 1) {
    throw new DatabaseError('denied', `${target.host}:${target.port} does not speak the PostgreSQL protocol`);
  }
  if (answer.toString('latin1') !== 'S') {
    if (target.tls === 'prefer') return socket;
    throw new DatabaseError(
      'denied',
      `the database at ${target.host}:${target.port} has no TLS, which sslmode asks for`,
    );
  }
  const secure = connectTls({
    socket,
    ...(isIP(target.host) === 0 ? { servername: target.host } : {}),
    rejectUnauthorized: target.tls === 'verify',
  });
  await once(secure, 'secureConnect');
  return secure;
}

/** The first such event's value; rejects when the socket breaks or closes before. */
function once(socket: Socket, event: 'connect' | 'data' | 'secureConnect'): Promise<unknown> {
  return new Promise((resolve, reject) => {
    const settle = (act: () => void) => {
      socket.off(event, onEvent);
      socket.off('error', onError);
      socket.off('close', onClose);
      act();
    };
    const onEvent = (value: unknown) => settle(() => resolve(value));
    const onError = (error: Error) => settle(() => reject(error));
    const onClose = () => settle(() => reject(new DatabaseError('unreachable', 'the database closed the connection')));
    socket.on(event, onEvent);
    socket.on('error', onError);
    socket.on('close', onClose);
  });
}
