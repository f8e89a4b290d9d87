/* Bundles the programs into dist/, so that each starts fast and costs little memory: `npm run build`. */
import { spawnSync } from 'node:child_process';
import {
  cpSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { type BuildOptions, build } from 'esbuild';
import { build as buildWeb } from 'vite';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

const common: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  minifySyntax: true,
  minifyWhitespace: true,
  legalComments: 'none',
  logLevel: 'warning',
  define: { RUNNERWATCH_VERSION: JSON.stringify(version) },
};

/**
 * On every node: one CommonJS file each, which loads with the least memory; native code and the rarely needed stay outside.
 * Names stay as they are: what would keep them beside short ones is run for each closure, and costs more than their letters.
 */
const onNodes: BuildOptions = {
  ...common,
  format: 'cjs',
  external: ['koffi', 'systeminformation', 'bufferutil', 'utf-8-validate'],
};

/** On the collector's machine: modules, because PGlite is one. */
const onCollector: BuildOptions = {
  ...common,
  minifyIdentifiers: true,
  keepNames: true,
  format: 'esm',
  external: ['@electric-sql/*', 'koffi', 'bufferutil', 'utf-8-validate', 'pg-native', '@fastify/swagger-ui'],
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
};

/** Made aside and then put in place, so that a program started meanwhile finds the build before this one. */
const building = join(root, 'node_modules/.cache/runnerwatch', `dist-${process.pid}`);
rmSync(building, { recursive: true, force: true });
mkdirSync(building, { recursive: true });
await Promise.all([
  build({
    ...onNodes,
    entryPoints: { agent: 'agent/src/main.ts', run: 'agent/src/run/main.ts' },
    outdir: building,
    outExtension: { '.js': '.cjs' },
  }),
  build({
    ...onCollector,
    entryPoints: {
      collector: 'collector/src/main.ts',
      'embedded-worker': 'collector/src/db/embedded-worker.ts',
      'embedded-init': 'collector/src/db/embedded-init.ts',
      cli: 'collector/cli/main.ts',
      up: 'scripts/up.ts',
      doctor: 'scripts/doctor.ts',
    },
    outdir: building,
    outExtension: { '.js': '.mjs' },
  }),
  buildWeb({
    root: join(root, 'collector/web'),
    logLevel: 'warn',
    build: { outDir: join(building, 'web'), emptyOutDir: true },
  }),
]);
compressBeside(join(building, 'web/assets'));
for (const name of ['agent.cjs', 'run.cjs']) escapeLetters(join(building, name));
cpSync(join(root, 'collector/src/migrations'), join(building, 'migrations'), { recursive: true });
const template = embeddedTemplate();
if (template !== null) cpSync(template, join(building, 'embedded-template.tar.gz'));
writeFileSync(join(building, 'package.json'), `${JSON.stringify({ name: 'runnerwatch', version })}\n`);
const replaced = `${building}-replaced`;
if (existsSync(dist)) renameSync(dist, replaced);
renameSync(building, dist);
rmSync(replaced, { recursive: true, force: true });

/** One letter beyond Latin-1 (esbuild leaves those of regular expressions), and V8 keeps the whole source with two bytes a letter. */
function escapeLetters(file: string): void {
  const escaped = (letter: string) => `\\u${letter.charCodeAt(0).toString(16).padStart(4, '0')}`;
  writeFileSync(file, readFileSync(file, 'utf8').replaceAll(/[^\0-\x7f]/g, escaped));
}

/** `app.js.gz` beside `app.js`, so that the collector compresses nothing while it serves. */
function compressBeside(folder: string): void {
  for (const name of readdirSync(folder))
    writeFileSync(join(folder, `${name}.gz`), gzipSync(readFileSync(join(folder, name)), { level: 9 }));
}

/**
 * The files of an empty embedded database, so that the first start does not spend seconds on making them. Made once for each
 * version of the engine and kept among the installed modules; null where that cannot be done: the first start then does it.
 */
function embeddedTemplate(): string | null {
  const engine = readFileSync(join(root, 'node_modules/@electric-sql/pglite/package.json'), 'utf8');
  const cache = join(root, 'node_modules/.cache/runnerwatch');
  const kept = join(cache, `embedded-template-${(JSON.parse(engine) as { version: string }).version}.tar.gz`);
  if (existsSync(kept)) return kept;
  mkdirSync(cache, { recursive: true });
  const work = mkdtempSync(join(cache, 'template-'));
  const files = join(work, 'pg');
  const archive = join(work, 'pg.tar.gz');
  mkdirSync(files);
  const steps = [
    [process.execPath, join(building, 'embedded-init.mjs'), files],
    ['tar', '-C', files, '-czf', archive, '.'],
  ] as const;
  const failed = steps.find(([command, ...args]) => spawnSync(command, args, { stdio: 'ignore' }).status !== 0);
  if (failed === undefined) renameSync(archive, kept);
  else
    process.stderr.write(`no template of the embedded database: ${failed[0]} failed; the first start will be slower\n`);
  rmSync(work, { recursive: true, force: true });
  return failed === undefined ? kept : null;
}
