import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { calm, prepared, runShell, told } from '../support/end-to-end.ts';
import { eventually } from '../support/eventually.ts';
import { HttpSink } from '../support/http-sink.ts';
import type { Installation, Program } from '../support/product.ts';

/* One story, told in order: a person asks to hear of a job, silences it, and hears afterwards what was kept back. */
describe('who hears what, by the command line', () => {
  let installation: Installation;
  let collector: Program;
  let sink: HttpSink;

  beforeAll(async () => {
    sink = await HttpSink.open();
    installation = await prepared();
    collector = await installation.collector({ notifications: { allowed_cidrs: ['127.0.0.0/8'], group_window: '0' } });
    installation.agent(calm);
    await eventually(() =>
      installation.get<{ items: { status: string }[] }>('/nodes').then(({ items }) => items[0]?.status === 'online'),
    );
  });
  afterAll(async () => {
    await installation[Symbol.asyncDispose]();
    await sink[Symbol.asyncDispose]();
  });

  const fail = (job: string) => runShell(installation, 'exit 3', ['--job', job, '--project', 'ml']);
  const cli = async (...args: string[]) => {
    const { code, stdout, stderr } = await installation.cli(args);
    expect({ args, code, stderr }).toEqual({ args, code: 0, stderr: '' });
    return stdout;
  };

  it('a failure of that job reaches an address of their own within seconds, also after a restart', async () => {
    await cli('subscribe', '--name', 'mine', '--match', 'job=train', '--event', 'fail', '--webhook', sink.url);
    await collector.end();
    collector.startAgain();
    await installation.ready(collector);

    await fail('other');
    await fail('train');

    await eventually(() => expect(sink.requests).toHaveLength(1), { timeoutMs: 10_000 });
    expect(told(sink)).toMatchObject([{ type: 'task.ended', task: { job: 'train', status: 'failed', exit_code: 3 } }]);
  });

  it('a silence keeps the next one back and is named for it; when it ends the failure is told, late', async () => {
    await cli('silence', 'add', '--match', 'job=train', '--for', '1h', '--by', 'ada', '--reason', 'tuning');
    await fail('train');
    const newest = () =>
      cli('tasks', '--job', 'train', '--json').then((out) => (JSON.parse(out) as { items: { id: string }[] }).items);
    const [task] = await eventually(async () => {
      const items = await newest();
      return items.length === 2 ? items : undefined;
    });
    await eventually(async () =>
      expect(await cli('explain', 'task', task?.id ?? '')).toMatch(
        /not notified \(silenced by ada until \S+: tuning\)/,
      ),
    );
    const [silence] = (JSON.parse(await cli('silence', 'list', '--json')) as { items: { id: string }[] }).items;
    await cli('silence', 'expire', silence?.id ?? '');

    await eventually(() => expect(sink.requests).toHaveLength(2), { timeoutMs: 10_000 });
    expect(told(sink)[1]).toMatchObject({
      task: { id: task?.id },
      held_back: { reason: 'silenced', by: 'ada', note: 'tuning' },
    });
  });

  it('an ended subscription hears no more', async () => {
    await cli('unsubscribe', 'mine');
    await fail('train');
    const task = await eventually(async () => {
      const { items } = JSON.parse(await cli('tasks', '--job', 'train', '--json')) as { items: { id: string }[] };
      return items.length === 3 ? items[0] : undefined;
    });
    await eventually(async () =>
      expect(await cli('explain', 'task', task?.id ?? '')).toContain('default-log → log: notified'),
    );

    expect(sink.requests).toHaveLength(2);
  });
});
