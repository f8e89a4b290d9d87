/* What an agent costs a node, beside prometheus-node-exporter scraped at the same rate and a bare Node.js. Prints ratios. */
import { type ChildProcess, spawn } from 'node:child_process';
import { Installation } from '../../test/support/product.ts';
import { freePort } from '../../test/support/real-node/free-port.ts';
import { haveTool } from '../../test/support/tool.ts';
import { cpuMs, forksSinceBoot, memoryMiB, pause } from './process-cost.ts';

const seconds = Number(process.env['RUNNERWATCH_BENCH_SECONDS'] ?? 60);
/** Starting, compiling and the first collections of garbage are over by then. */
const SETTLE_MS = 20_000;

export async function benchAgentCost(): Promise<void> {
  if (!haveTool('prometheus-node-exporter', 'apt-get install prometheus-node-exporter')) return;
  await using installation = new Installation();
  await installation.collector({ log: { level: 'error' } });
  const agent = installation.agent({ log: { level: 'error' } });
  const bare = spawn(process.execPath, ['-e', 'setInterval(()=>{},1e6)'], { stdio: 'ignore' });
  const port = await freePort();
  const exporter = spawn('prometheus-node-exporter', [`--web.listen-address=127.0.0.1:${port}`], { stdio: 'ignore' });
  try {
    await pause(SETTLE_MS);
    const before = { agent: cpuMs(agent.pid), exporter: cpuMs(pidOf(exporter)), forks: forksSinceBoot() };
    for (let second = 0; second < seconds; second += 1) {
      const [answer] = await Promise.all([fetch(`http://127.0.0.1:${port}/metrics`), pause(1000)]);
      await answer.text();
    }
    const perSample = (cpuMs(agent.pid) - before.agent) / seconds;
    const perScrape = (cpuMs(pidOf(exporter)) - before.exporter) / seconds;
    const forksASecond = (forksSinceBoot() - before.forks) / seconds;
    const memory = { agent: memoryMiB(agent.pid), bare: memoryMiB(pidOf(bare)), exporter: memoryMiB(pidOf(exporter)) };
    process.stdout.write(
      [
        `agent cost, ${seconds} s at one reading a second, Node ${process.version}, ${forksASecond.toFixed(0)} processes and threads begun a second`,
        `  CPU ms: agent ${perSample.toFixed(2)} a sample · node_exporter ${perScrape.toFixed(2)} a scrape · ratio ${(perSample / perScrape).toFixed(2)} (target ≤ 0.25)`,
        `  RSS MiB: agent ${memory.agent.rss.toFixed(1)} · bare node ${memory.bare.rss.toFixed(1)} · ratio ${(memory.agent.rss / memory.bare.rss).toFixed(2)} (target ≤ 1.35) · node_exporter ${memory.exporter.rss.toFixed(1)}`,
        `  anonymous MiB: agent ${memory.agent.anonymous.toFixed(1)} · bare node ${memory.bare.anonymous.toFixed(1)}`,
        '',
      ].join('\n'),
    );
  } finally {
    exporter.kill();
    bare.kill();
  }
}

function pidOf(child: ChildProcess): number {
  if (child.pid === undefined) throw new Error(`${child.spawnfile} could not be started`);
  return child.pid;
}
