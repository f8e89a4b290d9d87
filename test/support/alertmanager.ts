import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from './eventually.ts';
import { findTool, haveTool } from './tool.ts';

const command = 'prometheus-alertmanager';

export function haveAlertmanager(): boolean {
  return haveTool(command, 'Debian: apt-get install prometheus-alertmanager');
}

/** One alert as Alertmanager lists it. */
export interface ListedAlert {
  readonly fingerprint: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly startsAt: string;
  readonly endsAt: string;
  readonly generatorURL?: string;
  readonly status: { readonly state: string };
}

/** A real Alertmanager on a port of its own that tells one webhook of every alert, a tenth of a second after it hears of it unless told otherwise. */
export class Alertmanager implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #folder: string;
  readonly url: string;

  private constructor(child: ChildProcess, { folder, url }: { folder: string; url: string }) {
    this.#child = child;
    this.#folder = folder;
    this.url = url;
  }

  static async open(webhookUrl: string, { groupWait = '100ms' } = {}): Promise<Alertmanager> {
    const folder = await mkdtemp(join(tmpdir(), 'runnerwatch-alertmanager-'));
    const config = join(folder, 'alertmanager.yml');
    await writeFile(
      config,
      `route: {receiver: sink, group_by: ['...'], group_wait: ${groupWait}, group_interval: 100ms}
receivers: [{name: sink, webhook_configs: [{url: '${webhookUrl}', send_resolved: true}]}]
`,
    );
    const child = spawn(
      join(findTool(command) ?? '', command),
      [
        `--config.file=${config}`,
        `--storage.path=${folder}`,
        '--web.listen-address=127.0.0.1:0',
        '--cluster.listen-address=',
      ],
      { stdio: ['ignore', 'ignore', 'pipe'] },
    );
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (chunk: string) => (said += chunk));
    const port = await eventually(() => {
      if (child.exitCode !== null) throw new Error(said);
      return /Listening on.*address=127\.0\.0\.1:(\d+)/.exec(said)?.[1];
    });
    return new Alertmanager(child, { folder, url: `http://127.0.0.1:${port}` });
  }

  /** Those that are not over. */
  async active(): Promise<ListedAlert[]> {
    const answer = await fetch(`${this.url}/api/v2/alerts`);
    return (await answer.json()) as ListedAlert[];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const ended = new Promise((resolve) => this.#child.once('exit', resolve));
    this.#child.kill('SIGKILL');
    await ended;
    await rm(this.#folder, { recursive: true, force: true });
  }
}
