import { StandingKernelFile } from '../proc/kernel-file.ts';
import { hasDevice, type InterfaceBytes, parseInterfaceBytes } from '../proc/net-dev.ts';
import { hundredths } from './rounding.ts';
import type { Sampler, TickTime } from './sampler.ts';

/**
 * Bytes per second in and out of the machine. Only interfaces with hardware behind them count, or, where there are none
 * (a container), all but loopback: bridges, bonds and veth pairs would count the same bytes again.
 */
export function createNetworkSampler(root: string): Sampler {
  const file = new StandingKernelFile(root, '/proc/net/dev', 'many');
  let previous: { interfaces: Map<string, InterfaceBytes>; atMs: number } | null = null;
  let outward: { names: string; chosen: Set<string> } | null = null;

  function chooseOutward(interfaces: InterfaceBytes[]): Set<string> {
    const names = interfaces.map(({ name }) => name).join(' ');
    if (outward?.names !== names) outward = { names, chosen: outwardNames(root, interfaces) };
    return outward.chosen;
  }

  return {
    name: 'network',
    sample(now) {
      const all = file.read(parseInterfaceBytes);
      if (all === null) {
        previous = null;
        return {};
      }
      const chosen = chooseOutward(all);
      const interfaces = new Map(all.filter(({ name }) => chosen.has(name)).map((found) => [found.name, found]));
      const rates = previous === null ? null : ratesBetween(previous, interfaces, now);
      previous = { interfaces, atMs: now.monotonicMs };
      return {
        sample: { network_rx_bytes_per_s: rates?.received ?? null, network_tx_bytes_per_s: rates?.sent ?? null },
      };
    },
    close: () => file.close(),
  };
}

function outwardNames(root: string, interfaces: InterfaceBytes[]): Set<string> {
  const names = interfaces.map(({ name }) => name);
  const hardware = names.filter((name) => hasDevice(root, name));
  return new Set(hardware.length > 0 ? hardware : names.filter((name) => name !== 'lo'));
}

/** An interface that is new, or began to count anew, adds nothing until the next tick. */
function ratesBetween(
  before: { interfaces: Map<string, InterfaceBytes>; atMs: number },
  after: Map<string, InterfaceBytes>,
  now: TickTime,
): { received: number; sent: number } | null {
  const seconds = (now.monotonicMs - before.atMs) / 1000;
  if (seconds <= 0) return null;
  let receivedBytes = 0;
  let sentBytes = 0;
  for (const [name, bytes] of after) {
    const old = before.interfaces.get(name);
    if (old === undefined || bytes.receivedBytes < old.receivedBytes || bytes.sentBytes < old.sentBytes) continue;
    receivedBytes += bytes.receivedBytes - old.receivedBytes;
    sentBytes += bytes.sentBytes - old.sentBytes;
  }
  return { received: hundredths(receivedBytes / seconds), sent: hundredths(sentBytes / seconds) };
}
