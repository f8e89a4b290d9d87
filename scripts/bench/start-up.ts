/* How soon a collector on its embedded database answers: the first start, which makes the database, and warm ones. */
import { Installation } from '../../test/support/product.ts';
import { percentile } from './process-cost.ts';

export async function benchStartUp(): Promise<void> {
  await using installation = new Installation();
  const firstAt = performance.now();
  const collector = await installation.collector({ log: { level: 'error' } });
  const firstMs = performance.now() - firstAt;
  const warmMs: number[] = [];
  for (let round = 0; round < 7; round += 1) {
    await collector.end();
    const startedAt = performance.now();
    collector.startAgain();
    await installation.ready(collector);
    warmMs.push(performance.now() - startedAt);
  }
  process.stdout.write(
    `embedded start-up: first ${firstMs.toFixed(0)} ms · warm median ${percentile(warmMs, 0.5).toFixed(0)} ms, worst ${Math.max(...warmMs).toFixed(0)} ms (target < 1500)\n`,
  );
}
