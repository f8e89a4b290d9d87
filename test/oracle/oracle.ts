import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import { StopStack } from '@runnerwatch/shared/runtime/stop-stack.ts';
import { allTasks, inDatabase, nodeBecomes, pass, prepared, telling } from '../support/end-to-end.ts';
import { eventually } from '../support/eventually.ts';
import { HttpSink } from '../support/http-sink.ts';
import { PostgresCluster } from '../support/postgres.ts';
import type { Installation, Program } from '../support/product.ts';
import { randomFrom } from '../support/random.ts';
import { type InstallTarget, installAgent } from '../support/real-node/installed-node.ts';
import { mustSucceed } from '../support/real-node/run-command.ts';
import { type Blow, wreak } from './chaos.ts';
import {
  type Account,
  type BlindWindow,
  compare,
  type Fault,
  type Finding,
  type StoredEnd,
  type StoredTask,
  type Told,
  type ToldGap,
  type Truth,
  tableOf,
} from './compare.ts';
import type { Need } from './kinds.ts';
import { type Planned, places, plan, readTruth, scriptsOf, truthsFrom } from './workload.ts';

export interface OracleOptions {
  readonly machine: InstallTarget;
  /** The machine's name for this one's loopback. */
  readonly hostAddress: string;
  readonly ends: number;
  readonly kills: number;
  readonly seed: number;
  readonly has: ReadonlySet<Need>;
  /** The agent there has the kernel's process events; in namespaces it has not. */
  readonly isEveryEndHeard: boolean;
  /** How many live at once. */
  readonly atOnce: number;
  readonly database: 'embedded' | 'postgres';
}

export interface OracleResult {
  readonly findings: readonly Finding[];
  readonly table: string;
  /** What the node's own journal and the blows near them say of the first findings. */
  readonly evidence: string;
}

/** Makes ends whose truth is known, breaks what watches them meanwhile, waits for quiet, and compares. */
export async function consult(options: OracleOptions): Promise<OracleResult> {
  const { machine, ends, kills, seed, has, atOnce } = options;
  const random = randomFrom(seed);
  await using place = await setUp(options);
  const planned = plan({ ends, random, has });
  await putScripts(machine, planned);

  const meanLifeMs = planned.reduce((sum, { livesMs }) => sum + livesMs, 0) / Math.max(1, ends);
  const work = machine.ssh(
    `xargs -P ${atOnce} -L 1 sh ${places.scripts}/begin <${places.scripts}/list >/dev/null 2>&1; true`,
    { timeoutMs: 600_000 + ends * 2000 },
  );
  const { installation, collector, cluster, sink } = place;
  const blows = await wreak({
    victims: {
      exec: (command) => machine.ssh(command, { timeoutMs: 120_000 }),
      killCollector: async (downMs) => {
        await collector.end('SIGKILL');
        await pass(downMs);
        collector.startAgain();
        await installation.ready(collector);
      },
      killDatabase: cluster === null ? null : () => cluster.restart('immediate'),
      pass,
    },
    kills,
    random,
    has,
    pauseMs: (ends * (meanLifeMs + 300)) / atOnce / Math.max(1, kills),
  });
  await work;
  await mustSucceed(machine.ssh('systemctl start dbus runnerwatch-agent.service'), 'starting what was killed');

  const { stdout } = await machine.ssh(readTruth, { timeoutMs: 60_000 });
  const truths = truthsFrom(stdout, { planned, isEveryEndHeard: options.isEveryEndHeard });
  await quiet({ installation, sink, expected: truths.length });
  const blind = await blindWindows(machine, { blows, isEveryEndHeard: options.isEveryEndHeard });
  const tasks = await allTasks(installation);
  const told = toldBy(sink);
  const gaps = await toldGaps(installation);
  const engineRestarts = blows
    .filter(({ victim }) => victim === 'docker')
    .map(({ from, to }) => ({ from: from - slackMs, to: to + stopsWithinMs }));
  const account: Account = { truths, tasks, told, blind, gaps, engineRestarts, ends: await storedEnds(place) };
  const comparison = compare(account);
  const gapsText = gaps
    .map(({ source, from, to }) => `gap of ${source}: ${clockText(from)} to ${clockText(to)}`)
    .join('\n');
  const evidence = await gather(place, { machine, tasks, findings: comparison.findings, truths, blows });
  const table = [
    `oracle: seed ${seed}, ${truths.length} ends of ${ends} planned, ${blows.length} blows (${countOf(blows)})`,
    tableOf(account, comparison),
  ].join('\n');
  return { findings: comparison.findings, table, evidence: `${evidence}\n${gapsText}` };
}

interface Place extends AsyncDisposable {
  readonly installation: Installation;
  readonly collector: Program;
  readonly cluster: PostgresCluster | null;
  readonly sink: HttpSink;
}

async function setUp({ machine, hostAddress, database }: OracleOptions): Promise<Place> {
  const parts = new StopStack();
  const keep = <T extends AsyncDisposable>(part: T): T => {
    parts.defer(() => part[Symbol.asyncDispose]());
    return part;
  };
  try {
    const sink = keep(await HttpSink.open());
    const cluster = database === 'postgres' ? keep(await PostgresCluster.start()) : null;
    const installation = keep(await prepared());
    const collector = await installation.collector({
      log: { level: 'warn' },
      heartbeat_timeout: '30s',
      ...(cluster && { database: { url: cluster.createDatabase('oracle') } }),
      ...telling(sink, { events: ['end'] }),
    });
    await installAgent(machine, {
      collectorUrl: `http://${hostAddress}:${new URL(installation.url).port}`,
      tokenFile: join(installation.dataDir, 'collector', 'agent.token'),
    });
    await mustSucceed(machine.ssh(restartByHand), 'restart by hand');
    await nodeBecomes(installation, 'online');
    return { installation, collector, cluster, sink, [Symbol.asyncDispose]: () => parts[Symbol.asyncDispose]() };
  } catch (error) {
    await parts[Symbol.asyncDispose]();
    throw error;
  }
}

/** Who kills the agent says when it lives again. */
const restartByHand = [
  'mkdir -p /run/systemd/system/runnerwatch-agent.service.d',
  "printf '[Unit]\\nStartLimitIntervalSec=0\\n[Service]\\nRestart=no\\n' >/run/systemd/system/runnerwatch-agent.service.d/oracle.conf",
  'systemctl daemon-reload',
].join(' && ');

async function putScripts(machine: InstallTarget, planned: readonly Planned[]): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'oracle-'));
  for (const [name, text] of Object.entries(scriptsOf(planned))) writeFileSync(join(folder, name), text);
  await mustSucceed(machine.ssh(`mkdir -p ${places.truth}/began ${places.truth}/ending`), 'the folder of truth');
  await machine.putDir(folder, places.scripts);
  rmSync(folder, { recursive: true });
}

/** Until every end is stored and told and nothing waits, or nothing has moved for a while: then what is missing is missing. */
async function quiet({
  installation,
  sink,
  expected,
}: {
  installation: Installation;
  sink: HttpSink;
  expected: number;
}): Promise<void> {
  let last = '';
  let sameSince = performance.now();
  await eventually(
    async () => {
      const tasks = (await allTasks(installation)).filter(({ name }) => name.startsWith('oracle-'));
      const over = tasks.filter(({ status }) => status !== 'running' && status !== 'lost').length;
      const { items: pending } = await installation.get<{ items: unknown[] }>('/deliveries?state=pending');
      const now = `${over} ${tasks.length} ${pending.length} ${sink.requests.length}`;
      if (now !== last) sameSince = performance.now();
      last = now;
      const idleMs = performance.now() - sameSince;
      return (over >= expected && pending.length === 0 && idleMs > 3000) || idleMs > 45_000;
    },
    { timeoutMs: 900_000, everyMs: 500 },
  );
}

/** What was heard and not yet written down dies with the agent: an end may wait so long for its other witnesses. */
const unwrittenMs = 4000;
const slackMs = 1000;
/** A daemon that comes back gives what it finds so long to stop; one that is killed has not told of what has just ended. */
const stopsWithinMs = 10_000;
/** On an emulated machine under load, with more blows meanwhile. */
const startsWithinMs = 60_000;

/**
 * When the agent could not see, by its own word in the node's journal: while it stood still for want of a processor, and from
 * each blow at it until it saw again, or a while later where that word was lost. What was said while it stood still before a
 * blow died unheard. Where the kernel does not tell it of ends, only systemd has the status of a service that ended well, and
 * tells nobody of those that ended while it was executed anew.
 */
async function blindWindows(
  machine: InstallTarget,
  { blows, isEveryEndHeard }: { blows: readonly Blow[]; isEveryEndHeard: boolean },
): Promise<BlindWindow[]> {
  const { stdout } = await machine.ssh(
    `journalctl -u runnerwatch-agent.service -o cat --no-pager | grep -e '"process ends"' -e '"the agent stood still"' || true`,
    { timeoutMs: 60_000 },
  );
  const words = stdout.split('\n').filter((line) => line !== '');
  const atOf = (line: string) => Date.parse(/"time":"([^"]+)"/.exec(line)?.[1] ?? '');
  const seeing = words.filter((line) => line.includes('"process ends"')).map(atOf);
  const standstills = words.flatMap((line) => {
    const lastedMs = Number(/"lasted_ms":(\d+)/.exec(line)?.[1]);
    return Number.isNaN(lastedMs) ? [] : [{ from: atOf(line) - lastedMs - slackMs, to: atOf(line) + slackMs }];
  });
  const ofBlows = blows.flatMap(({ victim, from, at: fellAt, to }) => {
    const isBlow = victim === 'agent-frozen' || (victim === 'reexec' && !isEveryEndHeard);
    if (isBlow) return [{ from: from - slackMs, to: to + slackMs }];
    if (victim !== 'agent') return [];
    // Until it fell, the life that it ended may still have said that it sees.
    const seeingAt = seeing.find((at) => at > fellAt && at < to + startsWithinMs) ?? to + 10_000;
    const unheard = standstills.filter((still) => still.from < from && still.to > from - unwrittenMs);
    return [{ from: Math.min(from - unwrittenMs, ...unheard.map((still) => still.from)), to: seeingAt + slackMs }];
  });
  return [...standstills, ...ofBlows];
}

const clockText = (at: number | null) => (at === null ? 'unknown' : new Date(at).toISOString());

const looksInto = 24;
const worst: readonly Fault[] = ['missing', 'doubled', 'wrong', 'untold', 'told twice', 'unexplained'];

interface Circumstances {
  readonly machine: InstallTarget;
  readonly tasks: readonly StoredTask[];
  readonly findings: readonly Finding[];
  readonly truths: readonly Truth[];
  readonly blows: readonly Blow[];
}

async function gather(
  { installation, collector }: Place,
  { machine, tasks, findings, truths, blows }: Circumstances,
): Promise<string> {
  const texts: string[] = [];
  const byWeight = findings.toSorted((one, other) => worst.indexOf(one.fault) - worst.indexOf(other.fault));
  for (const { name, kind, fault, evidence } of byWeight.slice(0, looksInto)) {
    const endedAt = truths.find((truth) => truth.name === name)?.endedAt ?? 0;
    const near = blows.filter(({ from, to }) => endedAt > from - 5000 && endedAt < to + 5000);
    const { stdout } = await machine.ssh(
      `journalctl --no-pager -o short-iso-precise -u ${name}.scope -u ${name}.service`,
      { timeoutMs: 60_000 },
    );
    texts.push(
      `${fault}: ${name} (${kind}), ended ${new Date(endedAt).toISOString()}: ${evidence}`,
      ...near.map(
        ({ victim, from, to }) => `  ${victim} ${new Date(from).toISOString()} to ${new Date(to).toISOString()}`,
      ),
      stdout.trimEnd(),
      ...(await Promise.all(tasks.filter((task) => task.name === name).map(({ id }) => explained(installation, id)))),
    );
  }
  if (findings.length > looksInto) texts.push(`and ${findings.length - looksInto} more`);
  if (findings.length > 0)
    texts.push(
      ...blows.map(({ victim, from, to }) => `blow: ${new Date(from).toISOString()} ${to - from} ms ${victim}`),
      (await machine.ssh('journalctl --no-pager -o cat -u runnerwatch-agent.service', { timeoutMs: 60_000 })).stdout,
      collector.output,
    );
  return texts.join('\n');
}

/** A task as it is stored, and why it was told or not. */
async function explained(installation: Installation, id: string): Promise<string> {
  const paths = [`/tasks/${id}`, `/explain/tasks/${id}`];
  const answers = await Promise.all(
    paths.map((path) => installation.get<unknown>(path).catch((error: unknown) => String(error))),
  );
  return answers.map((answer) => JSON.stringify(answer)).join('\n');
}

async function toldGaps(installation: Installation): Promise<ToldGap[]> {
  const { items: nodes } = await installation.get<{ items: { id: string }[] }>('/nodes');
  const told = await Promise.all(
    nodes.map(({ id }) =>
      installation.get<{ items: { source: string; from: string | null; to: string | null }[] }>(
        `/nodes/${id}/gaps?limit=500`,
      ),
    ),
  );
  const at = (text: string | null) => (text === null ? null : Date.parse(text));
  return told.flatMap(({ items }) => items.map(({ source, from, to }) => ({ source, from: at(from), to: at(to) })));
}

function toldBy(sink: HttpSink): Told[] {
  const bodies = sink.bodies as unknown as Notification[];
  const byId = new Map(bodies.map((body) => [body.id, body]));
  return [...byId.values()].flatMap(({ id, type, task }) =>
    task == null ? [] : [{ id, type, taskId: task.id, status: task.status }],
  );
}

async function storedEnds({ installation, collector, cluster }: Place): Promise<StoredEnd[]> {
  if (cluster !== null) {
    const rows = cluster.psql(
      `select coalesce(json_agg(json_build_object('taskId', body->'task'->>'id', 'status', body->'ending'->>'status',
        'confidence', body->'ending'->'verdict'->>'confidence') order by id), '[]')
      from events where kind = 'task_ended'`,
      'oracle',
    );
    return JSON.parse(rows) as StoredEnd[];
  }
  await collector.end();
  return inDatabase(
    installation,
    (sql) => sql<StoredEnd>`
    select body->'task'->>'id' as "taskId", body->'ending'->>'status' as status,
      body->'ending'->'verdict'->>'confidence' as confidence
    from events where kind = 'task_ended' order by id`,
  );
}

function countOf(blows: readonly Blow[]): string {
  const victims = [...new Set(blows.map(({ victim }) => victim))].toSorted();
  return victims.map((victim) => `${victim} ${blows.filter((blow) => blow.victim === victim).length}`).join(', ');
}
