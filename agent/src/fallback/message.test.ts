import { expect, it } from 'vitest';
import { backMessage, silentMessage } from './message.ts';
import type { Told } from './state.ts';

const told: Told = {
  key: 'k1',
  rank: 1,
  since: '2026-01-01T12:00:00.000Z',
  cause: { kind: 'unreachable', reason: 'no answer from <!channel> in 10 s\u202e' },
  arrived: 'perhaps',
  end: 'open',
};
const parts = {
  told,
  node: { id: 'id-1', name: 'gpu-07 @all\nforged', labels: { rack: 'r1' } },
  collectorUrls: ['https://user:canary@collector.example/watch?key=canary'],
  unsent: { records: 12, taskFailures: 3, isCounted: true },
  atMs: Date.parse('2026-01-01T12:16:00.000Z'),
};

it('F117 F128 says in one harmless line what is the matter, and names no secret', () => {
  const message = JSON.parse(silentMessage(parts)) as Record<string, unknown>;

  expect(message).toMatchObject({
    version: 1,
    id: 'fallback-k1-fired',
    type: 'collector.unreachable',
    collector_urls: ['https://collector.example/watch'],
    unsent: { records: 12, task_failures: 3, are_counted: true },
    rank: 1,
  });
  expect(message['text']).toBe(
    'Node gpu-07 @\u200ball forged does not reach its Runnerwatch collector (https://collector.example/watch), which may be dead: no answer from &lt;!channel&gt; in 10 s . Since 2026-01-01 12:00:00 UTC, for 16 min. Until that is mended nobody is told of failures and of nodes in trouble. 3 task failures of this node could not be told.',
  );
  expect(JSON.stringify(message)).not.toContain('canary');
});

it('F128 has an id of its own for the all-clear, and says how long it was', () => {
  const message = JSON.parse(backMessage(parts)) as Record<string, unknown>;

  expect(message).toMatchObject({ id: 'fallback-k1-resolved', type: 'collector.recovered', since: told.since });
  expect(message['text']).toMatch(/^All clear: .* is back, says node gpu-07 .* for 16 min\.$/);
});
