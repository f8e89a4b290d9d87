/*
 * A disk fills up: from the last byte written to the webhook's arrival, by the agent and collector, and by Prometheus with
 * node_exporter and Alertmanager, tuned to scrape and evaluate every second and to wait for no group. Both see the same event on
 * one file system, a small one on a loop device for each round; the sinks stamp arrivals by the clock that the filling is stamped by.
 */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdirSync, rmSync, statfsSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Alertmanager, haveAlertmanager } from '../../test/support/alertmanager.ts';
import { eventually } from '../../test/support/eventually.ts';
import { HttpSink } from '../../test/support/http-sink.ts';
import { Installation, type Program } from '../../test/support/product.ts';
import { freePort } from '../../test/support/real-node/free-port.ts';
import { haveRoot, haveTool } from '../../test/support/tool.ts';
import { printLatencies, target } from './figures.ts';
import { pause, percentile } from './process-cost.ts';

const rounds = Math.max(3, Math.round(Number(process.env['RUNNERWATCH_BENCH_ROUNDS'] ?? 200) / 10));
const sizeBytes = 16 * 2 ** 20;
const thresholdPercent = 90;

export async function benchDiskEvent(): Promise<void> {
  const canMeasure = [
    haveRoot(),
    haveTool('mkfs.ext4', 'Debian: apt-get install e2fsprogs', ['/usr/sbin', '/sbin']),
    haveTool('prometheus', 'Debian: apt-get install prometheus'),
    haveTool('prometheus-node-exporter', 'Debian: apt-get install prometheus-node-exporter'),
    haveAlertmanager(),
  ];
  if (canMeasure.includes(false)) return;
  await using ours = await HttpSink.open();
  await using theirs = await HttpSink.open();
  await using installation = new Installation();
  await installation.collector({
    log: { level: 'error' },
    notifications: {
      notifiers: { bench: { type: 'webhook', url: ours.url } },
      subscriptions: [{ receiver: 'bench', matchers: { condition: 'DiskPressure' } }],
    },
  });
  await using alertmanager = await Alertmanager.open(theirs.url, { groupWait: '0s' });
  await using prometheus = await startPrometheus(installation.dataDir, alertmanager.url);
  await prometheus.ready();
  const values: { ours: number; theirs: number }[] = [];
  for (let index = 0; index < rounds; index += 1) {
    using disk = new SmallDisk(join(installation.dataDir, `disk-${index}`));
    const agent = await newNode(installation, index);
    // The disk is known by then, and the moment falls anywhere between two readings.
    await pause(3000 + Math.random() * 1000);
    const filledAt = disk.fill();
    const [our, their] = await Promise.all([arrival(ours, disk.folder), arrival(theirs, disk.folder)]);
    values.push({ ours: our - filledAt, theirs: their - filledAt });
    await agent.end();
  }
  const [our, their] = [values.map((one) => one.ours), values.map((one) => one.theirs)];
  printLatencies('a full disk → webhook', [
    ['runnerwatch', our],
    ['Prometheus and Alertmanager', their],
  ]);
  const ratio = percentile(our, 0.5) / percentile(their, 0.5);
  const most = Math.max(...our) / Math.max(...their);
  process.stdout.write(
    `  ratio: median ${ratio.toFixed(2)} ${target(ratio <= 1, '≤ 1')} · longest ${most.toFixed(2)}\n`,
  );
}

/** A new one each time: a disk that fills up again and again on one node would be told as coming and going. */
async function newNode(installation: Installation, index: number): Promise<Program> {
  const name = `bench-${index}`;
  const agent = installation.agent({
    log: { level: 'error' },
    node: { name },
    data_dir: join(installation.dataDir, name),
    conditions: { disk_pressure_threshold: thresholdPercent },
  });
  await eventually(
    async () => {
      const { items } = await installation.get<{ items: { name: string; status: string }[] }>('/nodes');
      return items.some((node) => node.name === name && node.status === 'online');
    },
    { timeoutMs: 60_000, everyMs: 100 },
  );
  return agent;
}

async function arrival(sink: HttpSink, folder: string): Promise<number> {
  // Ours goes on with a blank, theirs with a quotation mark.
  const isAbout = ({ body }: { body: string }) => body.includes(`${folder} `) || body.includes(`${folder}"`);
  return (await eventually(() => sink.requests.find(isAbout), { timeoutMs: 30_000, everyMs: 5 })).at;
}

/** A file system of its own on a loop device; disposing unmounts and removes it. */
class SmallDisk implements Disposable {
  readonly folder: string;

  constructor(folder: string) {
    this.folder = folder;
    mkdirSync(folder);
    writeFileSync(`${folder}.img`, '');
    truncateSync(`${folder}.img`, sizeBytes);
    execFileSync('mkfs.ext4', ['-q', '-m', '0', `${folder}.img`]);
    execFileSync('mount', ['-o', 'loop', `${folder}.img`, folder]);
  }

  /** Fills all but a little, and returns when that was (epoch milliseconds). */
  fill(): number {
    const { bavail, bsize } = statfsSync(this.folder);
    execFileSync('fallocate', ['-l', String(Math.floor(bavail * bsize * 0.97)), join(this.folder, 'data')]);
    return Date.now();
  }

  [Symbol.dispose](): void {
    execFileSync('umount', [this.folder]);
    rmSync(`${this.folder}.img`);
  }
}

async function startPrometheus(dataDir: string, alertmanagerUrl: string) {
  const [exporterPort, port] = [await freePort(), await freePort()];
  const folder = join(dataDir, 'prometheus');
  mkdirSync(folder);
  const used = '100 * (1 - node_filesystem_avail_bytes / node_filesystem_size_bytes)';
  const rule = { alert: 'DiskFull', expr: `${used} > ${thresholdPercent}`, for: '0s' };
  const config = {
    global: { scrape_interval: '1s', evaluation_interval: '1s' },
    alerting: { alertmanagers: [{ static_configs: [{ targets: [new URL(alertmanagerUrl).host] }] }] },
    rule_files: [join(folder, 'rules.yml')],
    scrape_configs: [{ job_name: 'node', static_configs: [{ targets: [`127.0.0.1:${exporterPort}`] }] }],
  };
  // JSON is YAML.
  writeFileSync(join(folder, 'rules.yml'), JSON.stringify({ groups: [{ name: 'bench', rules: [rule] }] }));
  writeFileSync(join(folder, 'prometheus.yml'), JSON.stringify(config));
  const children = [
    spawn('prometheus-node-exporter', [`--web.listen-address=127.0.0.1:${exporterPort}`], { stdio: 'ignore' }),
    spawn(
      'prometheus',
      [
        `--config.file=${join(folder, 'prometheus.yml')}`,
        `--storage.tsdb.path=${join(folder, 'data')}`,
        `--web.listen-address=127.0.0.1:${port}`,
      ],
      { stdio: 'ignore' },
    ),
  ];
  return {
    /** It has read the exporter. */
    ready: () =>
      eventually(
        async () => {
          const answer = await fetch(`http://127.0.0.1:${port}/api/v1/query?query=up`);
          return (await answer.text()).includes('"1"]');
        },
        { timeoutMs: 60_000, everyMs: 100 },
      ),
    [Symbol.asyncDispose]: async () => {
      await Promise.all(children.map(ended));
    },
  };
}

function ended(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
