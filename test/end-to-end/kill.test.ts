import { afterEach, describe, expect, it } from 'vitest';
import {
  allTasks,
  calm,
  closed,
  holds,
  inDatabase,
  pass,
  prepared,
  runCommand,
  telling,
  told,
} from '../support/end-to-end.ts';
import { HttpSink } from '../support/http-sink.ts';
import { randomFrom } from '../support/random.ts';

const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one[Symbol.asyncDispose]();
});

const ends = 300;
const kills = 30;
const runners = 4;

/** A line for the shell, and how its task must be judged. */
const kinds = [
  { line: 'exit 0', status: 'completed', code: 0, signal: null },
  { line: 'exit 1', status: 'failed', code: 1, signal: null },
  { line: 'exit 137', status: 'failed', code: 137, signal: null },
  { line: 'kill -KILL $$', status: 'killed', code: null, signal: 'SIGKILL' },
  { line: 'kill -TERM $$', status: 'killed', code: null, signal: 'SIGTERM' },
  { line: 'kill -SEGV $$', status: 'failed', code: null, signal: 'SIGSEGV' },
] as const;

describe('the kill test', () => {
  it('keeps every one of 300 ends, once, while agent and collector are killed at random 30 times', async () => {
    const seed = Number(process.env['RUNNERWATCH_SEED'] ?? Date.now() % 1_000_000);
    process.stdout.write(`kill test: RUNNERWATCH_SEED=${seed}\n`);
    const random = randomFrom(seed);
    const sink = await HttpSink.open();
    const installation = await prepared();
    opened.push(sink, installation);
    const collector = await installation.collector(telling(sink, { events: ['end'] }));
    const agent = installation.agent(calm);

    let next = 0;
    const runner = async () => {
      while (next < ends) {
        const index = next++;
        const kind = kinds[index % kinds.length];
        if (kind) await closed(runCommand(installation, ['sh', '-c', kind.line], ['--name', `run-${index}`]));
      }
    };
    const killer = async () => {
      for (let killed = 0; killed < kills; killed++) {
        await pass(200 + random() * 1800);
        const victim = random() < 0.5 ? agent : collector;
        await victim.end('SIGKILL');
        if (random() < 0.3) await pass(random() * 1000);
        victim.startAgain();
      }
    };
    await Promise.all([...Array.from({ length: runners }, runner), killer()]);
    await installation.ready(collector);

    await holds(async () => expect(new Set(sink.ids).size).toBe(ends), { timeoutMs: 120_000 });
    const tasks = await allTasks(installation);
    expect(tasks.length).toBe(ends);
    const wrong = tasks.filter(({ name, status, exit_code, signal }) => {
      const kind = kinds[Number(name.slice('run-'.length)) % kinds.length];
      return kind?.status !== status || kind.code !== exit_code || kind.signal !== signal;
    });
    expect(wrong).toEqual([]);
    expect(new Set(tasks.map(({ name }) => name)).size).toBe(ends);
    const tasksTold = new Map(told(sink).map(({ id, task }) => [id, task?.id]));
    expect(new Set(tasksTold.values()).size).toBe(ends);
    expect(told(sink).every(({ type, id, task }) => type === 'task.ended' && tasksTold.get(id) === task?.id)).toBe(
      true,
    );

    await agent.end();
    await collector.end();
    const [stored] = await inDatabase(
      installation,
      (sql) => sql<{ tasks: number; endings: number }>`
      select count(distinct body->'task'->>'id')::int as tasks, count(*)::int as endings
      from events where kind = 'task_ended'`,
    );
    expect(stored).toEqual({ tasks: ends, endings: ends });
    expect(tasks.every(({ amendments }) => amendments === 0)).toBe(true);
  }, 400_000);
});
