/*
 * What the agent costs a node with much on it: 5,000 units that systemd has loaded, 200 scopes with the names that Docker
 * gives its containers' (their processes sleep; there is no engine behind them), and 50 tasks that run and are recorded.
 * The node is systemd in namespaces of this kernel (docs/real-node.md), a pid namespace among them, so that process events do not
 * come and cost nothing here. The bare Node.js beside the agent runs in it too, and node_exporter that tells of units as well,
 * scraped once a second after the agent was measured.
 */
import { join } from 'node:path';
import { Installation } from '../../test/support/product.ts';
import { freePort } from '../../test/support/real-node/free-port.ts';
import { installAgent } from '../../test/support/real-node/installed-node.ts';
import { bootNamespaceMachine, type NamespaceMachine } from '../../test/support/real-node/namespace-machine.ts';
import { mustSucceed } from '../../test/support/real-node/run-command.ts';
import { haveTool } from '../../test/support/tool.ts';
import { cpuMsOf, forksSinceBoot, type MemoryMiB, memoryMiBOf, pause } from './process-cost.ts';

const seconds = Number(process.env['RUNNERWATCH_BENCH_SECONDS'] ?? 60);
const SETTLE_MS = 20_000;
const LOADED_UNITS = 5000;
const CONTAINERS = 200;
const TASKS = 50;
const EXPORTER_SCRAPES = 20;

/** Ordering after a unit loads it, and starts nothing. */
const prepareUnits = `cd /run/systemd/system && for i in $(seq ${LOADED_UNITS}); do
  printf '[Service]\\nType=oneshot\\nExecStart=/bin/true\\n' >bench-idle-$i.service; echo "After=bench-idle-$i.service"
done >/tmp/after && { echo '[Unit]'; cat /tmp/after; } >bench.target && systemctl daemon-reload && systemctl start bench.target`;

const startScopes = `i=0; while [ $i -lt ${CONTAINERS} ]; do i=$((i+1)); name=$(printf 'docker-%064x' $i)
  systemd-run --quiet --scope --slice=system.slice --unit=$name.scope sleep infinity >/dev/null 2>&1 </dev/null &
done; i=0; while [ $i -lt ${TASKS} ]; do i=$((i+1))
  systemd-run --quiet --scope --unit=bench-task-$i.scope sleep infinity >/dev/null 2>&1 </dev/null &
done; systemd-run --quiet --unit=bench-bare.service node -e 'setInterval(()=>{},1e6)'
until [ "$(systemctl list-units --no-legend 'docker-*.scope' 'bench-task-*.scope' | wc -l)" = ${CONTAINERS + TASKS} ]; do sleep 0.5; done`;

export async function benchBusyNode(): Promise<void> {
  await using installation = new Installation();
  await installation.collector({ log: { level: 'error' } });
  await using machine = await bootNamespaceMachine({ network: 'host' });
  const inside = {
    ssh: machine.exec.bind(machine),
    putFile: machine.putFile.bind(machine),
    putDir: machine.putDir.bind(machine),
  };
  await mustSucceed(machine.exec(prepareUnits, { timeoutMs: 300_000 }), 'load the units');
  await mustSucceed(machine.exec(startScopes, { timeoutMs: 300_000 }), 'start the scopes');
  await installAgent(inside, {
    collectorUrl: installation.url,
    tokenFile: join(installation.dataDir, 'collector', 'agent.token'),
    config: { log: { level: 'error' }, tasks: { systemd: { include: ['bench-task-*'], exclude: [] } } },
  });
  await pause(SETTLE_MS);
  const before = { cpuMs: await cpuOf(machine, 'runnerwatch-agent'), forks: forksSinceBoot() };
  await pause(seconds * 1000);
  const cpuPercent = ((await cpuOf(machine, 'runnerwatch-agent')) - before.cpuMs) / seconds / 10;
  const forksASecond = (forksSinceBoot() - before.forks) / seconds;
  const agent = await memoryOf(machine, 'runnerwatch-agent');
  const exporter = await exporterCost(machine);
  const bare = await memoryOf(machine, 'bench-bare');
  process.stdout.write(
    [
      `busy node: ${LOADED_UNITS} units loaded, ${CONTAINERS} container scopes, ${TASKS} tasks recorded; ${seconds} s, ${forksASecond.toFixed(0)} processes and threads begun a second`,
      `  CPU: ${cpuPercent.toFixed(2)} % of a core (target ≤ 1)`,
      exporter === null
        ? '  node_exporter: not here'
        : `  node_exporter --collector.systemd, scraped once a second: ${exporter.cpuPercent.toFixed(2)} % of a core · ratio ${(cpuPercent / exporter.cpuPercent).toFixed(2)} · RSS ${exporter.rss.toFixed(1)} MiB`,
      `  RSS MiB: agent ${agent.rss.toFixed(1)} · bare node ${bare.rss.toFixed(1)} · ratio ${(agent.rss / bare.rss).toFixed(2)} (target ≤ 1.5)`,
      `  anonymous MiB: agent ${agent.anonymous.toFixed(1)} · bare node ${bare.anonymous.toFixed(1)}`,
      `  tasks the collector counts as running: ${await runningTasks(installation)} of ${TASKS}`,
      '',
    ].join('\n'),
  );
}

/** Null when this machine has none. */
async function exporterCost(machine: NamespaceMachine): Promise<{ cpuPercent: number; rss: number } | null> {
  if (!haveTool('prometheus-node-exporter', 'apt-get install prometheus-node-exporter')) return null;
  await machine.putFile('/usr/bin/prometheus-node-exporter', '/opt/node-exporter');
  const port = await freePort();
  const options = `--collector.systemd --web.listen-address=127.0.0.1:${port}`;
  const start = `chmod +x /opt/node-exporter && systemd-run --quiet --unit=bench-exporter.service /opt/node-exporter ${options}`;
  await mustSucceed(machine.exec(start), 'start node_exporter');
  await pause(5000);
  const beforeMs = await cpuOf(machine, 'bench-exporter');
  const beganMs = performance.now();
  for (let scrape = 0; scrape < EXPORTER_SCRAPES; scrape += 1) {
    const [answer] = await Promise.all([fetch(`http://127.0.0.1:${port}/metrics`), pause(1000)]);
    if (!(await answer.text()).includes('node_systemd_unit_state')) throw new Error('node_exporter tells of no units');
  }
  const cpuMs = (await cpuOf(machine, 'bench-exporter')) - beforeMs;
  const { rss } = await memoryOf(machine, 'bench-exporter');
  return { cpuPercent: (cpuMs / (performance.now() - beganMs)) * 100, rss };
}

async function ofMainProcess(machine: NamespaceMachine, unit: string, file: string): Promise<string> {
  const command = `cat /proc/$(systemctl show --property=MainPID --value ${unit}.service)/${file}`;
  return (await mustSucceed(machine.exec(command), `read ${file} of ${unit}`)).stdout;
}

async function cpuOf(machine: NamespaceMachine, unit: string): Promise<number> {
  return cpuMsOf(await ofMainProcess(machine, unit, 'stat'));
}

async function memoryOf(machine: NamespaceMachine, unit: string): Promise<MemoryMiB> {
  return memoryMiBOf(await ofMainProcess(machine, unit, 'smaps_rollup'));
}

async function runningTasks(installation: Installation): Promise<number> {
  const { items } = await installation.get<{ items: readonly unknown[] }>('/tasks?status=running&limit=500');
  return items.length;
}
