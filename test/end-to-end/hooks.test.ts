import { expect, it } from 'vitest';
import { calm, holds, nodeBecomes, prepared, runShell } from '../support/end-to-end.ts';
import { HttpSink } from '../support/http-sink.ts';

it('posts an end to the address of a hook, from the agent as it runs on a node', async () => {
  await using sink = await HttpSink.open();
  await using installation = await prepared();
  await installation.collector();
  const agent = installation.agent({ ...calm, hooks: [{ events: ['fail'], webhook: `${sink.url}?token=canary` }] });
  await nodeBecomes(installation, 'online');

  expect(await runShell(installation, 'exit 3')).toBe(3);

  await holds(() => expect(sink.bodies).toMatchObject([{ type: 'task.ended', task: { exit_code: 3 } }]));
  expect(agent.output).not.toContain('canary');
});
