/* `npm run bench [NAME…]`: prints ratios against something public, measured in the same run. */
import { benchAgentCost } from './agent-cost.ts';
import { benchApiScale } from './api-scale.ts';
import { benchBusyNode } from './busy-node.ts';
import { benchDelivery } from './delivery.ts';
import { benchEndToWebhook } from './end-to-webhook.ts';
import { benchEndsPerSecond } from './ends-per-second.ts';
import { benchStartUp } from './start-up.ts';
import { benchVerdictLatency } from './verdict-latency.ts';

const benches = {
  'start-up': benchStartUp,
  'agent-cost': benchAgentCost,
  'busy-node': benchBusyNode,
  'end-to-webhook': benchEndToWebhook,
  'verdict-latency': benchVerdictLatency,
  'ends-per-second': benchEndsPerSecond,
  delivery: benchDelivery,
  'api-scale': benchApiScale,
};
const asked = process.argv.slice(2);

for (const [name, bench] of Object.entries(benches)) {
  if (asked.length === 0 || asked.includes(name)) await bench();
}
