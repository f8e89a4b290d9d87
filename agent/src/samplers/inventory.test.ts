import { unreadSample } from '@runnerwatch/shared/conditions/reading.ts';
import type { Inventory } from '@runnerwatch/shared/model/node.ts';
import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { eventually } from '../../../test/support/eventually.ts';
import { createInventoryKeeper } from './inventory.ts';

const inventory: Inventory = {
  os: 'Debian GNU/Linux 12',
  kernel: '6.1.0',
  architecture: 'x64',
  cpu_model: 'QEMU',
  cpu_count: 2,
  memory_total_bytes: 1_000_000,
  virtualization: null,
};

function start(read: () => Promise<Inventory>) {
  const told: Inventory[] = [];
  const lines: string[] = [];
  const log = pino({ level: 'warn' }, { write: (line) => lines.push(line) });
  return { told, lines, keeper: createInventoryKeeper({ read, onChange: (found) => told.push(found), log }) };
}

const sample = (cpus: number, memoryBytes: number) => ({
  ...unreadSample('2026-01-01T00:00:00.000Z'),
  cpu_count: cpus,
  memory_total_bytes: memoryBytes,
});

describe('the inventory', () => {
  it('is told once and again only when it changed', async () => {
    const { keeper, told } = start(async () => ({ ...inventory }));

    await keeper.refresh();
    await keeper.refresh();

    expect(told).toEqual([inventory]);
    expect(keeper.current()).toEqual(inventory);
  });

  it('is read again when a sample contradicts it, once for each contradiction', async () => {
    let reads = 0;
    const { keeper, told } = start(async () => {
      reads += 1;
      return { ...inventory, cpu_count: reads === 1 ? 2 : 4 };
    });
    await keeper.refresh();

    keeper.observe(sample(2, 1_005_000));
    keeper.observe(sample(4, 1_000_000));
    await eventually(() => told.length === 2);
    for (let tick = 0; tick < 3; tick += 1) keeper.observe(sample(3, 1_000_000));
    await eventually(() => reads === 3);
    keeper.observe(sample(3, 1_000_000));

    expect(told.map(({ cpu_count }) => cpu_count)).toEqual([2, 4]);
    expect(reads).toBe(3);
  });

  it('is absent, with a line in the log, when it cannot be read', async () => {
    const { keeper, told, lines } = start(() => Promise.reject(new Error('no lscpu')));

    await keeper.refresh();

    expect(told).toEqual([]);
    expect(keeper.current()).toBeNull();
    expect(lines).toHaveLength(1);
  });
});
