import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { Installation } from '../support/product.ts';
import { installAgent, killAgentForGood } from '../support/real-node/installed-node.ts';
import { bootNamespaceMachine, type NamespaceMachine } from '../support/real-node/namespace-machine.ts';

/*
 * systemd at native speed, on this machine's kernel: no process connector in there, so the exit status of scopes comes
 * from pidfds alone where the kernel gives it (6.15 and later), and is unknown, with the reason, where it does not.
 */
const installation = new Installation();
let machine: NamespaceMachine;

interface Task {
  name: string;
  unit: string;
  status: string;
  exit_code: number | null;
  signal: string | null;
  started_at: string;
  verdict: { cause: string; confidence: string; summary: string };
  log_tail: string[] | null;
  id: string;
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
    { collectorUrl: installation.url, tokenFile: join(installation.dataDir, 'collector', 'agent.token') },
  );
  await nodeIs('online');
});

afterAll(async () => {
  await machine?.stop();
  await installation[Symbol.asyncDispose]();
});

async function nodeIs(status: string): Promise<void> {
  await eventually(
    async () => {
      const { items } = await installation.get<{ items: { status: string }[] }>('/nodes');
      if (items[0]?.status !== status) throw new Error(`the node is ${items[0]?.status}`);
      return true;
    },
    { timeoutMs: 60_000, everyMs: 100 },
  );
}

async function ended(name: string): Promise<Task> {
  return eventually(
    async () => {
      const { items } = await installation.get<{ items: Task[] }>('/tasks?limit=500');
      const found = items.find((task) => task.name === name && task.status !== 'running');
      if (!found) throw new Error(`no end of ${name} among ${items.map((task) => task.name).join(' ')}`);
      return installation.get<Task>(`/tasks/${found.id}`);
    },
    { timeoutMs: 30_000, everyMs: 50 },
  );
}

describe('an agent under systemd', () => {
  it('writes units that systemd-analyze verifies, in every form', async () => {
    const forms = [
      '--all',
      '--all --socket',
      '--runner --instance second',
      '--host --user daemon',
      '--runner --user daemon',
    ];
    for (const form of forms) {
      const { code, stdout, stderr } = await machine.exec(
        `rm -rf /tmp/units && runnerwatch init service ${form} --output-dir /tmp/units && systemd-analyze verify /tmp/units/*`,
      );
      expect({ form, code, complaint: stderr }, stdout).toEqual({ form, code: 0, complaint: '' });
    }
  });

  it('tells a failed service with its last lines', async () => {
    await machine.exec("systemd-run --wait --unit=job7 -- sh -c 'echo epoch 3; echo last words; exit 7'");

    const task = await ended('job7');

    expect([task.status, task.exit_code, task.verdict.confidence]).toEqual(['failed', 7, 'proven']);
    expect(task.log_tail).toEqual(['epoch 3', 'last words']);
  });

  it('F026 tells the exit status of a scope, or that nobody could see it, and never a success it was not', async () => {
    const { stdout } = await machine.exec('uname -r');
    const [major = 0, minor = 0] = stdout.split('.').map(Number);
    const givesStatus = major > 6 || (major === 6 && minor >= 15);
    await machine.exec("systemd-run --scope --unit=slow3 -- sh -c 'sleep 0.3; exit 3'");

    const task = await ended('slow3');

    expect([task.status, task.exit_code]).toEqual(givesStatus ? ['failed', 3] : ['unknown', null]);
  });

  it('tells a unit that a person stopped as stopped', async () => {
    await machine.exec('systemd-run --unit=stopme -- sleep 300; sleep 0.5; systemctl stop stopme.service');

    const task = await ended('stopme');

    expect([task.status, task.signal, task.verdict.cause]).toEqual(['killed', 'SIGTERM', 'stopped_by_user']);
  });

  it('tells a program that is not there as not started', async () => {
    await machine.exec(
      'systemd-run --unit=nothing -- /no/such/program; systemd-run --unit=nothing2 -p ExecStart=/no/such/program true; sleep 1',
    );

    const { items } = await installation.get<{ items: Task[] }>('/tasks?limit=500');

    for (const task of items.filter(({ name }) => name.startsWith('nothing'))) {
      expect([task.status, task.verdict.cause]).toEqual(['failed', 'start_failed']);
    }
  });

  it("gives systemd's own words on a program that cannot be executed, as proof", async () => {
    await machine.exec('echo text >/tmp/not-a-program && systemd-run --unit=wordy /tmp/not-a-program; true');
    await machine.exec(
      "printf '[Service]\\nExecStart=/tmp/not-a-program\\n' >/run/systemd/system/wordy2.service && chmod -x /tmp/not-a-program && systemctl daemon-reload && systemctl start wordy2; true",
    );

    // On a node that is out of breath journald's word may come after the end was told, which is then amended.
    const task = await eventually(
      async () => {
        const found = await ended('wordy2');
        return found.verdict.confidence === 'proven' ? found : undefined;
      },
      { timeoutMs: 15_000, everyMs: 100 },
    );

    expect([task.status, task.verdict.cause]).toEqual(['failed', 'start_failed']);
    expect(task.verdict.summary).toMatch(/permission denied/i);
  });

  it('F043 tells RuntimeMaxSec= from a crash and from a stop', async () => {
    await machine.exec('systemd-run --scope --unit=overdue -p RuntimeMaxSec=1 -- sleep 60; true', {
      timeoutMs: 30_000,
    });

    const task = await ended('overdue');

    expect([task.status, task.verdict.cause, task.verdict.confidence]).toEqual(['timed_out', 'timeout', 'proven']);
  });

  it('finds the full disk in the last lines of a task', async () => {
    await machine.exec('mkdir -p /full && mount -t tmpfs -o size=64k none /full');
    await machine.exec(
      "systemd-run --wait --unit=cramped -p WorkingDirectory=/full -- sh -c 'head -c 1000000 /dev/zero >x || exit 1'",
    );

    const task = await ended('cramped');

    expect([task.status, task.exit_code, task.verdict.cause]).toEqual(['failed', 1, 'disk_full']);
  });

  it('names a HakuRiver task by its id', async () => {
    await machine.exec(
      "systemd-run --scope --unit=hakuriver-task-742 --description='HakuRiver Task 742: train' -- true",
    );

    const found = await eventually(async () =>
      (await installation.get<{ items: (Task & { task_id: string })[] }>('/tasks?limit=500')).items.find(
        ({ task_id }) => task_id === '742',
      ),
    );

    expect(found.unit).toBe('hakuriver-task-742.scope');
  });

  it('picks up a run that ended while the agent was stopped, and takes its goodbye for no death', async () => {
    await machine.exec('systemctl stop runnerwatch-agent.service', { timeoutMs: 30_000 });
    await nodeIs('stopped');
    await machine.exec("runnerwatch run --name away -- sh -c 'exit 5'");
    await machine.exec('systemctl start runnerwatch-agent.service');

    const task = await ended('away');

    expect([task.status, task.exit_code]).toEqual(['failed', 5]);
    const { items } = await installation.get<{ items: { title: string }[] }>('/incidents?all=true');
    expect(items.filter(({ title }) => /unreachable/i.test(title))).toEqual([]);
  });

  it('F001 derives from the journal what ended while the agent was dead', async () => {
    await machine.exec("systemd-run --unit=while-dead -- sh -c 'sleep 2; exit 9'");
    await machine.exec(`${killAgentForGood}; sleep 3; systemctl start runnerwatch-agent.service`);

    const task = await ended('while-dead');

    expect([task.status, task.exit_code]).toEqual(['failed', 9]);
  });

  it('tells what a shutdown swept away as stopped by the system, units and runs alike', async () => {
    await machine.exec(
      "systemctl start runnerwatch-agent.service; systemd-run --unit=swept -- sleep 300; systemd-run --unit=sweeper -- runnerwatch run --name swept-run -- sh -c 'exec sleep 300'; sleep 3",
    );

    await machine.reboot();

    for (const name of ['swept', 'swept-run']) {
      // Until its agent is back and has read the journal, the node's tasks may count as lost with it.
      const task = await eventually(
        async () => {
          const found = await ended(name);
          return found.verdict.cause === 'node_lost' ? undefined : found;
        },
        { timeoutMs: 30_000, everyMs: 100 },
      );
      expect([name, task.status, task.verdict.cause]).toEqual([name, 'killed', 'stopped_by_system']);
    }
  });
});
