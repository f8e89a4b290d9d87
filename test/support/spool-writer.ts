/*
 * A process that writes ends into a spool and says on stdout which ones it was promised, to be killed by a test.
 * Arguments: folder, prefix of the ids, how many, how many at once.
 */
import { writeSync } from 'node:fs';
import { openSpool } from '@runnerwatch/agent/spool/spool.ts';
import { noon, taskEnded } from './events.ts';

const [folder = '', prefix = '', count = '0', width = '1'] = process.argv.slice(2);

/** Written before anything else happens, so that a kill cannot come between a promise and its word. A full pipe is waited for. */
function say(line: string): void {
  for (;;) {
    try {
      writeSync(1, `${line}\n`);
      return;
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EAGAIN')) throw error;
    }
  }
}

let lagMs = 0;
let lastAt = performance.now();
setInterval(() => {
  lagMs = Math.max(lagMs, performance.now() - lastAt - 10);
  lastAt = performance.now();
}, 10).unref();

try {
  const spool = await openSpool({
    folder,
    report: (problem) => say(`problem ${JSON.stringify(problem)}`),
    now: Date.now,
    segmentBytes: 20_000,
    reserveBytes: 4096,
    tickMs: 100,
  });
  say(`open ${process.pid}`);
  let next = 1;
  const lane = async () => {
    while (next <= Number(count)) {
      const id = `${prefix}${next++}`;
      say(`begin ${id}`);
      await spool.append(taskEnded(id, ['a line of its log', 'and another one']), noon).then(
        (seq) => say(`kept ${id} ${seq}`),
        () => say(`refused ${id}`),
      );
    }
  };
  await Promise.all(Array.from({ length: Number(width) }, lane));
  say(`lag ${Math.round(lagMs)}`);
  await spool.close();
  say('closed');
} catch (error) {
  say(`failed ${error instanceof Error ? `${error.name} ${error.message}` : String(error)}`);
  process.exitCode = 3;
}
