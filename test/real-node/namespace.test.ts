import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { eventually } from '../support/eventually.ts';
import { Installation } from '../support/product.ts';
import { installAgent, killAgentForGood } from '../support/real-node/installed-node.ts';
import { bootNamespaceMachine, type NamespaceMachine } from '../support/real-node/namespace-machine.ts';
import { mustSucceed } from '../support/real-node/run-command.ts';

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
  verdict: { cause: string; confidence: string; summary: string; evidence: { source: string; fact: string }[] };
  log_tail: string[] | null;
  id: string;
}

interface Alert {
  id: string;
  condition: string;
  subject: string;
  status: string;
  severity: string;
  reason: string;
}

interface Incident {
  id: string;
  status: string;
  alerts: Alert[];
}

interface Transition {
  kind: string;
  alert_id: string | null;
  decisions: { reason: string }[];
}

beforeAll(async () => {
  await installation.collector({
    log: { level: 'warn' },
    conditions: { restart_loop_count: 3, restart_loop_within: '8s' },
  });
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

/** What the node's agent said of its own deaths, the newest first. */
async function ownGaps(): Promise<{ source: string; cause: string; from: string | null; to: string | null }[]> {
  const { items: nodes } = await installation.get<{ items: { id: string }[] }>('/nodes');
  const { items } = await installation.get<{ items: Awaited<ReturnType<typeof ownGaps>> }>(
    `/nodes/${nodes[0]?.id}/gaps?limit=100`,
  );
  return items.filter(({ source }) => source === 'agent');
}

type Sources = Record<string, { name: string; state: string; reason: string | null }>;

/** What the node's agent says of its sources, once it is so. */
async function sourcesOnce(isSo: (sources: Sources) => boolean): Promise<Sources> {
  return eventually(
    async () => {
      const { items } = await installation.get<{ items: { sources: Sources[string][] }[] }>('/nodes');
      const sources = Object.fromEntries(items[0]?.sources.map((source) => [source.name, source]) ?? []);
      if (!isSo(sources)) throw new Error(JSON.stringify(sources));
      return sources;
    },
    { timeoutMs: 30_000, everyMs: 100 },
  );
}

async function incidentsWith(condition: string, subject: string): Promise<Incident[]> {
  const { items } = await installation.get<{ items: Incident[] }>('/incidents?all=true&limit=200');
  return items.filter(({ alerts }) =>
    alerts.some((alert) => alert.condition === condition && alert.subject === subject),
  );
}

/** The one alert of this condition on this subject, once its status is this. */
async function alertIs(
  status: string,
  condition: string,
  subject: string,
): Promise<{ incident: Incident; alert: Alert }> {
  return eventually(
    async () => {
      const [incident, ...more] = await incidentsWith(condition, subject);
      const alert = incident?.alerts.find((one) => one.condition === condition);
      if (incident === undefined || alert?.status !== status || more.length > 0)
        throw new Error(`${condition} of ${subject} is ${alert?.status} (${alert?.reason}), in ${more.length} more`);
      return { incident, alert };
    },
    { timeoutMs: 60_000, everyMs: 100 },
  );
}

async function writeUnit(name: string, lines: readonly string[]): Promise<void> {
  const text = Buffer.from(`${lines.join('\n')}\n`).toString('base64');
  await machine.exec(`echo ${text} | base64 -d >/run/systemd/system/${name} && systemctl daemon-reload`);
}

/** Whether its kernel tells the exit status of who is no child of the one who asks. */
async function givesStatus(): Promise<boolean> {
  const { stdout } = await machine.exec('uname -r');
  const [major = 0, minor = 0] = stdout.split('.').map(Number);
  return major > 6 || (major === 6 && minor >= 15);
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

  it.each(['root', 'daemon'])(
    'R54 starts the collector of %s, shut in as its unit is, on its own database',
    async (user) => {
      const unit = `runnerwatch-collector-${user}.service`;
      await mustSucceed(
        machine.exec(
          `printf 'listen: 127.0.0.1:4888\\n' >/etc/runnerwatch/collector-${user}.yaml && runnerwatch init service --host --user ${user} --instance ${user} --output-dir /etc/systemd/system && systemctl daemon-reload && systemctl start ${unit}`,
          { timeoutMs: 60_000 },
        ),
        'start',
      );
      const ask = `node -e 'fetch("http://127.0.0.1:4888/readyz").then(async (answer) => { console.log(answer.status); process.exit(answer.ok ? 0 : 1); }, () => process.exit(1))'`;

      const asked = await machine.exec(
        `for i in $(seq 60); do ${ask} && exit 0; sleep 0.5; done; journalctl -u ${unit} -n 30 -o cat`,
        {
          timeoutMs: 90_000,
        },
      );
      const stopped = await machine.exec(`systemctl stop ${unit}; systemctl show -P Result ${unit}`, {
        timeoutMs: 60_000,
      });

      expect(asked.stdout.trim()).toBe('200');
      expect(stopped.stdout.trim()).toBe('success');
    },
  );

  it('tells a failed service with its last lines', async () => {
    await machine.exec("systemd-run --wait --unit=job7 -- sh -c 'echo epoch 3; echo last words; exit 7'");

    const task = await ended('job7');

    expect([task.status, task.exit_code, task.verdict.confidence]).toEqual(['failed', 7, 'proven']);
    expect(task.log_tail).toEqual(['epoch 3', 'last words']);
  });

  it('F026 tells the exit status of a scope, or that nobody could see it, and never a success it was not', async () => {
    await machine.exec("systemd-run --scope --unit=slow3 -- sh -c 'sleep 0.3; exit 3'");

    const task = await ended('slow3');

    expect([task.status, task.exit_code]).toEqual((await givesStatus()) ? ['failed', 3] : ['unknown', null]);
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

  describe('of a program that crashes', () => {
    const folder = '/var/tmp/cores';
    const factsOf = ({ verdict }: Task) => verdict.evidence.map(({ source, fact }) => `${source}: ${fact}`);
    /** What a shell, which is told by the kernel, says of such a death here: kernel.core_pattern is this machine's. */
    let core = '';

    beforeAll(async () => {
      const crash = String.raw`printf '#!/bin/sh\nkill -SEGV $$\n' >/usr/local/bin/crash && chmod +x /usr/local/bin/crash`;
      await mustSucceed(machine.exec(`mkdir -p ${folder} && ${crash}`), 'prepare');
      const { stderr } = await machine.exec(`cd ${folder} && ulimit -c unlimited && bash -c 'crash; true'`);
      core = stderr.includes('core dumped') ? ' (core dumped)' : '';
    });

    it('F043 tells that a service dumped core, by the word of systemd', async () => {
      await machine.exec(
        `systemd-run --wait --unit=dumper -p LimitCORE=infinity -p WorkingDirectory=${folder} -- /usr/local/bin/crash`,
      );

      const task = await ended('dumper');

      expect([task.status, task.exit_code, task.signal]).toEqual(['failed', null, 'SIGSEGV']);
      expect([task.verdict.cause, task.verdict.confidence]).toEqual(['signal', 'proven']);
      expect(task.verdict.summary).toBe(`Crashed with SIGSEGV${core}.`);
      const [how, result] = core === '' ? ['killed', 'signal'] : ['dumped', 'core-dump'];
      expect(factsOf(task)).toEqual(
        expect.arrayContaining([`systemd: main process ${how}, status 11`, `systemd: result ${result}`]),
      );
    });

    it('F043 tells that a scope dumped core, by the wait status alone where the kernel gives it', async () => {
      await machine.exec(
        `cd ${folder} && ulimit -c unlimited && systemd-run --scope --unit=dumping -- sh -c 'sleep 0.3; exec crash'; true`,
      );

      const task = await ended('dumping');

      if (!(await givesStatus())) return expect([task.status, task.signal]).toEqual(['unknown', null]);
      expect([task.status, task.exit_code, task.signal]).toEqual(['failed', null, 'SIGSEGV']);
      expect([task.verdict.cause, task.verdict.confidence]).toEqual(['signal', 'proven']);
      expect(task.verdict.summary).toBe(`Crashed with SIGSEGV${core}.`);
      expect(factsOf(task)).toContain(`kernel: main process ended with SIGSEGV${core} (pidfd)`);
    });

    it('F043 claims no core where none may be written', async () => {
      await machine.exec(
        `systemd-run --wait --unit=coreless -p LimitCORE=0 -p WorkingDirectory=${folder} -- /usr/local/bin/crash`,
      );
      await machine.exec(
        `cd ${folder} && ulimit -c 0 && systemd-run --scope --unit=coreless-scope -- sh -c 'sleep 0.3; exec crash'; true`,
      );

      const service = await ended('coreless');
      const scope = await ended('coreless-scope');

      expect([service.signal, service.verdict.summary]).toEqual(['SIGSEGV', 'Crashed with SIGSEGV.']);
      expect(factsOf(service)).toContain('systemd: result signal');
      expect(JSON.stringify([service.verdict, scope.verdict])).not.toMatch(/core.dump|dumped/);
      if (await givesStatus())
        expect([scope.signal, scope.verdict.summary]).toEqual(['SIGSEGV', 'Crashed with SIGSEGV.']);
    });
  });

  it('tells a service whose ExecCondition= says no as not run, which is no failure', async () => {
    await writeUnit('conditional.service', ['[Service]', 'ExecCondition=/bin/false', "ExecStart=/bin/sh -c 'exit 7'"]);
    await machine.exec('systemctl start conditional.service');

    const task = await ended('conditional');

    expect([task.status, task.exit_code, task.verdict.summary]).toEqual([
      'completed',
      null,
      'Not run: its ExecCondition= was not met, says systemd.',
    ]);
  });

  it('finds the full disk in the last lines of a task', async () => {
    await machine.exec('mkdir -p /full && mount -t tmpfs -o size=64k none /full');
    await machine.exec(
      "systemd-run --wait --unit=cramped -p WorkingDirectory=/full -- sh -c 'head -c 1000000 /dev/zero >x || exit 1'",
    );

    const task = await ended('cramped');

    expect([task.status, task.exit_code, task.verdict.cause]).toEqual(['failed', 1, 'disk_full']);
  });

  it('F031 tells a service that is restarted until its start limit as one loop, and its end when it is good again', async () => {
    await writeUnit('flappy.service', [
      '[Unit]',
      'StartLimitIntervalSec=60',
      'StartLimitBurst=6',
      '[Service]',
      "ExecStart=/bin/sh -c 'test -e /run/flappy-is-good || exit 4; exec sleep 300'",
      'Restart=on-failure',
      'RestartSec=100ms',
    ]);
    await machine.exec('systemctl start flappy.service');

    const { alert, incident } = await alertIs('firing', 'RestartLoop', 'flappy.service');
    const failures = await eventually(
      async () => {
        const { items } = await installation.get<{ items: Task[] }>('/tasks?limit=500');
        const failed = items.filter(({ name, status }) => name === 'flappy' && status === 'failed');
        return failed.length === 6 ? failed : undefined;
      },
      { timeoutMs: 30_000, everyMs: 100 },
    );
    expect(alert.severity).toBe('critical');
    const told = await eventually(async () => {
      const explained = await Promise.all(
        failures.map(({ id }) => installation.get<{ transitions: Transition[] }>(`/explain/tasks/${id}`)),
      );
      const ends = explained.map(({ transitions }) => transitions.find(({ alert_id }) => alert_id !== alert.id));
      return ends.includes(undefined)
        ? undefined
        : ends.map((end) => [end?.kind, ...(end?.decisions.map(({ reason }) => reason) ?? [])].join(' '));
    });
    expect(told.toSorted()).toEqual([
      ...Array<string>(2).fill('fired matched'),
      ...Array<string>(4).fill('suppressed restart_loop'),
    ]);

    await machine.exec('touch /run/flappy-is-good; systemctl reset-failed flappy; systemctl start flappy');

    const over = await alertIs('resolved', 'RestartLoop', 'flappy.service');
    expect(over.alert.reason).toMatch(/^no failure for 8 s; it runs; last: flappy failed \(exit code 4\)$/);
    expect(over.incident.id).toBe(incident.id);
    // With its last alert: systemd held the unit as failed for a while, and its failed units are looked at every 15 s.
    await eventually(
      async () => {
        const { status, alerts } = await installation.get<Incident>(`/incidents/${incident.id}`);
        if (status !== 'resolved') throw new Error(`still firing: ${alerts.map((one) => one.condition).join(' ')}`);
        return true;
      },
      { timeoutMs: 40_000, everyMs: 100 },
    );
    const { items: story } = await installation.get<{ items: Transition[] }>(`/incidents/${incident.id}/timeline`);
    expect(story.flatMap(({ kind, alert_id }) => (alert_id === alert.id ? [kind] : []))).toEqual(['resolved', 'fired']);
    await machine.exec('systemctl stop flappy.service');
  });

  it('tells a mount that failed, for as long as systemd holds it as failed', async () => {
    const mountOf = (size: string) => [
      '[Mount]',
      'What=none',
      'Where=/mnt/scratch',
      'Type=tmpfs',
      `Options=size=${size}`,
    ];
    await writeUnit('mnt-scratch.mount', mountOf('nonsense'));
    await machine.exec('systemctl start mnt-scratch.mount');

    const { alert } = await alertIs('firing', 'UnitFailed', 'mnt-scratch.mount');
    expect([alert.severity, alert.reason]).toEqual(['warning', 'mnt-scratch.mount is failed (as systemd has it)']);

    await writeUnit('mnt-scratch.mount', mountOf('64k'));
    await machine.exec('systemctl start mnt-scratch.mount');

    const over = await alertIs('resolved', 'UnitFailed', 'mnt-scratch.mount');
    expect(over.incident.status).toBe('resolved');
    expect(await incidentsWith('UnitFailed', 'mnt-scratch.mount')).toHaveLength(1);
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

  it('F040 starts, and the node is there, while Docker hangs in its own start', async () => {
    const hanging = String.raw`printf '[Service]\nType=oneshot\nExecStart=/bin/sleep 600\n'`;
    const unit = '/etc/systemd/system/docker.service';
    await mustSucceed(
      machine.exec(`rm -f ${unit}; ${hanging} >${unit} && systemctl daemon-reload`),
      'a Docker that hangs',
    );
    await mustSucceed(machine.exec('systemctl start --no-block docker.service'), 'its start');

    const started = await machine.exec('systemctl restart runnerwatch-agent.service', { timeoutMs: 20_000 });

    expect(started.code).toBe(0);
    await machine.exec('systemctl stop runnerwatch-agent.service');
    await nodeIs('stopped');
    await machine.exec('systemctl start runnerwatch-agent.service', { timeoutMs: 20_000 });
    await nodeIs('online');
    expect((await machine.exec('systemctl is-active docker.service')).stdout.trim()).toBe('activating');
    await machine.exec(`systemctl stop docker.service; ln -sf /dev/null ${unit}; systemctl daemon-reload`);
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

  it('F001 amends in its next life an end that it could not prove, when the journal has the proof', async () => {
    // systemd says why it could not execute a program in the journal alone, which stands still until the agent is dead.
    const journald = (signal: string) => `systemctl kill -s ${signal} systemd-journald.service`;
    await machine.exec(
      'systemctl start runnerwatch-agent.service; sleep 1; echo text >/tmp/no-program; chmod -x /tmp/no-program',
    );
    await writeUnit('wordless.service', ['[Service]', 'ExecStart=/tmp/no-program']);
    await machine.exec(`${journald('STOP')}; systemctl start wordless.service; true`);
    const before = await ended('wordless');
    expect([before.status, before.exit_code, before.verdict.cause, before.verdict.confidence]).toEqual([
      'failed',
      203,
      'start_failed',
      'likely',
    ]);

    await machine.exec(`${killAgentForGood}; ${journald('CONT')}; sleep 1; systemctl start runnerwatch-agent.service`);

    const after = await eventually(
      async () => {
        const found = await ended('wordless');
        return found.verdict.confidence === 'proven' ? found : undefined;
      },
      { timeoutMs: 30_000, everyMs: 100 },
    );
    expect([after.id, after.status, after.exit_code, after.verdict.cause]).toEqual([
      before.id,
      'failed',
      203,
      'start_failed',
    ]);
    expect(after.verdict.summary).toMatch(/permission denied/i);
  });

  it('F013 is started again by systemd when it is killed, and says once that it was, with the word of systemd', async () => {
    await mustSucceed(
      machine.exec('rm -rf /run/systemd/system/runnerwatch-agent.service.d; systemctl daemon-reload'),
      '',
    );
    await machine.exec('systemctl restart runnerwatch-agent.service', { timeoutMs: 30_000 });
    await nodeIs('online');
    const before = await ownGaps();
    await machine.exec("systemd-run --unit=while-killed -- sh -c 'sleep 1; exit 8'");

    await machine.exec('systemctl kill -s KILL runnerwatch-agent.service');

    const [gap] = await eventually(async () => {
      const gaps = await ownGaps();
      return gaps.length > before.length ? gaps : undefined;
    });
    expect(gap?.cause).toBe(
      'the agent was killed with SIGKILL (systemd: main process killed, status 9; result signal)',
    );
    const awayMs = Date.parse(gap?.to ?? '') - Date.parse(gap?.from ?? '');
    expect(awayMs).toBeGreaterThan(1000);
    expect(awayMs).toBeLessThan(30_000);
    expect((await ended('while-killed')).exit_code).toBe(8);
    await machine.exec('systemctl restart runnerwatch-agent.service', { timeoutMs: 30_000 });
    await machine.exec("systemd-run --wait --unit=after-restart -- sh -c 'exit 6'");
    await ended('after-restart');
    expect(await ownGaps()).toHaveLength(before.length + 1);
  });

  it('F012 hears services, scopes and runs with hardly a descriptor to spare, and says what it is short of', async () => {
    const folder = '/run/systemd/system/runnerwatch-agent.service.d';
    const restart = 'systemctl daemon-reload && systemctl restart runnerwatch-agent.service';
    const limited = `mkdir -p ${folder} && printf '[Service]\\nLimitNOFILE=80\\n' >${folder}/few-files.conf && ${restart}`;
    await machine.exec('for i in $(seq 60); do systemd-run --unit=crowd$i -- sleep 300; done', { timeoutMs: 60_000 });
    await mustSucceed(machine.exec(limited, { timeoutMs: 30_000 }), 'a low limit');
    await nodeIs('online');

    const short = await sourcesOnce(
      (sources) => sources['process-exits']?.reason?.includes('file descriptors') === true,
    );
    expect(short['process-exits']).toMatchObject({
      state: 'degraded',
      reason: expect.stringMatching(
        /^out of file descriptors \(80\): raise LimitNOFILE= of the agent's unit, or ulimit -n;/,
      ),
    });
    expect([short['systemd']?.state, short['journal']?.state]).toEqual(['seeing', 'seeing']);
    await machine.exec(
      "systemd-run --wait --unit=crowded7 -- sh -c 'echo last; exit 7'; runnerwatch run --name crowded8 -- sh -c 'exit 8'",
    );
    const [service, run] = [await ended('crowded7'), await ended('crowded8')];
    expect([service.exit_code, service.log_tail, run.exit_code]).toEqual([7, ['last'], 8]);

    await mustSucceed(
      machine.exec(`rm ${folder}/few-files.conf && ${restart}`, { timeoutMs: 30_000 }),
      'the limit of the unit',
    );
    await sourcesOnce((sources) => sources['process-exits']?.reason?.includes('file descriptors') !== true);
    await machine.exec("systemctl stop 'crowd*.service'");
    const { items } = await installation.get<{ items: Task[] }>('/tasks?limit=500&until=2100-01-01T00:00:00.000Z');
    expect(items.filter(({ name, status }) => /^crowd\d+$/.test(name) && status === 'unknown')).toEqual([]);
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
