/* The embedded database's thread, which fails once, a moment after it has started. */
import { existsSync, writeFileSync } from 'node:fs';
import { exit } from 'node:process';
import { workerData } from 'node:worker_threads';
import '../../collector/src/db/embedded-worker.ts';

const mark = `${(workerData as { dataDir: string }).dataDir}.failed-once`;
if (!existsSync(mark)) {
  writeFileSync(mark, '');
  setTimeout(() => exit(1), 300);
}
