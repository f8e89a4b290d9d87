import { homedir, userInfo } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { version } from '@runnerwatch/shared/runtime/version.ts';
import { CliFailure } from './failure.ts';
import { initCommands } from './init/commands.ts';
import { buildProgram } from './program.ts';

/* A reader that has seen enough (`runnerwatch tasks | head`) closes the pipe: that is no failure. */
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(0);
  throw error;
});

const out = (text: string) => process.stdout.write(text);
const program = buildProgram({
  io: {
    out,
    err: (text) => process.stderr.write(text),
    isTerminal: process.stdout.isTTY === true,
    columns: process.stdout.isTTY === true && process.stdout.columns > 0 ? process.stdout.columns : null,
  },
  env: process.env,
  home: homedir(),
  uid: process.getuid?.() ?? -1,
  fetch,
  now: Date.now,
  version,
});
program.command.addCommand(
  initCommands({
    node: process.execPath,
    programs: programsFolder(),
    user: userInfo().username,
    path: process.env['PATH'] ?? '/usr/local/bin:/usr/bin:/bin',
    cwd: process.cwd(),
    print: out,
    fail: (sentence) => {
      throw new CliFailure('failed', sentence);
    },
  }),
);
process.exitCode = await program.run(process.argv.slice(2));

/** The folder of the bundles: this file's own when it is one of them. */
function programsFolder(): string {
  const here = dirname(fileURLToPath(import.meta.url));
  return basename(here) === 'cli' ? join(here, '..', '..', 'dist') : here;
}
