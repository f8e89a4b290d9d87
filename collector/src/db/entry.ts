import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';

/** A program of its own: for a thread or for a child process. */
export interface Entry {
  readonly path: string;
  /** How Node comes to understand it: `tsx` for source. */
  readonly loader: 'none' | 'tsx';
}

/** The entry named `name`: beside us as `name.mjs` when we are built, else as `name.ts`. */
export function entryBeside(name: string, baseUrl = import.meta.url): Entry {
  const built = fileURLToPath(new URL(`./${name}.mjs`, baseUrl));
  if (existsSync(built)) return { path: built, loader: 'none' };
  return { path: fileURLToPath(new URL(`./${name}.ts`, baseUrl)), loader: 'tsx' };
}

/** Arguments for Node in a child process, the entry itself last. */
export function childArguments({ path, loader }: Entry): string[] {
  return loader === 'none' ? [path] : ['--import', tsxUrl(), path];
}

/** A thread running the entry. Its output is not ours: read `stdout` and `stderr`. */
export function startThread({ path, loader }: Entry, workerData: unknown): Worker {
  const options = { workerData, execArgv: [], stdout: true, stderr: true };
  if (loader === 'none') return new Worker(path, options);
  // On Node 20 `--import tsx` reaches no worker; asking its loader from inside does.
  const bootstrap = `import(${JSON.stringify(new URL('./esm/api/index.mjs', tsxUrl()).href)}).then(({ register }) => {
    register();
    return import(${JSON.stringify(pathToFileURL(path).href)});
  });`;
  return new Worker(bootstrap, { ...options, eval: true });
}

/** Its loader, `dist/loader.mjs`. */
function tsxUrl(): string {
  return pathToFileURL(createRequire(import.meta.url).resolve('tsx')).href;
}
