import { createServer, type Server } from 'node:http';
import type { CloseReason } from '@runnerwatch/shared/protocol/close-codes.ts';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { Duplicates } from '../../collector/src/ingest/duplicates.ts';
import { createGateway, type Gateway, type GatewayOptions } from '../../collector/src/ingest/gateway.ts';
import { createGreeting } from '../../collector/src/ingest/greeting.ts';
import { type Committed, createWriter } from '../../collector/src/ingest/writer.ts';
import { Liveness } from '../../collector/src/nodes/liveness.ts';
import { saveTouches } from '../../collector/src/nodes/store.ts';
import { silentLog, type TestDatabase } from './database.ts';
import { aRegister } from './enrolment.ts';

/** The door of the agents, as the assembly opens it. */
export interface AgentsDoor {
  readonly gateway: Gateway;
  readonly server: Server;
  readonly liveness: Liveness;
  readonly duplicates: Duplicates;
  readonly committed: Committed[];
  readonly connected: string[];
  readonly disconnected: [string, CloseReason | 'lost'][];
}

/** With the short patience of a test. The caller listens, and closes gateway, liveness and server. Admits the token `good`. */
export function openAgentsDoor(
  test: TestDatabase,
  limits: GatewayOptions['limits'] = {},
  fallback?: GatewayOptions['fallback'],
): AgentsDoor {
  const { database } = test;
  const clock = systemClock;
  const log = silentLog;
  const liveness = new Liveness({
    returnMs: 0,
    clock,
    log,
    timeoutMs: 30_000,
    tickMs: 20,
    save: (touches) => saveTouches(database.drizzle, touches),
  });
  liveness.start([]);
  const committed: Committed[] = [];
  const connected: string[] = [];
  const disconnected: AgentsDoor['disconnected'] = [];
  const register = aRegister(database, { sharedToken: 'good' });
  const duplicates = new Duplicates({ clock, log });
  const gateway = createGateway({
    admit: (shown) => register.admit(shown),
    collectorId: 'collector-1',
    clock,
    log,
    liveness,
    writer: createWriter({ database, log, onCommitted: (what) => committed.push(what) }),
    duplicates,
    greeting: createGreeting({ database, register, clock, log, timeoutMs: 30_000 }),
    onSample: () => {},
    ...(fallback === undefined ? {} : { fallback }),
    onConnected: (id) => connected.push(id),
    onDisconnected: (id, reason) => disconnected.push([id, reason]),
    limits: { helloWithinMs: 700, silentAfterMs: 1500, answerWithinMs: 500, ...limits },
    tickMs: 20,
  });
  const server = createServer();
  server.on('upgrade', (request, socket, head) => gateway.handleUpgrade(request, socket, head));
  return { gateway, server, liveness, duplicates, committed, connected, disconnected };
}
