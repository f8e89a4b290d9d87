/* Packs the built programs with the few modules they load at run time into build/runnerwatch-VERSION.tgz: `npm run package`. */
import { spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const { version, engines, license } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as {
  version: string;
  engines: object;
  license: string;
};

/** What the bundles leave outside (scripts/build.ts): native code, WebAssembly, the seldom needed. */
const modules = ['koffi', '@koromix', 'systeminformation', '@electric-sql/pglite'];
const needless =
  /\.map$|\.d\.[cm]?ts$|\/koffi\/(vendor|doc)(\/|$)|\/koffi\/.*\.(cc|hh|cpp|hpp|h|inc|S|asm|txt)$|\/pglite\/dist\/(?!initdb|pglite)[^/]+\.tar\.gz$/;

const folder = join(root, 'build', `runnerwatch-${version}`);
rmSync(folder, { recursive: true, force: true });
mkdirSync(join(folder, 'scripts'), { recursive: true });
cpSync(join(root, 'dist'), join(folder, 'dist'), { recursive: true });
cpSync(join(root, 'scripts/runnerwatch.mjs'), join(folder, 'scripts/runnerwatch.mjs'));
for (const file of ['README.md', 'LICENSE', 'CHANGELOG.md']) cpSync(join(root, file), join(folder, file));
for (const name of modules) {
  if (!existsSync(join(root, 'node_modules', name)))
    throw new Error(`node_modules/${name} is missing: run "npm ci" first`);
  cpSync(join(root, 'node_modules', name), join(folder, 'node_modules', name), {
    recursive: true,
    dereference: true,
    filter: (path) => !needless.test(path),
  });
}
writeFileSync(
  join(folder, 'package.json'),
  `${JSON.stringify({ name: 'runnerwatch', version, license, engines, type: 'module', bin: { runnerwatch: 'scripts/runnerwatch.mjs' } }, null, 2)}\n`,
);
const archive = `${folder}.tgz`;
const packed = spawnSync('tar', ['-C', join(root, 'build'), '-czf', archive, `runnerwatch-${version}`], {
  stdio: 'inherit',
});
if (packed.status !== 0) process.exit(1);
process.stdout.write(`${archive}\n`);
