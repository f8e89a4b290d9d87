import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { calm, holds, nodeBecomes, nodes, pass } from '../support/end-to-end.ts';
import { eventually } from '../support/eventually.ts';
import { havePostgres, PostgresCluster } from '../support/postgres.ts';
import { Installation } from '../support/product.ts';

describe.skipIf(!havePostgres())('two collectors on one database', () => {
  let cluster: PostgresCluster;
  const first = new Installation();
  const second = new Installation();
  beforeAll(async () => {
    cluster = await PostgresCluster.start();
  });
  afterEach(async () => {
    await second[Symbol.asyncDispose]();
    await first[Symbol.asyncDispose]();
  });
  afterAll(() => cluster[Symbol.asyncDispose]());

  it('F080 are one that works and one that stands by, holds nobody for dead, and takes over when the first stands still', async () => {
    const config = { database: { url: cluster.url() }, heartbeat_timeout: '3s' };
    const working = await first.collector(config);
    first.agent(calm);
    await nodeBecomes(first, 'online');
    const takenOver = second.collector(config);
    await eventually(() => second.programs[0]?.output.includes('this one stands by'), { timeoutMs: 60_000 });

    await pass(6000);

    expect((await nodes(first)).map(({ status }) => status)).toEqual(['online']);
    expect(await first.get<{ items: unknown[] }>('/incidents')).toMatchObject({ items: [] });
    await expect(fetch(`${second.url}/healthz`)).rejects.toThrow();

    working.signal('SIGSTOP');
    const other = await takenOver;
    expect(other.output).toContain('this one takes over');
    working.signal('SIGCONT');
    expect(await working.exit()).toBe(0);
    await holds(() => expect(working.output).toContain('another collector has taken this database over'));
  });
});
