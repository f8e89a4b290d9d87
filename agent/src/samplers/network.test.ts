import { rmSync, writeFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { copyOfTree } from '../../../test/fixtures/proc/trees.ts';
import { createNetworkSampler } from './network.ts';

function table(bytes: Record<string, [received: number, sent: number]>): string {
  const rows = Object.entries(bytes).map(([name, [rx, tx]]) => `${name}: ${rx} 0 0 0 0 0 0 0 ${tx} 0 0 0 0 0 0 0`);
  return ['Inter-|   Receive  |  Transmit', ' face |bytes |bytes', ...rows, ''].join('\n');
}

function start(names: 'with hardware' | 'without hardware') {
  const root = copyOfTree('debian-12');
  if (names === 'without hardware') rmSync(`${root}/sys/class/net`, { recursive: true });
  const sampler = createNetworkSampler(root);
  return (second: number, bytes: Record<string, [number, number]>) => {
    writeFileSync(`${root}/proc/net/dev`, table(bytes));
    return sampler.sample({ wallMs: 0, monotonicMs: second * 1000 });
  };
}

it('tells bytes per second of the hardware alone, so that no byte counts twice', () => {
  const read = start('with hardware');

  const first = read(0, { lo: [0, 0], eth0: [1000, 500], docker0: [0, 0] });
  const second = read(2, { lo: [9e9, 9e9], eth0: [5000, 1500], docker0: [4000, 1000] });

  expect(first).toEqual({ sample: { network_rx_bytes_per_s: null, network_tx_bytes_per_s: null } });
  expect(second).toEqual({ sample: { network_rx_bytes_per_s: 2000, network_tx_bytes_per_s: 500 } });
});

it('takes every interface but loopback where there is no hardware', () => {
  const read = start('without hardware');
  void read(0, { lo: [0, 0], veth0: [0, 0] });

  expect(read(1, { lo: [700, 700], veth0: [10, 20] })).toMatchObject({
    sample: { network_rx_bytes_per_s: 10, network_tx_bytes_per_s: 20 },
  });
});

it('never tells a negative rate when an interface begins to count anew', () => {
  const read = start('with hardware');
  void read(0, { eth0: [1_000_000, 1_000_000] });

  expect(read(1, { eth0: [10, 10] })).toMatchObject({ sample: { network_rx_bytes_per_s: 0 } });
  expect(read(2, { eth0: [20, 40] })).toMatchObject({
    sample: { network_rx_bytes_per_s: 10, network_tx_bytes_per_s: 30 },
  });
});
