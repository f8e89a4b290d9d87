import { type ChildProcess, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { stringify } from 'yaml';
import { eventually } from './eventually.ts';
import { freePort } from './real-node/free-port.ts';

const repository = resolve(import.meta.dirname, '../..');
const dist = join(repository, 'dist');

/** A program of ours as a user runs it: the built bundle in a process of its own. */
export class Program {
  readonly #start: () => ChildProcess;
  #child: ChildProcess;
  #output = '';

  constructor(start: () => ChildProcess) {
    this.#start = start;
    this.#child = this.#spawn();
  }

  get pid(): number {
    return this.#child.pid ?? -1;
  }

  /** Everything it wrote, over all its lives. */
  get output(): string {
    return this.#output;
  }

  get isRunning(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null;
  }

  /** Sends the signal, and resolves with the exit code (null after a signal). */
  async end(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    if (this.isRunning) this.#child.kill(signal);
    return this.exit();
  }

  exit(): Promise<number | null> {
    const child = this.#child;
    if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve(child.exitCode);
    return new Promise((resolveExit) => child.once('exit', (code) => resolveExit(code)));
  }

  startAgain(): void {
    if (this.isRunning) throw new Error('it still runs');
    this.#child = this.#spawn();
  }

  signal(signal: NodeJS.Signals): void {
    this.#child.kill(signal);
  }

  #spawn(): ChildProcess {
    const child = this.#start();
    child.stdout?.on('data', (chunk: Buffer) => {
      this.#output += chunk.toString();
    });
    child.stderr?.on('data', (chunk: Buffer) => {
      this.#output += chunk.toString();
    });
    return child;
  }
}

/** A folder for one test, and the programs that live in it; disposing ends them all and removes it. */
export class Installation implements AsyncDisposable {
  readonly dataDir = mkdtempSync(join(tmpdir(), 'runnerwatch-'));
  readonly programs: Program[] = [];
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  /** A collector on the embedded database, ready to answer. `under`: a command that becomes what it is given. */
  async collector(
    config: object = {},
    environment: Record<string, string> = {},
    { under = [] }: { under?: readonly string[] } = {},
  ): Promise<Program> {
    this.#port ||= await freePort();
    const file = this.#config('collector.yaml', {
      listen: `127.0.0.1:${this.#port}`,
      data_dir: this.dataDir,
      ...config,
    });
    const program = this.#run([join(dist, 'collector.mjs'), '--config', file], environment, under);
    await this.ready(program);
    return program;
  }

  /** Waits until the collector answers; also after it was started again. */
  async ready(program: Program): Promise<void> {
    await eventually(
      async () => {
        if (!program.isRunning) throw new Error(`the collector ended: ${program.output}`);
        return (await fetch(`${this.url}/readyz`)).ok;
      },
      { timeoutMs: 60_000, everyMs: 25 },
    );
  }

  /** `under` as for a collector. */
  agent(
    config: object = {},
    environment: Record<string, string> = {},
    { under = [] }: { under?: readonly string[] } = {},
  ): Program {
    const file = this.#config('agent.yaml', {
      collector_urls: [this.url],
      token_file: join(this.dataDir, 'collector', 'agent.token'),
      data_dir: this.dataDir,
      ...config,
    });
    return this.#run(
      [
        '--lite-mode',
        '--single-threaded',
        '--no-expose-wasm',
        '--max-semi-space-size=1',
        join(dist, 'agent.cjs'),
        '--config',
        file,
      ],
      environment,
      under,
    );
  }

  /** `runnerwatch …` as a person types it, here. `under` as for a collector. */
  async cli(
    args: readonly string[],
    environment: Record<string, string> = {},
    { under = [] }: { under?: readonly string[] } = {},
  ): Promise<{ code: number | null; stdout: string; stderr: string }> {
    const script = join(repository, 'scripts/runnerwatch.mjs');
    const [command = process.execPath, ...rest] = [...under, process.execPath, script, ...args];
    const child = spawn(command, rest, {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, RUNNERWATCH_URL: this.url, RUNNERWATCH_DATA_DIR: this.dataDir, ...environment },
    });
    let stdout = '';
    let stderr = '';
    child.stdout.on('data', (chunk: Buffer) => {
      stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    const code = await new Promise<number | null>((resolveExit) => child.once('close', resolveExit));
    return { code, stdout, stderr };
  }

  /** A document of the API. @throws with the answer's body when it is not 200. */
  async get<T>(path: string): Promise<T> {
    const answer = await fetch(`${this.url}/api/v1${path}`);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const program of this.programs.toReversed()) await program.end('SIGKILL');
    rmSync(this.dataDir, { recursive: true, force: true });
  }

  #config(name: string, content: object): string {
    mkdirSync(this.dataDir, { recursive: true });
    const file = join(this.dataDir, name);
    writeFileSync(file, stringify(content));
    return file;
  }

  #run(args: readonly string[], environment: Record<string, string>, under: readonly string[] = []): Program {
    if (!existsSync(join(dist, 'agent.cjs'))) throw new Error('dist/ is missing: run "npm run build" first');
    const [command = process.execPath, ...rest] = [...under, process.execPath, ...args];
    const program = new Program(() =>
      spawn(command, rest, { stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...environment } }),
    );
    this.programs.push(program);
    return program;
  }
}
