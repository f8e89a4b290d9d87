import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { HttpSink } from '../support/http-sink.ts';
import { Installation } from '../support/product.ts';
import { installAgent, killAgentForGood } from '../support/real-node/installed-node.ts';
import { bootMachine, type Machine } from '../support/real-node/machine.ts';

/*
 * A real node: Debian with systemd as process 1, cgroup v2 and Docker, in a virtual machine; the agent there from the
 * packed product under its own generated unit, the collector and a webhook's receiver here. Emulation is slow, so times
 * are generous; what is judged is what was told, and how often.
 */
const installation = new Installation();
let machine: Machine;
let sink: HttpSink;

interface Task {
  id: string;
  node_id: string;
  name: string;
  status: string;
  exit_code: number | null;
  signal: string | null;
  verdict: { cause: string; confidence: string; summary: string; advice: string[]; evidence: { source: string }[] };
}

beforeAll(async () => {
  sink = await HttpSink.open();
  const notifications = {
    notifiers: { sink: { type: 'webhook', url: sink.url } },
    subscriptions: [{ receiver: 'sink', events: ['all'] }],
  };
  await installation.collector({ notifications, heartbeat_timeout: '10s', log: { level: 'warn' } });
  machine = await bootMachine();
  await machine.ssh('systemctl is-system-running --wait', { timeoutMs: 120_000 });
  const port = new URL(installation.url).port;
  await installAgent(machine, {
    collectorUrl: `http://${machine.hostAddress}:${port}`,
    tokenFile: join(installation.dataDir, 'collector', 'agent.token'),
  });
  await nodeIs('online');
});

afterAll(async () => {
  await machine?.stop();
  await installation[Symbol.asyncDispose]();
  await sink?.[Symbol.asyncDispose]();
});

async function nodeIs(status: string): Promise<void> {
  await eventually(
    async () => {
      const node = await nodeNamed('node');
      if (node?.status !== status) throw new Error(`the node is ${node?.status}`);
      return true;
    },
    { timeoutMs: 90_000, everyMs: 200 },
  );
}

interface Told {
  type: string;
  condition?: { type: string };
  task?: { name: string };
}

interface NodeRecord {
  id: string;
  name: string;
  status: string;
  sources: { name: string; state: string }[];
}

async function nodeNamed(name: string): Promise<NodeRecord | undefined> {
  const { items } = await installation.get<{ items: NodeRecord[] }>('/nodes');
  return items.find((node) => node.name === name);
}

/** The ended tasks of that name, oldest first; waits for the first. */
async function ended(name: string): Promise<Task[]> {
  return eventually(
    async () => {
      const { items } = await installation.get<{ items: Task[] }>('/tasks?limit=500');
      const found = items.filter((task) => task.name === name && task.status !== 'running');
      if (found.length === 0)
        throw new Error(`no end of ${name} among ${items.map((task) => `${task.name}:${task.status}`).join(' ')}`);
      return found.toReversed();
    },
    { timeoutMs: 60_000, everyMs: 200 },
  );
}

/** The ids of the notifications told about these ends. */
function told(name: string): string[] {
  const bodies = sink.requests.map(
    (request) => JSON.parse(request.body) as { id: string; type: string; task?: { name: string } },
  );
  return [
    ...new Set(bodies.filter((body) => body.type === 'task.ended' && body.task?.name === name).map((body) => body.id)),
  ];
}

const ends = [
  {
    name: 'exit0',
    run: 'systemd-run --scope --unit=exit0 -- sleep 1',
    is: ['completed', 0, null, 'success', 'proven'],
  },
  {
    name: 'exit3',
    run: "systemd-run --scope --unit=exit3 -- sh -c 'sleep 1; exit 3'",
    is: ['failed', 3, null, 'exit_code', 'proven'],
  },
  {
    name: 'exit137',
    run: "systemd-run --scope --unit=exit137 -- sh -c 'sleep 1; exit 137'",
    is: ['failed', 137, null, 'exit_code', 'proven'],
  },
  {
    name: 'killed',
    run: 'systemd-run --scope --unit=killed -- sleep 300 & sleep 3; kill -9 $(cat /sys/fs/cgroup/system.slice/killed.scope/cgroup.procs)',
    is: ['killed', null, 'SIGKILL', 'signal', 'proven'],
  },
  {
    name: 'segv',
    run: "systemd-run --scope --unit=segv -- sh -c 'sleep 1; kill -SEGV $$'",
    is: ['failed', null, 'SIGSEGV', 'signal', 'proven'],
  },
  {
    name: 'oom',
    run: `systemd-run --scope --unit=oom -p MemoryMax=50M -p MemorySwapMax=0 -- perl -e '$x = "x" x 200000000; sleep 5'`,
    is: ['killed_oom', null, 'SIGKILL', 'oom_limit', 'proven'],
  },
  {
    name: 'svc7',
    run: "systemd-run --wait --unit=svc7 -- sh -c 'echo last words; exit 7'",
    is: ['failed', 7, null, 'exit_code', 'proven'],
  },
  {
    name: 'svctime',
    run: 'systemd-run --wait --unit=svctime -p RuntimeMaxSec=2 -- sleep 300',
    is: ['timed_out', null, 'SIGTERM', 'timeout', 'proven'],
  },
  { name: 'box0', run: "docker run --name box0 bb sh -c 'exit 0'", is: ['completed', 0, null, 'success', 'proven'] },
  { name: 'box7', run: "docker run --name box7 bb sh -c 'exit 7'", is: ['failed', 7, null, 'exit_code', 'proven'] },
  {
    name: 'boxrm5',
    run: "docker run --rm --name boxrm5 bb sh -c 'echo bye; exit 5'",
    is: ['failed', 5, null, 'exit_code', 'proven'],
  },
  {
    name: 'boxkill',
    run: 'docker run -d --name boxkill bb sleep 300 && docker kill boxkill',
    is: ['killed', null, 'SIGKILL', 'stopped_by_user', 'proven'],
  },
  {
    name: 'boxoom',
    run: 'docker run -m 20m --name boxoom bb tail -c 100m /dev/zero',
    is: ['killed_oom', null, 'SIGKILL', 'oom_limit', 'proven'],
  },
  {
    name: 'boxchild',
    run: "docker run -m 20m --name boxchild bb sh -c 'tail -c 100m /dev/zero | tail >/dev/null; exit 0'",
    is: ['completed', 0, null, 'oom_child', 'proven'],
  },
] as const;

/** What is begun while the agent lives and ends, by itself or killed, while it is dead. */
const whileDead = [
  {
    name: 'late-scope',
    run: "(systemd-run --scope --unit=late-scope -- sh -c 'sleep 60; exit 4' >/dev/null 2>&1 &)",
    is: ['unknown', null],
  },
  {
    name: 'late-oom',
    run: `(systemd-run --scope --unit=late-oom -p MemoryMax=50M -p MemorySwapMax=0 -- sh -c 'sleep 60; exec perl -e "\\$x = q(x) x 200000000; sleep 5"' >/dev/null 2>&1 &)`,
    is: ['killed_oom', null],
  },
  { name: 'late-service', run: "systemd-run --unit=late-service -- sh -c 'sleep 60; exit 7'", is: ['failed', 7] },
  { name: 'late-box', run: "docker run -d --name late-box bb sh -c 'sleep 60; exit 6'", is: ['failed', 6] },
  { name: 'late-rm', run: "docker run -d --rm --name late-rm bb sh -c 'sleep 60; exit 5'", is: ['failed', 5] },
  { name: 'late-kill', run: 'docker run -d --name late-kill bb sleep 300', is: ['killed', null] },
  {
    name: 'late-box-oom',
    run: "docker run -d -m 20m --name late-box-oom bb sh -c 'sleep 60; exec tail -c 100m /dev/zero'",
    is: ['killed_oom', null],
  },
] as const;

describe('ends on a real node', () => {
  it.each(ends)('tells $name as $is, once', async ({ name, run, is }) => {
    await machine.ssh(run, { timeoutMs: 120_000 });

    const found = await ended(name);

    expect(found).toHaveLength(1);
    const [task] = found;
    const seen = [task?.status, task?.exit_code, task?.signal, task?.verdict.cause, task?.verdict.confidence];
    expect({ seen, summary: task?.verdict.summary }).toMatchObject({ seen: [...is] });
    await eventually(() => told(name).length > 0);
    expect(told(name)).toHaveLength(1);
  });

  it('keeps the last minutes of a task that grew into its limit', async () => {
    const grow = 'my @held; for (1..30) { push @held, "x" x 4_000_000; select(undef, undef, undef, 0.6) }';
    await machine.ssh(`systemd-run --scope --unit=grows -p MemoryMax=60M -p MemorySwapMax=0 -- perl -e '${grow}'`, {
      timeoutMs: 120_000,
    });

    const [task] = await ended('grows');
    const recording = await eventually(() =>
      installation.get<{ task: Record<string, (number | null)[]> }>(`/tasks/${task?.id}/recording`),
    );

    expect([task?.status, task?.verdict.cause]).toEqual(['killed_oom', 'oom_limit']);
    const memory = (recording.task['memory_bytes'] ?? []).filter((bytes) => bytes !== null);
    expect(memory.length).toBeGreaterThan(3);
    expect(memory.at(-1)).toBeGreaterThan(2 * (memory[0] ?? 0));
    expect(recording.task['memory_limit_bytes']).toContain(60 * 1024 ** 2);
    expect(task?.verdict.advice.join(' ')).toMatch(/grew .*\/s/);
  });

  it('warns at once of an OOM kill in a task that goes on', async () => {
    await machine.ssh(
      "docker run --name lives -m 20m bb sh -c 'tail -c 100m /dev/zero | tail >/dev/null; sleep 8; exit 0'",
      { timeoutMs: 120_000 },
    );

    const [task] = await ended('lives');
    const bodies = sink.requests.map(({ body }) => JSON.parse(body) as Told);
    const warned = bodies.findIndex(
      ({ condition, task: of }) => condition?.type === 'TaskOomKill' && of?.name === 'lives',
    );
    const over = bodies.findIndex(({ type, task: of }) => type === 'task.ended' && of?.name === 'lives');

    expect([task?.status, task?.verdict.cause]).toEqual(['completed', 'oom_child']);
    expect(warned).toBeGreaterThan(-1);
    expect(warned).toBeLessThan(over === -1 ? bodies.length : over);
  });

  it('proves by the kernel how a container ended that its engine removed without having heard it', async () => {
    const lives = 'systemctl -q is-active "docker-$id.scope"';
    await machine.ssh(
      `set -e; id=$(docker run -d --rm --name forgotten bb sh -c 'sleep 10; exit 6')
      kill -9 $(systemctl show -p MainPID --value docker); systemctl stop docker.socket docker.service
      for i in $(seq 60); do ${lives} || break; sleep 1; done; ! ${lives}; systemctl start --no-block docker.service`,
      { timeoutMs: 360_000 },
    );

    const [task] = await ended('forgotten');

    expect([task?.status, task?.exit_code, task?.verdict.confidence]).toEqual(['failed', 6, 'proven']);
    const witnesses = task?.verdict.evidence.map(({ source }) => source);
    expect(witnesses).toContain('kernel');
    expect(witnesses).not.toContain('docker');
  });

  it('tells a container that a restart of its engine took with it as stopped by the system, not by a person', async () => {
    await machine.ssh(
      'docker run -d --name upgraded --stop-timeout 1 bb sleep 600 && systemctl restart docker.service',
      { timeoutMs: 360_000 },
    );

    const [task] = await ended('upgraded');

    expect([task?.status, task?.signal, task?.verdict.cause]).toEqual(['killed', 'SIGKILL', 'stopped_by_system']);
    expect(task?.verdict.summary).toMatch(/^Its engine docker\.service was being stopped/);
  });

  it('tells a container that cannot start', async () => {
    await machine.ssh('docker run --name boxno bb /no/such/program', { timeoutMs: 120_000 });

    const [task] = await ended('boxno');

    expect([task?.status, task?.verdict.cause]).toEqual(['failed', 'start_failed']);
  });

  it('F025 tells every scope that ends within 10 ms of its start, none as a success it was not', async () => {
    await machine.ssh('for i in $(seq 1 20); do systemd-run --scope --unit=brief$i -- false; done', {
      timeoutMs: 180_000,
    });

    for (let index = 1; index <= 20; index += 1) {
      const [task] = await ended(`brief${index}`);
      expect(['failed', 'unknown']).toContain(task?.status);
      if (task?.status === 'failed') expect(task.exit_code).toBe(1);
    }
  });

  it('F030 F031 tells every run of a service in a restart loop as its own end', async () => {
    await machine.ssh(
      "systemd-run --unit=loop -p Restart=on-failure -p RestartSec=1 -p StartLimitBurst=3 -p StartLimitIntervalSec=60 -- sh -c 'exit 9'; sleep 20",
      { timeoutMs: 120_000 },
    );

    const found = await eventually(async () => {
      const all = await ended('loop');
      return all.length >= 3 ? all : undefined;
    });

    expect(found.map((task) => task.exit_code)).toEqual(found.map(() => 9));
    await eventually(() => told('loop').length === found.length);
  });

  it('F001 tells every kind of end that came while the agent was dead, once', async () => {
    const begin = whileDead.map(({ run }) => run).join('; ');
    // A unit of its own file: systemd 252 does not read a transient one back whole when the agent's drop-in makes it reload.
    const loop = `printf '[Unit]\\nStartLimitBurst=3\\nStartLimitIntervalSec=300\\n[Service]\\nRestart=on-failure\\nRestartSec=10\\nExecStart=sh -c "sleep 3; exit 9"\\n' >/run/systemd/system/late-loop.service; systemctl daemon-reload; systemctl start late-loop`;
    await machine.ssh(`${loop}; ${begin}; sleep 5`, { timeoutMs: 180_000 });
    const still = 'docker ps -q | grep -q . || systemctl -q is-active late-scope.scope late-service.service';
    await machine.ssh(
      `${killAgentForGood}; docker kill late-kill; for i in $(seq 180); do ${still} || break; sleep 1; done`,
      {
        timeoutMs: 240_000,
      },
    );
    await machine.ssh('docker run --name late-no bb /no/such/program; systemctl start runnerwatch-agent.service', {
      timeoutMs: 60_000,
    });

    const found = await eventually(
      async () => {
        const all = (await Promise.all(whileDead.map(({ name }) => ended(name)))).flat();
        // While the agent was away its node was lost, and its tasks with it, until the truth came.
        if (all.some(({ status }) => status === 'lost')) throw new Error('some are lost still');
        return all;
      },
      { timeoutMs: 90_000, everyMs: 500 },
    );

    expect(found).toMatchObject(whileDead.map(({ name, is: [status, exit_code] }) => ({ name, status, exit_code })));
    const { stdout: truth } = await machine.ssh(
      "journalctl -u late-loop -o cat --no-pager | grep -c 'Main process exited'",
    );
    const runs = await eventually(async () => {
      const all = await ended('late-loop');
      return all.length >= Number(truth) && all.every(({ status }) => status !== 'lost') ? all : undefined;
    });
    expect(runs.map(({ status, exit_code }) => [status, exit_code])).toEqual(
      Array.from({ length: Number(truth) }, () => ['failed', 9]),
    );
    const [notStarted] = await ended('late-no');
    expect([notStarted?.status, notStarted?.verdict.cause]).toEqual(['failed', 'start_failed']);
  });

  it('hears containers as a user who has only the group docker, and says what it does not hear', async () => {
    const url = `http://${machine.hostAddress}:${new URL(installation.url).port}`;
    const environment = `-E RUNNERWATCH_COLLECTOR_URLS=${url} -E RUNNERWATCH_NODE_NAME=docker-only -E RUNNERWATCH_DATA_DIR=/var/lib/docker-only`;
    await machine.ssh(
      `useradd -r -G docker watcher; systemd-run --unit=docker-only -p User=watcher -p StateDirectory=docker-only -E RUNNERWATCH_TOKEN=$(cat /etc/runnerwatch/agent.token) ${environment} runnerwatch agent --config /dev/null`,
      { timeoutMs: 60_000 },
    );
    const { node, hearsExits } = await eventually(
      async () => {
        const found = await nodeNamed('docker-only');
        const stateOf = (source: string) => found?.sources.find(({ name }) => name === source)?.state;
        const states = ['docker', 'journal', 'process-exits'].map(stateOf).join(' ');
        // From Linux 6.6 on the kernel tells everybody of process ends.
        if (found === undefined || !/^seeing blind (blind|seeing)$/.test(states)) throw new Error(`it is ${states}`);
        return { node: found, hearsExits: states.endsWith('seeing') };
      },
      { timeoutMs: 60_000, everyMs: 500 },
    );

    await machine.ssh("docker run --name box9 bb sh -c 'exit 9'", { timeoutMs: 120_000 });
    await machine.ssh("systemd-run --scope --unit=unseen -- sh -c 'sleep 1; exit 9'", { timeoutMs: 120_000 });
    const seen = async (name: string) =>
      eventually(async () => (await ended(name)).find((task) => task.node_id === node.id));

    expect(await seen('box9')).toMatchObject({ status: 'failed', exit_code: 9 });
    expect(await seen('unseen')).toMatchObject(
      hearsExits ? { status: 'failed', exit_code: 9 } : { status: 'unknown', exit_code: null },
    );
    await machine.ssh('systemctl stop docker-only.service');
    await eventually(async () => (await nodeNamed('docker-only'))?.status === 'stopped');
  });

  it('keeps every end while the collector is away for a minute', async () => {
    const [collector] = installation.programs;
    await collector?.end('SIGKILL');
    await machine.ssh(
      "for i in 1 2 3; do systemd-run --scope --unit=away$i -- sh -c 'sleep 5; exit 11'; done; sleep 40",
      {
        timeoutMs: 120_000,
      },
    );
    collector?.startAgain();
    if (collector) await installation.ready(collector);

    for (const name of ['away1', 'away2', 'away3']) {
      const found = await ended(name);
      expect(found.map((task) => task.exit_code)).toEqual([11]);
      await eventually(() => told(name).length === 1);
    }
  });

  it('F045 tells a node powered off without goodbye, its running task as lost, and both again when it is back', async () => {
    await machine.ssh('systemd-run --unit=doomed -- sleep 3000', { timeoutMs: 60_000 });
    await eventually(async () => {
      const { items } = await installation.get<{ items: Task[] }>('/tasks?status=running');
      return items.some((task) => task.name === 'doomed');
    });
    const before = types().filter((type) => type === 'node.unreachable').length;
    machine.freeze();

    await nodeIs('offline');
    const [lost] = await ended('doomed');
    expect([lost?.status, lost?.verdict.cause]).toEqual(['lost', 'node_lost']);
    await machine.powerCut();
    await machine.bootAgain();
    await nodeIs('online');
    await eventually(() => types().includes('node.recovered'), { timeoutMs: 30_000 });

    expect(types().filter((type) => type === 'node.unreachable')).toHaveLength(before + 1);
    expect(await ended('doomed')).toHaveLength(1);
  });
});

function types(): string[] {
  const bodies = sink.requests.map((request) => JSON.parse(request.body) as { id: string; type: string });
  return [...new Map(bodies.map((body) => [body.id, body.type])).values()];
}
