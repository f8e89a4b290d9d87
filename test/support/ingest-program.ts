/*
 * The agents' door in a process of its own, to be killed: arguments are a data folder, a database URL or '', a step to die at
 * or '', and at which passing of that step. Prints its port.
 */

import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { migrate } from '../../collector/src/db/migrate.ts';
import { openDatabase } from '../../collector/src/db/open.ts';
import { Duplicates } from '../../collector/src/ingest/duplicates.ts';
import { createGateway } from '../../collector/src/ingest/gateway.ts';
import { createGreeting } from '../../collector/src/ingest/greeting.ts';
import { createWriter } from '../../collector/src/ingest/writer.ts';
import { Liveness } from '../../collector/src/nodes/liveness.ts';
import { onlineNodeIds, saveTouches } from '../../collector/src/nodes/store.ts';
import { silentLog as log } from './database.ts';
import { aRegister } from './enrolment.ts';

const [, , dataDir = '', url = '', dieAt = '', passings = '1'] = process.argv;
const clock = systemClock;
const timeoutMs = 30_000;
const database = await openDatabase({ url: url === '' ? undefined : url, dataDir, log });
await migrate(database, { log });
const liveness = new Liveness({
  clock,
  log,
  timeoutMs,
  returnMs: 0,
  save: (touches) => saveTouches(database.drizzle, touches),
});
liveness.start(await onlineNodeIds(database.drizzle));
let left = Number(passings);
const gateway = createGateway({
  admit: () => ({ admitted: true, credential: { kind: 'shared' } }),
  collectorId: 'collector-1',
  clock,
  log,
  liveness,
  writer: createWriter({
    database,
    log,
    onCommitted: () => {},
    crashPoint: (step) => {
      if (step === dieAt && --left === 0) process.kill(process.pid, 'SIGKILL');
    },
  }),
  duplicates: new Duplicates({ clock, log }),
  greeting: createGreeting({ database, register: aRegister(database), clock, log, timeoutMs }),
  onSample: () => {},
  onConnected: () => {},
  onDisconnected: () => {},
});
const server = createServer();
server.on('upgrade', (request, socket, head) => gateway.handleUpgrade(request, socket, head));
server.listen(0, '127.0.0.1', () => process.stdout.write(`${(server.address() as AddressInfo).port}\n`));
