/*
 * The thread in which the embedded PostgreSQL runs, and its socket.
 *   in   workerData: WorkerStart; the message 'close'
 *   out  'listening' once; then nothing until the thread ends: code 0 after 'close', 1 when the engine failed
 */

import { exit } from 'node:process';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { serveEngine } from './embedded-socket.ts';

export interface WorkerStart {
  readonly dataDir: string;
  readonly socketPath: string;
}

const { dataDir, socketPath } = workerData as WorkerStart;

const engine = await PGlite.create(dataDir, {
  startParams: [...PGlite.defaultStartParams, '-c', 'shared_buffers=16MB'],
});

const server = await serveEngine(run, socketPath);

parentPort?.on('message', (message) => {
  if (message !== 'close') return;
  server.close();
  void engine.close().then(() => exit(0));
});
parentPort?.postMessage({ kind: 'listening' });

/**
 * All of it happens inside the call: only writing to a file system in memory would be waited for. An error of the SQL kind is an
 * answer; one that is thrown means the engine itself is gone (a panic: disk full, a bug), and a client would wait for ever.
 */
function run(request: Uint8Array): Buffer {
  const answer: Uint8Array[] = [];
  engine
    .execProtocolRawStream(request, { syncToFs: false, onRawData: (bytes) => answer.push(bytes.slice()) })
    .catch((error: unknown) => {
      parentPort?.postMessage({ kind: 'failed', reason: error instanceof Error ? error.message : String(error) });
      exit(1);
    });
  return Buffer.concat(answer);
}
