import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import axe, { type AxeResults } from 'axe-core';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { haveBrowser, openBrowser, visit } from '../support/browser.ts';
import { calm, runShell } from '../support/end-to-end.ts';
import { eventually } from '../support/eventually.ts';
import { Installation } from '../support/product.ts';

const routes = [
  ...readFileSync(resolve(import.meta.dirname, '../../collector/web/router.tsx'), 'utf8').matchAll(/path: '([^']+)'/g),
].map(([, path = '']) => path);

/** What would run if it were taken for markup, in every place where people and programs give names. */
const hostile = {
  node: '<img src=x onerror=alert(1)>',
  label: '"><svg/onload=alert(2)>',
  task: '</title><script>alert(3)</script>',
  job: "'-alert(4)-'<iframe srcdoc=x>",
  project: '<base href=//evil.example>',
  owner: 'javascript:alert(5)//<details open ontoggle=alert(6)>',
  line: 'ValueError: <a href="javascript:alert(7)" onfocus=alert(8) autofocus>here</a> ]]><!--',
} as const;
const live = '[onerror], [onload], [onfocus], [ontoggle], iframe, base, script:not([src]), [href^="javascript:" i]';

/** Pages that show what a node or its tasks are called. */
const shown: Readonly<Record<string, readonly string[]>> = {
  '/': [hostile.node, hostile.task],
  '/nodes': [hostile.node],
  '/nodes/$id': [hostile.node, hostile.label],
  '/tasks': [hostile.node, hostile.task],
  '/tasks/$id': [hostile.node, hostile.task, hostile.line, hostile.owner],
  '/jobs': [hostile.job, hostile.project],
  '/jobs/$id': [hostile.job, hostile.project],
  '/analytics': [hostile.node, hostile.job, hostile.project],
};

/* A node, tasks and log lines that mean harm; each page is looked at by its address in router.tsx. */
describe.skipIf(!haveBrowser())('every page', () => {
  const here = new Installation();
  let browser: Browser;

  beforeAll(async () => {
    await here.collector();
    here.agent({ ...calm, node: { name: hostile.node, labels: { rack: hostile.label } } });
    await here.cli(['people', 'add', 'ada', '--role', 'operator', '--expires', '90d']);
    browser = await openBrowser();
    const { task, job, project, owner } = hostile;
    const options = ['--name', task, '--job', job, '--project', project, '--owner', owner];
    // It lasts until the recorder has read it more than once: then there is a recording to show.
    await runShell(here, `sleep 3; echo '${hostile.line}' >&2; exit 1`, options);
    await eventually(async () => {
      const [failed] = (await here.get<{ items: { id: string }[] }>('/tasks?status=failed')).items;
      const incidents = await here.get<{ items: object[] }>('/incidents');
      if (failed === undefined || incidents.items.length === 0) throw new Error('it is not known yet');
      return here.get(`/tasks/${failed.id}/recording`);
    });
  });

  afterAll(async () => {
    await browser.close();
    await here[Symbol.asyncDispose]();
  });

  /** `/tasks/$id` with the id of the first task. */
  const addressOf = async (route: string) => {
    if (!route.includes('$')) return here.url + route;
    const listing = route.slice(0, route.indexOf('/$'));
    const { items } = await here.get<{ items: { id: string }[] }>(listing);
    return `${here.url}${listing}/${items[0]?.id}`;
  };

  it('is one of those that are looked at', () => {
    expect(routes).toEqual(expect.arrayContaining(Object.keys(shown).filter((route) => route !== '/nodes/$id')));
  });

  it.each(routes)('F115: shows as text what others wrote: %s', async (route) => {
    await using visited = await visit(browser, await addressOf(route));
    const { page, complaints } = visited;
    const dialogs: string[] = [];
    page.on('dialog', (dialog) => {
      dialogs.push(dialog.message());
      void dialog.dismiss();
    });
    await isLoaded(page);

    for (const text of shown[route] ?? []) await page.getByText(text).first().waitFor({ state: 'attached' });

    expect(await page.locator(live).evaluateAll((elements) => elements.map(({ outerHTML }) => outerHTML))).toEqual([]);
    expect(dialogs).toEqual([]);
    expect(complaints).toEqual([]);
  });

  describe.each(['light', 'dark'] as const)('in %s colours', (scheme) => {
    it.each(routes)('has nothing that axe finds: %s', async (route) => {
      await using visited = await visit(browser, await addressOf(route), { scheme });
      await isLoaded(visited.page);

      expect(await violationsOn(visited.page)).toEqual([]);
    });

    it('has nothing that axe finds in its forms', async () => {
      await using visited = await visit(browser, `${here.url}/silences`, { scheme });
      const { page, complaints } = visited;
      const form = page.getByRole('dialog');

      await page.getByRole('button', { name: 'Add a silence' }).click();
      await form.getByText('Every week').click();
      await form.getByText('sat', { exact: true }).click();
      await form.getByRole('combobox', { name: 'Time zone' }).fill('Mars');
      await form.getByText('Such as Europe/Berlin.').waitFor();
      expect(await violationsOn(page)).toEqual([]);
      await page.goto(`${here.url}/notifications`);
      await page.getByRole('button', { name: 'Subscribe' }).click();
      await form.getByRole('switch', { name: 'Quiet hours' }).click();

      expect(await violationsOn(page)).toEqual([]);
      expect(complaints).toEqual([]);
    });
  });
});

async function violationsOn(page: Page) {
  await page.evaluate(axe.source);
  const { violations }: AxeResults = await page.evaluate('axe.run()');
  return violations.map(({ id, nodes }) => ({
    id,
    nodes: nodes.map(({ html, failureSummary }) => ({ html, failureSummary })),
  }));
}

async function isLoaded(page: Page): Promise<void> {
  await page.getByRole('heading', { level: 1 }).waitFor();
  await page.getByRole('status').getByText('live').waitFor();
  await eventually(async () => (await page.locator('[aria-busy=true]').count()) === 0);
}
