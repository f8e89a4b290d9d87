/* Bundles the programs into dist/, so that each starts fast and costs little memory: `npm run build`. */
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type BuildOptions, build } from 'esbuild';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const dist = join(root, 'dist');
const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };

const common: BuildOptions = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  target: 'node20',
  minify: true,
  keepNames: true,
  legalComments: 'none',
  logLevel: 'warning',
  define: { RUNNERWATCH_VERSION: JSON.stringify(version) },
};

/** On every node: one CommonJS file each, which loads with the least memory; native code and the rarely needed stay outside. */
const onNodes: BuildOptions = {
  ...common,
  format: 'cjs',
  external: ['koffi', 'systeminformation', 'bufferutil', 'utf-8-validate'],
};

/** On the collector's machine: modules, because PGlite is one. */
const onCollector: BuildOptions = {
  ...common,
  format: 'esm',
  external: ['@electric-sql/*', 'bufferutil', 'utf-8-validate', 'pg-native', '@fastify/swagger-ui'],
  banner: {
    js: "import { createRequire as __createRequire } from 'node:module'; const require = __createRequire(import.meta.url);",
  },
};

rmSync(dist, { recursive: true, force: true });
mkdirSync(dist);
await Promise.all([
  build({
    ...onNodes,
    entryPoints: { agent: 'agent/src/main.ts', run: 'agent/src/run/main.ts' },
    outdir: dist,
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
    },
    outdir: dist,
    outExtension: { '.js': '.mjs' },
  }),
]);
cpSync(join(root, 'collector/src/migrations'), join(dist, 'migrations'), { recursive: true });
cpSync(join(root, 'collector/web/live'), join(dist, 'web/live'), { recursive: true });
writeFileSync(join(dist, 'package.json'), `${JSON.stringify({ name: 'runnerwatch', version })}\n`);
