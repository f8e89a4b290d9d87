/*
 * The thread in which the embedded PostgreSQL runs, and its socket.
 *   in   workerData: WorkerStart; the message 'close'
 *   out  'listening' once; then nothing until the thread ends: code 0 after 'close', 1 when the engine failed
 */

import { exit } from 'node:process';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { PGLiteSocketServer } from '@electric-sql/pglite-socket';

export interface WorkerStart {
  readonly dataDir: string;
  readonly socketPath: string;
}

const { dataDir, socketPath } = workerData as WorkerStart;

const engine = await PGlite.create(dataDir, {
  startParams: [...PGlite.defaultStartParams, '-c', 'shared_buffers=16MB'],
});

/* An error of the SQL kind is an answer; one that is thrown means the engine itself is gone (a panic: disk full, a bug), and the socket server would wait for ever. */
const runRaw = engine.execProtocolRawStream.bind(engine);
engine.execProtocolRawStream = async (message, options) => {
  try {
    await runRaw(message, options);
  } catch (error) {
    parentPort?.postMessage({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) });
    exit(1);
  }
};

const server = new PGLiteSocketServer({ db: engine, path: socketPath, maxConnections: 8 });
await server.start();

parentPort?.on('message', (message) => {
  if (message !== 'close') return;
  void server
    .stop()
    .then(() => engine.close())
    .then(() => exit(0));
});
parentPort?.postMessage({ kind: 'listening' });
