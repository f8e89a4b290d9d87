/* A watcher of process ends on its own: its state on the first line, then every sighting, until standard input ends. */
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { pino } from 'pino';
import { createProcessExitsWatcher } from '../../agent/src/watchers/process-exits.ts';

const say = (value: unknown) => process.stdout.write(`${JSON.stringify(value)}\n`);
const watcher = createProcessExitsWatcher({
  root: '/',
  cgroupRoot: process.argv[2] ?? null,
  report: say,
  clock: systemClock,
  log: pino({ level: 'silent' }),
});
void watcher.start(new AbortController().signal).then(() => say(watcher.state()));
process.stdin.on('end', () => void watcher.stop()).resume();
