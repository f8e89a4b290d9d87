import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { Installation } from '../support/product.ts';
import { installAgent } from '../support/real-node/installed-node.ts';
import { bootNamespaceMachine, type NamespaceMachine } from '../support/real-node/namespace-machine.ts';

/* One unit writes as fast as it can, with journald's own limit on it switched off: the others must not notice. */
const installation = new Installation();
let machine: NamespaceMachine;

interface Task {
  readonly id: string;
  readonly name: string;
  readonly status: string;
  readonly exit_code: number | null;
  readonly ended_at: string;
  readonly log_tail: string[] | null;
  readonly error_excerpt: string[] | null;
}

beforeAll(async () => {
  await installation.collector({ log: { level: 'warn' } });
  machine = await bootNamespaceMachine({ network: 'host' });
  await machine.exec('systemctl is-system-running --wait', { timeoutMs: 60_000 });
  await installAgent(
    {
      ssh: (command, options) => machine.exec(command, options),
      putFile: (local, inside) => machine.putFile(local, inside),
      putDir: (local, inside) => machine.putDir(local, inside),
    },
    {
      collectorUrl: installation.url,
      tokenFile: join(installation.dataDir, 'collector', 'agent.token'),
      config: { tasks: { log_files: ['/srv/named/${task_id}.out', '/srv/named/${task_id}.err'] } },
    },
  );
  await eventually(
    async () => (await installation.get<{ items: { status: string }[] }>('/nodes')).items[0]?.status === 'online',
    { timeoutMs: 60_000, everyMs: 100 },
  );
});

afterAll(async () => {
  await machine?.stop();
  await installation[Symbol.asyncDispose]();
});

/** Clock ticks (a hundred a second) of the agent and of the journalctl that reads for it. */
async function agentTicks(): Promise<number> {
  const { stdout } = await machine.exec(
    `for p in $(cat /sys/fs/cgroup/system.slice/runnerwatch-agent.service/cgroup.procs); do awk '{print $14+$15}' /proc/$p/stat; done`,
  );
  return stdout.split('\n').reduce((sum, line) => sum + Number(line || 0), 0);
}

async function taskOf(name: string): Promise<Task> {
  return eventually(
    async () => {
      const { items } = await installation.get<{ items: Task[] }>('/tasks?limit=500');
      const found = items.find((one) => one.name === name && one.status !== 'running');
      return found && installation.get<Task>(`/tasks/${found.id}`);
    },
    { timeoutMs: 30_000, everyMs: 50 },
  );
}

describe('a task that writes its output into files itself', () => {
  const script = `mkdir -p /srv/shared && cat >/srv/shared/task.sh <<'EOF'
echo 'epoch 1'
sleep $1
echo 'Traceback (most recent call last):' >&2
echo 'ValueError: no weights for password=hunter2' >&2
exit 1
EOF`;
  const start = (id: number, seconds: number) =>
    `systemd-run --scope --collect --unit=hakuriver-task-${id} --description='HakuRiver Task ${id}: sh task.sh' /bin/sh -c 'exec sh /srv/shared/task.sh ${seconds} > /srv/shared/${id}.out 2> /srv/shared/${id}.err'`;

  beforeAll(async () => {
    await machine.exec(script);
  });

  it('is told with the last lines of both, as HakuRiver starts it', async () => {
    await machine.exec(`${start(71, 1.5)}; true`);

    const task = await taskOf('hakuriver-task-71');

    expect(task.log_tail?.[0]).toBe('epoch 1');
    expect(task.log_tail?.at(-1)).toBe('stderr: ValueError: no weights for password=[redacted: password]');
    expect(task.error_excerpt?.at(-1)).toBe('ValueError: no weights for password=[redacted: password]');
  });

  it('is told so also when it was over before anybody could look, where its scheduler is known', async () => {
    await machine.exec(
      `mkdir -p /srv/named && systemd-run --scope --collect --unit=hakuriver-task-73 /bin/sh -c 'exec no-such-program > /srv/named/73.out 2> /srv/named/73.err'; true`,
    );

    const task = await taskOf('hakuriver-task-73');

    expect(task.log_tail?.at(-1)).toMatch(/^stderr: .*no-such-program: not found$/);
    expect(task.error_excerpt).toHaveLength(1);
  });

  it('is told so also when it ends while the agent is dead', async () => {
    await machine.exec(
      `(${start(72, 6)}) >/dev/null 2>&1 & sleep 2.5; systemctl kill -s KILL runnerwatch-agent; systemctl stop runnerwatch-agent; sleep 5; systemctl start runnerwatch-agent`,
      { timeoutMs: 60_000 },
    );

    const task = await taskOf('hakuriver-task-72');

    expect(task.log_tail?.at(-1)).toBe('stderr: ValueError: no weights for password=[redacted: password]');
  });
});

describe('a unit that floods the journal', () => {
  // With journald's own limit on it switched off.
  it("F037 delays no other unit's end by 5 s, and costs a bounded share of a core", async () => {
    await machine.exec(
      `systemd-run --unit=flood -p LogRateLimitIntervalSec=0 -- sh -c "yes 'epoch 3 step 1000 loss 0.3123 lr 1e-05 tokens/s 10233.2' | head -n 20000000"`,
    );
    const before = { ticks: await agentTicks(), atMs: performance.now() };
    const delays: number[] = [];
    for (let count = 0; count < 8; count += 1) {
      const name = `beside${count}`;
      await machine.exec(`systemd-run --wait --unit=${name} -- sh -c 'echo last words; exit 7'`, { timeoutMs: 60_000 });
      const endedMs = performance.now();
      const task = await eventually(
        async () => {
          const { items } = await installation.get<{ items: Task[] }>('/tasks?limit=500');
          return items.find((one) => one.name === name && one.status !== 'running');
        },
        { timeoutMs: 30_000, everyMs: 20 },
      );
      delays.push(performance.now() - endedMs);
      expect([task.status, task.exit_code]).toEqual(['failed', 7]);
    }
    const seconds = (performance.now() - before.atMs) / 1000;
    const cores = ((await agentTicks()) - before.ticks) / 100 / seconds;
    const { stdout: active } = await machine.exec('systemctl is-active flood; true');
    await machine.exec('systemctl stop flood');
    const flood = await taskOf('flood');

    expect(active.trim()).toBe('active');
    expect(Math.max(...delays)).toBeLessThan(5_000);
    expect(cores).toBeLessThan(1.2);
    expect(flood.log_tail).toHaveLength(100);
  });
});
