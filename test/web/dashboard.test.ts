import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { haveBrowser, openBrowser, takeScreenshots, visit } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { startPrefixProxy } from '../support/prefix-proxy.ts';
import { Installation } from '../support/product.ts';

/* A browser at the real collector, with this machine's agent and its real readings. */
describe.skipIf(!haveBrowser())('the dashboard', () => {
  const here = new Installation();
  let browser: Browser;
  let name = '';

  beforeAll(async () => {
    await here.collector();
    here.agent();
    browser = await openBrowser();
    name = await eventually(async () => {
      const { items } = await here.get<{ items: { name: string; sample: object | null }[] }>('/nodes');
      if (!items[0]?.sample) throw new Error('no reading yet');
      return items[0].name;
    });
  });

  afterAll(async () => {
    await browser.close();
    await here[Symbol.asyncDispose]();
  });

  it('shows this machine with its readings on the first visit, and what to try first', async () => {
    await using visited = await visit(browser, here.url);
    const { page, complaints } = visited;

    const machine = page.getByRole('region', { name });
    await machine.getByRole('meter', { name: 'Memory' }).waitFor();
    expect(await machine.getByRole('meter', { name: 'Memory' }).getAttribute('aria-valuetext')).toMatch(/^[\d.]+ %$/);
    await page.getByText("npx runnerwatch run -- sh -c 'exit 3'").first().waitFor();
    await page.getByRole('status').getByText('live').waitFor();
    expect(complaints).toEqual([]);
  });

  it('shows a failing command within two seconds of its end, without being loaded again', async () => {
    await using visited = await visit(browser, here.url);
    const { page, complaints } = visited;
    await page.getByRole('status').getByText('live').waitFor();

    const run = await here.cli(['run', '--name', 'doomed <b>command</b>', '--', 'sh', '-c', 'exit 3']);
    const endedAt = performance.now();
    const ends = page.getByRole('table', { name: 'Newest ends' });
    const row = ends.getByRole('row', { name: /doomed <b>command<\/b>/ });
    await row.getByText('failed', { exact: true }).waitFor({ timeout: 10_000 });
    const shownMs = performance.now() - endedAt;

    expect(run.code).toBe(3);
    expect(shownMs).toBeLessThan(2000);
    expect(complaints).toEqual([]);
  });

  it('finds a node by its name from the keyboard', async () => {
    await using visited = await visit(browser, here.url);
    const { page, complaints } = visited;
    await page.getByRole('status').getByText('live').waitFor();

    await page.keyboard.press('/');
    await page.getByRole('textbox', { name: 'Search' }).fill(name.slice(0, 6));
    await page.getByRole('dialog').getByRole('button', { name }).first().click();

    await page.getByRole('heading', { name, level: 1 }).waitFor();
    expect(new URL(page.url()).pathname).toMatch(/^\/nodes\/./);
    expect(complaints).toEqual([]);
  });

  it('says since when what it shows is old, and is live again by itself', async () => {
    await using visited = await visit(browser, `${here.url}/nodes`);
    const { page } = visited;
    await page.getByRole('status').getByText('live').waitFor();

    const [collector] = here.programs;
    if (collector === undefined) throw new Error('no collector');
    await collector.end();
    await page
      .getByRole('status')
      .getByText(/^stale, /)
      .waitFor();
    collector.startAgain();
    await here.ready(collector);

    await page.getByRole('status').getByText('live').waitFor({ timeout: 15_000 });
    expect(await page.getByRole('table', { name: 'Nodes' }).getByText(name).isVisible()).toBe(true);
  });

  it('works below a path of a proxy, where it asks for the token and remembers it in its tab', async () => {
    await using proxy = await startPrefixProxy(here.url, '/ops/watch');
    await using visited = await visit(browser, `${proxy.url}nodes`);
    const { page } = visited;
    const token = readFileSync(join(here.dataDir, 'collector', 'api.token'), 'utf8').trim();

    await page.getByLabel('API token').fill('rwp_wrong');
    await page.getByRole('button', { name: 'Open' }).click();
    await page.getByText('That token is not accepted.').waitFor();
    await page.getByLabel('API token').fill(token);
    await page.getByRole('button', { name: 'Open' }).click();

    await page.getByRole('table', { name: 'Nodes' }).getByText(name).waitFor();
    await page.getByRole('link', { name: 'Tasks' }).click();
    await page.getByRole('link', { name: 'doomed <b>command</b>' }).click();
    await page.getByRole('region', { name: 'Verdict' }).waitFor();
    expect(new URL(page.url()).pathname).toMatch(/^\/ops\/watch\/tasks\/[^/]+$/);
    await page.reload();
    await page.getByRole('region', { name: 'Verdict' }).waitFor();
    expect(visited.complaints.filter((text) => !text.includes('401 (Unauthorized)'))).toEqual([]);
  });

  it('looks as it should in both schemes, on a desk and on a phone', async () => {
    await takeScreenshots(browser, here.url, { name: 'overview', seen: 'doomed' });
    await takeScreenshots(browser, `${here.url}/nodes`, { name: 'nodes', seen: name });
  });
});
