/*
 * From a task's last act to its verdict in the collector's database, against systemd's own `OnFailure=` with a oneshot that
 * appends one line to a file and flushes it: the least that anybody can do to keep an end.
 *
 * Every task writes the time of its end as the last thing it does. When ours is stored is found by looking every millisecond:
 * on a server with SQL of our own, on the embedded database, which nobody else can open, through the API, so that what
 * a request takes (a few milliseconds) is counted too. The competitor's stamp is taken by date(1) when its line is flushed.
 * Kinds take turns, one task alone on the machine at a time.
 */
import { setTimeout as sleep } from 'node:timers/promises';
import { openDatabase } from '../../collector/src/db/open.ts';
import { silentLog } from '../../test/support/database.ts';
import { eventually } from '../../test/support/eventually.ts';
import { havePostgres, PostgresCluster } from '../../test/support/postgres.ts';
import { Installation } from '../../test/support/product.ts';
import type { NamespaceMachine } from '../../test/support/real-node/namespace-machine.ts';
import { mustSucceed } from '../../test/support/real-node/run-command.ts';
import { printLatencies, target } from './figures.ts';
import { addFailureUnit, bootNode, readStamps, stamps } from './namespace-node.ts';
import { percentile } from './process-cost.ts';

const rounds = Number(process.env['RUNNERWATCH_BENCH_ROUNDS'] ?? 200);
const warmUps = 5;
/** On a disk, unlike /run. */
const competitorFile = '/var/lib/bench-ends';

type Kind = 'service' | 'run' | 'append';
/** Whether the end of this task is stored. */
type IsStored = (name: string) => Promise<boolean>;

export async function benchVerdictLatency(): Promise<void> {
  await benchOn('embedded database', null);
  if (!havePostgres()) return;
  await using cluster = await PostgresCluster.start({ isDurable: true });
  await benchOn('PostgreSQL', cluster.createDatabase('bench'));
}

async function benchOn(database: string, url: string | null): Promise<void> {
  await using installation = new Installation();
  await installation.collector({ log: { level: 'error' }, ...(url === null ? {} : { database: { url } }) });
  await using machine = await bootNode(installation, ['bench-service-*']);
  await addFailureUnit(
    machine,
    'append',
    `/bin/sh -c 'echo %i >>${competitorFile} && sync --data ${competitorFile} && date +%%s%%N >${stamps}/%i.stored'`,
  );
  await using looking = await lookInto(installation, url);
  const storedAt = new Map<string, number>();
  for (let index = -warmUps; index < rounds; index += 1) {
    for (const kind of ['service', 'append', 'run'] as const) {
      const name = `bench-${kind}-${index + warmUps}`;
      const at = await oneEnd(machine, { kind, name, isStored: looking.isStored });
      if (at !== null) storedAt.set(name, at);
    }
  }
  const written = await readStamps(machine);
  const latencies = (kind: Kind) =>
    Array.from({ length: rounds }, (_, index) => `bench-${kind}-${index + warmUps}`).flatMap((name) => {
      const endedAt = written.get(name);
      const at = storedAt.get(name) ?? written.get(`${name}.stored`);
      return endedAt === undefined || at === undefined ? [] : [at - endedAt];
    });
  const [service, run, append] = [latencies('service'), latencies('run'), latencies('append')];
  printLatencies(`end → stored, ${database}`, [
    ['service, runnerwatch', service],
    ['runnerwatch run', run],
    ['service, OnFailure= and append', append],
  ]);
  const ratio = (of: readonly number[]) => percentile(of, 0.5) / percentile(append, 0.5);
  process.stdout.write(
    `  median ratio to OnFailure= and append: service ${ratio(service).toFixed(2)} ${target(ratio(service) <= 1, '≤ 1')}, run ${ratio(run).toFixed(2)}\n` +
      `  p99: service ${percentile(service, 0.99).toFixed(0)} ms ${target(percentile(service, 0.99) < 50, '< 50')}\n`,
  );
}

/** When it was stored, in milliseconds since the epoch; null for the competitor, who writes that down himself. */
async function oneEnd(
  machine: NamespaceMachine,
  { kind, name, isStored }: { kind: Kind; name: string; isStored: IsStored },
): Promise<number | null> {
  // Its beginning has been dealt with by the time it ends.
  const shell = `/bin/sh -c 'sleep 0.2; date +%s%N >${stamps}/${name}; exit 3'`;
  const start = 'systemd-run --quiet --collect';
  const commands: Readonly<Record<Kind, string>> = {
    service: `${start} --unit=${name}.service ${shell}`,
    append: `${start} --unit=${name}.service -p OnFailure=bench-append@${name}.service ${shell}`,
    run: `(runnerwatch run --name ${name} -- ${shell} >/dev/null 2>&1 &)`,
  };
  await mustSucceed(machine.exec(commands[kind]), `start ${name}`);
  if (kind === 'append') {
    await sleep(500);
    return null;
  }
  await sleep(100);
  await eventually(() => isStored(name), { timeoutMs: 20_000, everyMs: 1 });
  const at = Date.now();
  // Whatever still has to be done after that is not charged to the next.
  await sleep(100);
  return at;
}

async function lookInto(
  installation: Installation,
  url: string | null,
): Promise<AsyncDisposable & { readonly isStored: IsStored }> {
  if (url === null) {
    const isStored: IsStored = async (name) => {
      const { items } = await installation.get<{ items: { name: string; ended_at: string | null }[] }>(
        '/tasks?limit=2',
      );
      return items.some((task) => task.name === name && task.ended_at !== null);
    };
    return { isStored, [Symbol.asyncDispose]: async () => {} };
  }
  const database = await openDatabase({ url, dataDir: installation.dataDir, log: silentLog });
  return {
    isStored: async (name) =>
      (await database.sql`select 1 from tasks where name = ${name} and ended_at is not null`).length > 0,
    [Symbol.asyncDispose]: () => database.close(),
  };
}
