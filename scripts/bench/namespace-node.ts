import { join } from 'node:path';
import { eventually } from '../../test/support/eventually.ts';
import type { Installation } from '../../test/support/product.ts';
import { installAgent } from '../../test/support/real-node/installed-node.ts';
import { bootNamespaceMachine, type NamespaceMachine } from '../../test/support/real-node/namespace-machine.ts';
import { mustSucceed } from '../../test/support/real-node/run-command.ts';

/** Where tasks of benches write down the time of their end, inside the node. */
export const stamps = '/run/bench';

/** A node at native speed whose agent watches these units, connected to the collector of the installation. */
export async function bootNode(installation: Installation, include: readonly string[]): Promise<NamespaceMachine> {
  const machine = await bootNamespaceMachine({ network: 'host' });
  const inside = {
    ssh: machine.exec.bind(machine),
    putFile: machine.putFile.bind(machine),
    putDir: machine.putDir.bind(machine),
  };
  await installAgent(inside, {
    collectorUrl: installation.url,
    tokenFile: join(installation.dataDir, 'collector', 'agent.token'),
    config: { tasks: { systemd: { include, exclude: [] } } },
  });
  await mustSucceed(machine.exec(`mkdir -p ${stamps}`), 'prepare the node');
  await online(installation);
  return machine;
}

export async function online(installation: Installation): Promise<void> {
  await eventually(
    async () => (await installation.get<{ items: { status: string }[] }>('/nodes')).items[0]?.status === 'online',
    { timeoutMs: 60_000, everyMs: 100 },
  );
}

/** What the tasks wrote down, in milliseconds since the epoch, by the name of the file. */
export async function readStamps(machine: NamespaceMachine): Promise<ReadonlyMap<string, number>> {
  const written = await mustSucceed(machine.exec(`cd ${stamps} && grep -H . *`), 'read the times');
  return new Map(
    written.stdout
      .trim()
      .split('\n')
      .map((line) => line.split(':'))
      .map(([name = '', stamp = '']) => [name, Number(stamp) / 1e6]),
  );
}

/** A oneshot for `OnFailure=bench-NAME@UNIT.service`; `%i` in the command is the unit that failed. */
export async function addFailureUnit(machine: NamespaceMachine, name: string, command: string): Promise<void> {
  const text = `[Unit]\nDescription=tell of %i\n[Service]\nType=oneshot\nExecStart=${command}\n`;
  const encoded = Buffer.from(text).toString('base64');
  await mustSucceed(
    machine.exec(`echo ${encoded} | base64 -d >/run/systemd/system/bench-${name}@.service && systemctl daemon-reload`),
    `add the unit ${name}`,
  );
}
