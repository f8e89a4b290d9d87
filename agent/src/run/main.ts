import { writeSync } from 'node:fs';
import { run } from './run.ts';

// The standard streams are shared with the command, so process.stdout and its like, which change their modes, stay untouched.
const say = (fd: number, text: string) => {
  try {
    writeSync(fd, text);
  } catch {
    // Closed, full or gone: there is nobody left to tell.
  }
};

run(process.argv.slice(2), {
  pid: process.pid,
  uid: process.getuid?.() ?? -1,
  env: process.env,
  warn: (text) => say(2, text),
  print: (text) => say(1, text),
  onSignal: (signal, handler) => process.on(signal, handler),
  kill: (pid, signal) => process.kill(pid, signal),
}).then(
  (code) => process.exit(code),
  (error: unknown) => {
    say(2, `runnerwatch run: ${error instanceof Error ? error.message : String(error)}\n`);
    process.exit(125);
  },
);
