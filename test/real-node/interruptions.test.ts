import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { allTasks, inDatabase, nodeBecomes, prepared, type TaskItem } from '../support/end-to-end.ts';
import { eventually } from '../support/eventually.ts';
import type { Installation, Program } from '../support/product.ts';
import { installAgent, killAgentForGood } from '../support/real-node/installed-node.ts';
import { bootNamespaceMachine, type NamespaceMachine } from '../support/real-node/namespace-machine.ts';

/*
 * What an agent hears from is taken from it while tasks end, on a real systemd: it looks again at all it missed, tells each
 * end once, and says where it could not look.
 */
let installation: Installation;
let collector: Program;
let machine: NamespaceMachine;

beforeAll(async () => {
  installation = await prepared();
  collector = await installation.collector({ log: { level: 'warn' }, heartbeat_timeout: '60s' });
  machine = await bootNamespaceMachine({ network: 'host' });
  await installAgent(
    {
      ssh: machine.exec.bind(machine),
      putFile: machine.putFile.bind(machine),
      putDir: machine.putDir.bind(machine),
    },
    { collectorUrl: installation.url, tokenFile: join(installation.dataDir, 'collector', 'agent.token') },
  );
  await nodeBecomes(installation, 'online');
});

afterAll(async () => {
  await machine?.stop();
  await installation?.[Symbol.asyncDispose]();
});

/** The ended tasks whose name begins so, when there are that many. */
async function ended(prefix: string, count: number): Promise<TaskItem[]> {
  return eventually(
    async () => {
      const found = (await allTasks(installation)).filter(
        ({ name, status }) => name.startsWith(prefix) && status !== 'running',
      );
      if (found.length < count) throw new Error(`${found.length} of ${count}: ${found.map(({ name }) => name)}`);
      return found;
    },
    { timeoutMs: 60_000, everyMs: 200 },
  );
}

const agent = (signal: string) => `systemctl kill --kill-who=main -s ${signal} runnerwatch-agent.service`;
/** Each says that it began: while systemd is executed anew, nobody can start it, or be told that it did. */
const many = (prefix: string, count: number) =>
  `for i in $(seq ${count}); do systemd-run --quiet --unit=${prefix}$i -- sh -c "echo ${prefix}$i >>/run/began; sleep 0.$((i % 10)); exit 7"; done`;

async function began(prefix: string): Promise<string[]> {
  const { stdout } = await machine.exec(`grep ^${prefix} /run/began`);
  return stdout.trim().split('\n').toSorted();
}

describe('an agent that is kept from hearing', () => {
  it('F015 tells what ended while it was stopped, and says of a scope that it could not look', async () => {
    await machine.exec("systemd-run --quiet --unit=frozen-service -- sh -c 'sleep 2; exit 7'");
    await machine.exec(
      `${agent('STOP')}; runnerwatch run --name frozen-run -- sh -c 'exit 5'; systemd-run --quiet --scope --unit=frozen-scope -- false; sleep 5; ${agent('CONT')}`,
    );

    const found = await ended('frozen-', 3);

    expect(found.map(({ name, status, exit_code }) => [name, status, exit_code]).toSorted()).toEqual([
      ['frozen-run', 'failed', 5],
      ['frozen-scope', 'unknown', null],
      ['frozen-service', 'failed', 7],
    ]);
    const summary = found.find(({ name }) => name === 'frozen-scope')?.verdict?.summary;
    expect(summary).toMatch(/it ended while the agent stood still for \d+ s/);
  });

  it('F028 tells each of 30 ends once, though the message bus is killed in the middle of them', async () => {
    await machine.exec(
      `(${many('bus-', 30)}) & sleep 0.3; systemctl kill -s KILL dbus.service; systemctl restart dbus; wait`,
    );

    const found = await ended('bus-', 30);

    expect(found.map(({ exit_code }) => exit_code)).toEqual(found.map(() => 7));
    expect(found).toHaveLength(30);
  });

  it('F029 loses and doubles none of 30 ends over reloads and re-executions of systemd', async () => {
    await machine.exec(
      `(${many('reload-', 30)}) & for i in 1 2 3; do systemctl daemon-reload; systemctl daemon-reexec; sleep 0.2; done; wait`,
      { timeoutMs: 120_000 },
    );

    const names = await began('reload-');
    const found = await eventually(
      async () => {
        const all = (await ended('reload-', names.length)).filter(({ name }) => names.includes(name));
        return all.length >= names.length ? all : undefined;
      },
      { timeoutMs: 60_000, everyMs: 200 },
    );

    expect(found.map(({ name, exit_code }) => [name, exit_code]).toSorted()).toEqual(names.map((name) => [name, 7]));
    expect(names.length).toBeGreaterThan(20);
  });

  it('F036 tells each end, though journald and journalctl are killed', async () => {
    await machine.exec(
      `(${many('journal-', 10)}) & systemctl kill -s KILL systemd-journald.service; P=$(systemctl show -p MainPID --value runnerwatch-agent.service); [ "$P" -gt 1 ] && pgrep -P $P journalctl | xargs -r kill -KILL; wait`,
    );

    const found = await ended('journal-', 10);

    expect(found.map(({ exit_code }) => exit_code)).toEqual(found.map(() => 7));
    expect(found).toHaveLength(10);
  });

  it('F028 tells within a minute of a message bus that hangs while units come and go, and loses none of them', async () => {
    await machine.exec('systemctl kill --kill-who=main -s STOP dbus.service');
    const frozenAt = performance.now();
    await machine.exec("systemd-run --quiet --unit=unheard-1 -- sh -c 'sleep 70; exit 7'");

    const alert = await eventually(
      async () => {
        const { items } = await installation.get<{ items: { title: string; status: string }[] }>('/incidents?all=true');
        return items.find(({ title }) => title.includes('does not hear systemd'));
      },
      { timeoutMs: 90_000, everyMs: 500 },
    );
    const toldAfterMs = performance.now() - frozenAt;
    await machine.exec('systemctl kill --kill-who=main -s CONT dbus.service');

    expect(toldAfterMs).toBeLessThan(65_000);
    expect(alert.status).toBe('open');
    const [task] = await ended('unheard-', 1);
    expect(task?.exit_code).toBe(7);
    await eventually(
      async () => {
        const { items } = await installation.get<{ items: { title: string; status: string }[] }>('/incidents?all=true');
        return items.find(({ title, status }) => title.includes('does not hear systemd') && status === 'resolved');
      },
      { timeoutMs: 120_000, everyMs: 500 },
    );
  });

  it('F034 says how much of the journal was removed while it was away, and goes on', async () => {
    await machine.exec(killAgentForGood);
    await machine.exec(
      "systemd-run --quiet --wait --unit=vacuumed -- sh -c 'exit 9'; for i in $(seq 50); do logger filler $i; done; journalctl --sync; journalctl --rotate; journalctl --vacuum-time=1s; sleep 1.5; logger kept; journalctl --rotate; journalctl --vacuum-files=1; systemctl start runnerwatch-agent.service",
      { timeoutMs: 60_000 },
    );
    await machine.exec("systemd-run --quiet --unit=after-vacuum -- sh -c 'exit 3'");
    const [after] = await ended('after-vacuum', 1);
    expect(after?.exit_code).toBe(3);
    await machine.exec('systemctl stop runnerwatch-agent.service');
    await collector.end();

    const gaps = await inDatabase(
      installation,
      (sql) => sql<{ source: string; cause: string; lost: number | null }>`
      select body->'gap'->>'source' as source, body->'gap'->>'cause' as cause, (body->'gap'->>'lost')::int as lost
      from events where kind = 'gap' order by id`,
    );

    const removed = gaps.find(({ source }) => source === 'journal');
    expect(removed?.cause).toBe('journal entries were removed before they were read');
    expect(removed?.lost).toBeGreaterThan(50);
    expect(gaps.map(({ source }) => source)).toContain('process-exits');
    expect(gaps.map(({ source }) => source)).toContain('systemd');
  });
});
