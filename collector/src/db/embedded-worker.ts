/*
 * The thread in which the embedded PostgreSQL runs, and its socket.
 *   in   workerData: WorkerStart; the message 'close'
 *   out  'listening' once; 'reserveGone' when the disk is full; nothing else until the thread ends: code 0 after 'close', 1 when the engine failed
 */

import { exit } from 'node:process';
import { parentPort, workerData } from 'node:worker_threads';
import { PGlite } from '@electric-sql/pglite';
import { giveUpReserve } from './disk-reserve.ts';
import { serveEngine } from './embedded-socket.ts';
import { EngineFiles } from './engine-files.ts';

export interface WorkerStart {
  readonly dataDir: string;
  readonly socketPath: string;
  /** Where its reserve of space lies. */
  readonly home: string;
  /** Open at a time. */
  readonly filesMax: number;
}

const { dataDir, socketPath, home, filesMax } = workerData as WorkerStart;

const engine = await PGlite.create({
  fs: new EngineFiles(dataDir, makeSpace),
  startParams: [...PGlite.defaultStartParams, '-c', 'shared_buffers=16MB', '-c', `max_files_per_process=${filesMax}`],
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
    .catch((error: unknown) => fail(error instanceof Error ? error.message : String(error)));
  return Buffer.concat(answer);
}

/** An engine that is started again takes up its log; one that cannot write it would be stuck for ever. */
function makeSpace(): void {
  if (!giveUpReserve(home)) fail('the disk is full');
  parentPort?.postMessage({ kind: 'reserveGone' });
}

function fail(reason: string): never {
  parentPort?.postMessage({ kind: 'failed', reason });
  exit(1);
}
