import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { haveBrowser, openBrowser, takeScreenshots, visit } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { Installation } from '../support/product.ts';

interface NodeRecord {
  id: string;
  name: string;
  status: string;
  sample: object | null;
  conditions: { condition: string; status: string }[];
}

/* This machine's agent, told to find any use of memory too much: a condition that really fires. */
describe.skipIf(!haveBrowser())('the page of a node', () => {
  const here = new Installation();
  let browser: Browser;
  let node: NodeRecord;

  const record = async () => (await here.get<{ items: NodeRecord[] }>('/nodes')).items[0];

  beforeAll(async () => {
    await here.collector();
    here.agent({
      node: { name: 'gpu-7', labels: { rack: 'r1', zone: '<b>north</b>' } },
      conditions: { memory_pressure_threshold: 1 },
    });
    browser = await openBrowser();
    node = await eventually(async () => {
      const found = await record();
      if (!found?.sample || !found.conditions.some(({ status }) => status === 'true')) throw new Error('not yet');
      return found;
    });
    await here.cli(['run', '--name', 'good', '--', 'true']);
    await here.cli(['run', '--name', 'doomed', '--', 'sh', '-c', 'sleep 2; exit 3']);
    const hasPast = async () => {
      const { items } = await here.get<{ items: { ended_at: string | null }[] }>('/tasks');
      const readings = await here.get<{ items: object[] }>(`/nodes/${node.id}/samples?from=15m`);
      return items.length === 2 && items.every(({ ended_at }) => ended_at !== null) && readings.items.length > 1;
    };
    await eventually(hasPast, { timeoutMs: 60_000 });
  });

  afterAll(async () => {
    await browser.close();
    await here[Symbol.asyncDispose]();
  });

  it('is kept in a view of the list under a name, in the order of it', async () => {
    await using visited = await visit(browser, `${here.url}/nodes?search=gpu-7&sort=memory`);
    const { page, complaints } = visited;
    const table = page.getByRole('table', { name: 'Nodes' });
    await table.getByRole('link', { name: 'gpu-7' }).waitFor();

    await page.getByRole('button', { name: 'Save view' }).click();
    await page.getByRole('textbox', { name: 'Name of the view' }).fill('ours');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'Offline', exact: true }).click();
    await page.getByText('No node is like that.').waitFor();
    await page.getByRole('button', { name: 'ours', exact: true }).click();

    await table.getByRole('link', { name: 'gpu-7' }).waitFor();
    expect(Object.fromEntries(new URL(page.url()).searchParams)).toEqual({ search: 'gpu-7', sort: 'memory' });
    expect(complaints).toEqual([]);
  });

  it('is found from the list, and draws what this machine reads now, with what fires', async () => {
    await using visited = await visit(browser, `${here.url}/nodes`);
    const { page, complaints } = visited;

    await page.getByRole('table', { name: 'Nodes' }).getByRole('link', { name: 'gpu-7' }).click();

    await page.getByRole('heading', { level: 1, name: 'gpu-7' }).waitFor();
    const memory = page.getByRole('region', { name: 'Memory', exact: true });
    await memory.locator('canvas').waitFor();
    const now = page.getByRole('region', { name: 'Tasks and readings' }).getByText(/^\d+(\.\d+)? %$/);
    expect(await now.count()).toBeGreaterThan(1);
    const conditions = page.getByRole('table', { name: 'Conditions' });
    await conditions.getByRole('row', { name: /^MemoryPressure/ }).waitFor();
    await page.getByRole('list', { name: 'Labels' }).getByText('<b>north</b>').waitFor();
    await page.getByRole('region', { name: 'What its agent sees' }).getByText('systemd', { exact: true }).waitFor();
    await conditions.getByRole('link', { name: /^MemoryPressure/ }).click();
    await page.waitForURL('**/incidents/*');
    await page.getByRole('region', { name: 'Its alerts' }).getByText('MemoryPressure').first().waitFor();
    expect(complaints).toEqual([]);
  });

  it('draws new readings as they come, over the range that is asked for', async () => {
    await using visited = await visit(browser, `${here.url}/nodes/gpu-7`);
    const { page, complaints } = visited;
    const chart = page.getByRole('img', { name: 'CPU of gpu-7' }).locator('canvas');
    const drawn = async () => (await chart.screenshot()).toString('base64');

    await page.getByRole('radiogroup', { name: 'How far back' }).getByText('15m').click();
    await page.waitForURL('**/nodes/*?range=15m');
    const before = await drawn();

    await eventually(async () => expect(await drawn()).not.toBe(before));
    expect(complaints).toEqual([]);
  });

  it('shows its tasks on the same axis, each leading to why it ended', async () => {
    await using visited = await visit(browser, `${here.url}/nodes/${node.id}?range=15m`);
    const { page, complaints } = visited;
    const timeline = page.getByRole('group', { name: 'Tasks over time' });

    await timeline.getByRole('link', { name: /^good: completed/ }).waitFor();
    const canvas = page.getByRole('img', { name: 'Memory of gpu-7' }).locator('.u-over');
    const [above, below] = await Promise.all([timeline.boundingBox(), canvas.boundingBox()]);
    expect(above?.x).toBeCloseTo(below?.x ?? 0, 0);
    expect(above?.width).toBeCloseTo(below?.width ?? 0, 0);
    await timeline.getByRole('link', { name: /^doomed: failed after 2/ }).click();

    await page.getByRole('heading', { level: 1, name: 'doomed' }).waitFor();
    await page.getByRole('link', { name: 'gpu-7' }).first().click();
    await page.getByRole('heading', { level: 1, name: 'gpu-7' }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('silences it after showing what that hides, and ends the silence', async () => {
    await using visited = await visit(browser, `${here.url}/nodes/${node.id}`);
    const { page, complaints } = visited;

    await page.getByRole('button', { name: 'Silence' }).click();
    const dialog = page.getByRole('dialog', { name: 'Silence gpu-7' });
    await dialog.getByText(/^Hides \d alerts that fire now/).waitFor();
    await dialog.getByText('MemoryPressure').first().waitFor();
    await dialog.getByRole('textbox', { name: 'Why' }).fill('new <i>memory</i>');
    await dialog.getByRole('textbox', { name: 'Your name' }).fill('ada');
    await dialog.getByRole('button', { name: 'Silence' }).click();

    const silenced = page.getByRole('region', { name: 'Silenced' });
    await silenced.getByText('new <i>memory</i>').waitFor();
    const { items } = await here.get<{ items: object[] }>('/silences');
    expect(items).toMatchObject([{ author: 'ada', matchers: { node: ['gpu-7'] }, state: 'active' }]);
    await silenced.getByRole('button', { name: 'End it' }).click();
    await silenced.waitFor({ state: 'detached' });
    expect((await here.get<{ items: object[] }>('/silences')).items).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it('shows a silence that reaches it by a pattern or a label', async () => {
    const send = async (matchers: object) => {
      const body = JSON.stringify({ matchers, author: 'ada', reason: 'new switches', for: '2h' });
      const headers = { 'content-type': 'application/json' };
      const answer = await fetch(`${here.url}/api/v1/silences`, { method: 'POST', headers, body });
      return ((await answer.json()) as { id: string }).id;
    };
    const ids = [await send({ 'label.rack': 'r*' }), await send({ node: 'cpu-*' })];
    await using visited = await visit(browser, `${here.url}/nodes/${node.id}`);
    const { page, complaints } = visited;

    const silenced = page.getByRole('region', { name: 'Silenced' });
    await silenced.getByText('r*').waitFor();
    expect(await silenced.count()).toBe(1);
    await silenced.getByRole('link', { name: 'All silences' }).click();
    await page.getByRole('table', { name: 'Quiet now' }).getByText('cpu-*').waitFor();

    for (const id of ids) await fetch(`${here.url}/api/v1/silences/${id}`, { method: 'DELETE' });
    expect(complaints).toEqual([]);
  });

  it('drains it with a word to the others, and undrains it', async () => {
    await using visited = await visit(browser, `${here.url}/nodes/${node.id}`);
    const { page, complaints } = visited;

    await page.getByRole('button', { name: 'Drain' }).click();
    const dialog = page.getByRole('dialog', { name: 'Drain gpu-7' });
    await dialog.getByRole('textbox', { name: 'Why' }).fill('kernel update');
    await dialog.getByRole('textbox', { name: 'Your name' }).fill('ada');
    await dialog.getByRole('button', { name: 'Drain' }).click();

    await page.getByRole('region', { name: 'Drained' }).getByText('kernel update').waitFor();
    expect((await record())?.status).toBe('draining');
    await page.getByRole('button', { name: 'Undrain' }).click();
    await page.getByRole('region', { name: 'Drained' }).waitFor({ state: 'detached' });
    expect((await record())?.status).toBe('online');
    expect(complaints).toEqual([]);
  });

  it('says what to do when there is no such node', async () => {
    await using visited = await visit(browser, `${here.url}/nodes/nobody`);

    await visited.page
      .getByRole('alert')
      .getByText(/nobody/)
      .waitFor();
    await visited.page.getByText('It may have been removed').waitFor();
  });

  it('looks as it should in both schemes, on a desk and on a phone', async () => {
    await takeScreenshots(browser, `${here.url}/nodes/${node.id}?range=15m`, { name: 'node', seen: 'Processes' });
  });
});
