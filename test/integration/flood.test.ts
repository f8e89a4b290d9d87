import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AgentClient, aHello, ended } from '../support/agent-client.ts';
import { openAgentsDoor } from '../support/agents-door.ts';
import { copyTemplate, TestDatabase } from '../support/database.ts';
import { eventually } from '../support/eventually.ts';

const support = resolve(import.meta.dirname, '../support');
const flooderId = '99999999-9999-4999-8999-999999999999';

describe('an agent that floods', () => {
  const children: ChildProcess[] = [];
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'flood-'));
  });
  afterEach(async () => {
    for (const child of children.splice(0).toReversed()) await killed(child);
    rmSync(folder, { recursive: true });
  });

  /** A program of test/support in a process of its own; what it says, line by line. */
  const start = (name: string, args: readonly string[]) => {
    const child = spawn(process.execPath, ['--import', 'tsx', join(support, name), ...args], {
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    children.push(child);
    let said = '';
    child.stdout.on('data', (chunk: Buffer) => {
      said += chunk.toString();
    });
    return {
      line: (index: number) => eventually(() => said.split('\n').slice(0, -1)[index], { timeoutMs: 60_000 }),
      end: () => killed(child),
    };
  };

  it.each([
    ['frames', 'tooMuch'],
    ['pings', 'lost'],
  ])('F073 is slowed down, then closed, when it sends too many %s', async (kind, reason) => {
    await using test = await TestDatabase.start('embedded');
    const door = openAgentsDoor(test, { inDebtMaxMs: 1500, silentAfterMs: 30_000 });
    await new Promise<void>((listening) => door.server.listen(0, '127.0.0.1', listening));
    const { port } = door.server.address() as { port: number };

    const flooder = start('flooding-agent.ts', [String(port), kind]);

    expect(await flooder.line(0)).toBe('flooding');
    expect(await flooder.line(1)).toMatch(/4008|1006/);
    expect(door.disconnected).toEqual([[flooderId, reason]]);
    await door.gateway[Symbol.asyncDispose]();
    await door.liveness[Symbol.asyncDispose]();
    door.server.close();
  });

  it('F073 leaves the time that others wait for their acks as it was', async () => {
    // What the flood costs this machine is the same when it goes to another door.
    const [port, elsewhere] = await Promise.all(
      ['ours', 'another'].map(async (name) => {
        await copyTemplate(join(folder, name));
        return start('ingest-program.ts', [join(folder, name), '']).line(0);
      }),
    );
    if (port === undefined || elsewhere === undefined) throw new Error('a door did not open');
    await using other = new AgentClient(`ws://127.0.0.1:${port}/agent/v1`, { token: 'good' });
    await other.greet(aHello());
    let seq = 0;
    const ackMs = async () => {
      seq += 1;
      const sentAt = performance.now();
      other.send({ kind: 'batch', lane: 'ends', events: [ended(seq, `t${seq}`)] });
      await eventually(() => other.acks().at(-1)?.seq === seq, { everyMs: 0, timeoutMs: 60_000 });
      return performance.now() - sentAt;
    };
    const p99 = async () => {
      const times: number[] = [];
      for (let n = 0; n < 300; n += 1) times.push(await ackMs());
      return times.toSorted((a, b) => a - b)[Math.floor(times.length * 0.99)] ?? Number.NaN;
    };
    const whileFlooding = async (flooded: string) => {
      const flooder = start('flooding-agent.ts', [flooded, 'frames']);
      await flooder.line(0);
      const ms = await p99();
      await flooder.end();
      return ms;
    };
    await p99();

    // Whatever else this machine does can only add to one side of one round.
    const rounds: { before: number; during: number }[] = [];
    const isAsItWas = () => rounds.some(({ before, during }) => during < 2 * before + 10);
    while (rounds.length < 3 && !isAsItWas())
      rounds.push({ before: await whileFlooding(elsewhere), during: await whileFlooding(port) });

    expect(isAsItWas(), `p99 in ms while another door is flooded, and this one: ${JSON.stringify(rounds)}`).toBe(true);
  });
});

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  child.kill('SIGKILL');
  await once(child, 'exit');
}
