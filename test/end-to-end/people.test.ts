import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Installation } from '../support/product.ts';

/* A machine where others log in: who has no token may look, and whoever can read the collector's own may do everything. */
describe('people by the command line', () => {
  const here = new Installation();
  let token = '';

  beforeAll(async () => {
    await here.collector({ auth: { local_role: 'viewer' } });
  });
  afterAll(() => here[Symbol.asyncDispose]());

  const someone = { RUNNERWATCH_DATA_DIR: '/nowhere', XDG_STATE_HOME: '/nowhere', HOME: '/nowhere' };
  const asAda = (args: readonly string[]) => here.cli(args, { RUNNERWATCH_API_TOKEN: token });
  const silence = ['silence', 'add', '--match', 'node=gpu-1', '--for', '1h', '--reason', 'disks'];

  it('makes a token that is printed once, by the credential that only some can read', async () => {
    const refused = await here.cli(['people', 'add', 'ada', '--role', 'operator'], someone);
    const made = await here.cli(['people', 'add', 'ada', '--role', 'viewer', '--expires', '90d']);

    expect(refused).toMatchObject({ code: 1, stdout: '' });
    expect(refused.stderr).toContain('this takes the role admin');
    expect(refused.stderr).toContain('send a token of your own');
    token = made.stdout.split('\n')[0] ?? '';
    expect(token).toMatch(/^rwp_[\w-]{43}$/);
    expect(made.stdout).toMatch(/as viewer until 20\d\d-.*; it is not shown again\n$/);
    expect((await here.cli(['people', 'list'])).stdout).toMatch(/^ada +viewer .* never +20\d\d-/m);
    expect((await here.cli(['nodes'], someone)).code).toBe(0);
  });

  it('lets each do what the role allows, under their own name', async () => {
    const early = await asAda(silence);
    const set = await here.cli(['people', 'set', 'ada', '--role', 'operator']);
    const done = await asAda([...silence, '--by', 'somebody else']);
    const unnamed = await here.cli(silence);

    expect(early).toMatchObject({ code: 1 });
    expect(early.stderr).toContain('`runnerwatch people set ada --role operator`');
    expect(set.stdout).toBe('ada is operator now\n');
    expect(done.code).toBe(0);
    expect(JSON.parse((await asAda(['silence', 'list', '--json'])).stdout)).toMatchObject({
      items: [{ author: 'ada' }],
    });
    expect(unnamed.stderr).toContain('expected who silences');
  });

  it('tells in the audit trail who did what', async () => {
    const { stdout } = await here.cli(['audit', '--person', 'ada', '--since', '1h']);
    const all = await here.cli(['audit', '--json']);

    expect(stdout.split('\n').slice(1, 3)).toEqual([
      expect.stringMatching(/ada \(operator\) +127\.0\.0\.1 +POST \/silences +\w{32} +done/),
      expect.stringMatching(/ada \(viewer\) +127\.0\.0\.1 +POST \/silences +refused/),
    ]);
    expect(JSON.parse(all.stdout).items.map(({ person }: { person: string }) => person)).toContain('api.token');
    expect(all.stdout).not.toContain(token);
  });

  it('keeps people over a restart, and takes a token away', async () => {
    const [collector] = here.programs;
    if (collector === undefined) throw new Error('no collector');
    await collector.end();
    collector.startAgain();
    await here.ready(collector);

    expect((await asAda(['nodes'])).code).toBe(0);
    expect((await here.cli(['people', 'remove', 'ada'])).stdout).toContain('opens nothing any more');
    expect((await asAda(['nodes'])).stderr).toContain('does not know this API token');
    expect(collector.output).not.toContain(token);
    expect(collector.output).not.toContain(readFileSync(join(here.dataDir, 'collector', 'api.token'), 'utf8').trim());
  });
});
