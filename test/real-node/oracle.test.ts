import { expect, it } from 'vitest';
import { consult } from '../oracle/oracle.ts';
import { havePostgres } from '../support/postgres.ts';
import { bootMachine } from '../support/real-node/machine.ts';
import { bootNamespaceMachine } from '../support/real-node/namespace-machine.ts';

/*
 * What really happened beside what was stored and told, while everything that watches is killed at random. By default small
 * enough for every run; RUNNERWATCH_ORACLE_ENDS=10000 RUNNERWATCH_ORACLE_KILLS=200 is the whole of it, and
 * RUNNERWATCH_ORACLE_MACHINE=vm has OOM kills too. RUNNERWATCH_SEED repeats a run's plan.
 */
const { env } = process;
const number = (name: string, otherwise: number) => Number(env[name] ?? otherwise);
const ends = number('RUNNERWATCH_ORACLE_ENDS', 250);
const kills = number('RUNNERWATCH_ORACLE_KILLS', 20);
const seed = number('RUNNERWATCH_SEED', Date.now() % 1_000_000);
const isVirtual = env['RUNNERWATCH_ORACLE_MACHINE'] === 'vm';
const timeoutMs = 900_000 + ends * 3000;

it(
  `tells each of ${ends} ends as it was, once, under ${kills} kills of agent, collector, database, engines, bus and journal`,
  async () => {
    process.stdout.write(`oracle: RUNNERWATCH_SEED=${seed}\n`);

    const { findings, table, evidence } = await (isVirtual ? onVirtualMachine() : onNamespaces());

    process.stdout.write(`${table}\n${evidence}\n`);
    const counts = findings.map(({ name, kind, fault }) => `${fault}: ${name} (${kind})`);
    expect(counts).toEqual([]);
  },
  timeoutMs,
);

const shared = { ends, kills, seed, database: havePostgres() ? 'postgres' : 'embedded' } as const;

async function onNamespaces() {
  await using machine = await bootNamespaceMachine({ network: 'host', containers: true });
  const target = {
    ssh: machine.exec.bind(machine),
    putFile: machine.putFile.bind(machine),
    putDir: machine.putDir.bind(machine),
  };
  return await consult({
    ...shared,
    machine: target,
    hostAddress: '127.0.0.1',
    has: new Set(['docker', 'podman']),
    isEveryEndHeard: false,
    atOnce: 8,
  });
}

async function onVirtualMachine() {
  const machine = await bootMachine();
  try {
    await machine.ssh('systemctl is-system-running --wait', { timeoutMs: 120_000 });
    const { hostAddress } = machine;
    return await consult({
      ...shared,
      machine,
      hostAddress,
      has: new Set(['docker', 'podman', 'memory']),
      isEveryEndHeard: true,
      atOnce: 3,
    });
  } finally {
    await machine.stop();
  }
}
