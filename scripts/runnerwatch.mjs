#!/usr/bin/env node
// The one program: hands over to the agent, the collector, `run`, `up`, `doctor` or the command line, each a bundle of its own in dist/.
import { spawnSync } from 'node:child_process';
import { existsSync, realpathSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { setFlagsFromString } from 'node:v8';

const root = join(dirname(realpathSync(fileURLToPath(import.meta.url))), '..');
const programs = {
  agent: 'agent.cjs',
  run: 'run.cjs',
  collector: 'collector.mjs',
  up: 'up.mjs',
  doctor: 'doctor.mjs',
};
// `help run` asks that program itself.
if (process.argv[2] === 'help' && Object.hasOwn(programs, process.argv[3] ?? ''))
  process.argv.splice(2, Infinity, process.argv[3], '--help');
const name = process.argv[2];
const program = Object.hasOwn(programs, name ?? '') ? name : undefined;
const file = join(root, 'dist', program === undefined ? 'cli.mjs' : programs[program]);

if (!existsSync(file)) build();
if (program === 'agent') setFlagsFromString('--lite-mode');
if (program !== undefined) process.argv.splice(2, 1);
await import(pathToFileURL(file).href);

/** A checkout whose install ran no scripts has no bundles yet. */
function build() {
  const tsx = join(root, 'node_modules/tsx/dist/cli.mjs');
  if (!existsSync(tsx)) {
    process.stderr.write(`runnerwatch: ${file} is missing; install it again, or in a checkout run "npm ci"\n`);
    process.exit(70);
  }
  process.stderr.write('runnerwatch: building once …\n');
  const built = spawnSync(process.execPath, [tsx, join(root, 'scripts/build.ts')], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
  });
  if (built.status !== 0) process.exit(70);
}
