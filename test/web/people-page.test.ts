import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { haveBrowser, openBrowser, takeScreenshots, visit } from '../support/browser.ts';
import { calm } from '../support/end-to-end.ts';
import { eventually } from '../support/eventually.ts';
import { type PrefixProxy, startPrefixProxy } from '../support/prefix-proxy.ts';
import { Installation } from '../support/product.ts';

/* One browser on the collector's machine, an admin; another that comes through a proxy, as Ada. */
describe.skipIf(!haveBrowser())('the pages of people and of the audit trail', () => {
  const here = new Installation();
  let browser: Browser;
  let proxy: PrefixProxy;
  let token = '';

  beforeAll(async () => {
    await here.collector();
    here.agent({ ...calm, node: { name: 'gpu-1' } });
    proxy = await startPrefixProxy(here.url, '/ops');
    browser = await openBrowser();
    await eventually(async () => (await here.get<{ items: object[] }>('/nodes')).items.length === 1);
  });

  afterAll(async () => {
    await browser.close();
    await proxy[Symbol.asyncDispose]();
    await here[Symbol.asyncDispose]();
  });

  const comeIn = async (page: Page) => {
    await page.getByLabel('API token').fill(token);
    await page.getByRole('button', { name: 'Open' }).click();
    await page.getByRole('status').getByText('live').waitFor();
  };
  const peopleOf = (page: Page) => page.getByRole('table', { name: 'People' });

  it('makes a token that is shown once', async () => {
    await using visited = await visit(browser, here.url);
    const { page, complaints } = visited;
    await page.getByText('On this machine').waitFor();

    await page.getByRole('link', { name: 'People' }).click();
    const add = page.getByRole('region', { name: 'Add a person' });
    await add.getByRole('textbox', { name: 'Name' }).fill('Ada');
    await add.getByRole('combobox', { name: 'Role' }).selectOption('viewer');
    await add.getByRole('combobox', { name: 'Good for' }).click();
    await page.getByRole('option', { name: '90d' }).click();
    await add.getByRole('button', { name: 'Make a token' }).click();
    token = (await add.getByText(/^rwp_\S+$/).textContent()) ?? '';
    await peopleOf(page)
      .getByRole('row', { name: /^Ada .*never/ })
      .waitFor();

    await page.reload();
    await peopleOf(page).getByRole('link', { name: 'Ada' }).waitFor();
    expect(await page.getByText(token).count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('offers nobody what the role does not allow, and follows a change of role and the end of the token by itself', async () => {
    await using admin = await visit(browser, `${here.url}/people`);
    await using ada = await visit(browser, `${proxy.url}silences`);
    await comeIn(ada.page);
    const add = ada.page.getByRole('button', { name: 'Add a silence' });
    const row = peopleOf(admin.page).getByRole('row', { name: /^Ada/ });
    await ada.page.getByText('Ada', { exact: false }).getByText('viewer').waitFor();

    expect(await add.count()).toBe(0);
    expect(await ada.page.getByRole('link', { name: 'Audit' }).count()).toBe(0);
    await row.getByRole('combobox', { name: 'Role of Ada' }).selectOption('operator');
    await add.click({ timeout: 5000 });
    const form = ada.page.getByRole('dialog');
    await form.getByRole('textbox', { name: 'Patterns 1' }).fill('gpu-1');
    await form.getByRole('textbox', { name: 'Why' }).fill('new disks');
    expect(await form.getByRole('textbox', { name: 'Your name' }).count()).toBe(0);
    await form.getByRole('button', { name: 'Silence', exact: true }).click();
    await ada.page.getByText('by Ada').waitFor();
    await row.getByRole('button', { name: 'Remove Ada' }).click();
    await admin.page.getByRole('dialog', { name: 'Remove Ada?' }).getByRole('button', { name: 'Remove' }).click();

    await ada.page.getByRole('heading', { name: 'This collector asks for its API token' }).waitFor({ timeout: 5000 });
    await ada.page.getByText('That token is not accepted.').waitFor();
    expect(admin.complaints).toEqual([]);
  });

  it('tells who did what, and what one person did', async () => {
    await using visited = await visit(browser, here.url);
    const { page, complaints } = visited;

    await page.getByRole('link', { name: 'Audit' }).click();
    const trail = page.getByRole('table', { name: 'Audit trail' });
    await trail.getByRole('row', { name: /Ada operator POST \/silences .* done/ }).waitFor();
    await trail.getByRole('row', { name: /local admin DELETE \/people\/\{id\} Ada .* done/ }).waitFor();
    await trail.getByRole('link', { name: 'Ada' }).click();

    await page.getByRole('region', { name: 'Ada, the newest first' }).waitFor();
    await eventually(async () => expect(await trail.getByRole('row').count()).toBe(2));
    expect(complaints).toEqual([]);
  });

  it('looks as it should in both schemes, on a desk and on a phone', async () => {
    await here.cli(['people', 'add', 'grace', '--role', 'operator', '--expires', '90d']);
    await takeScreenshots(browser, `${here.url}/people`, { name: 'people', seen: 'grace' });
    await takeScreenshots(browser, `${here.url}/audit`, { name: 'audit', seen: 'local' });
  });

  it('lets someone on a machine where others log in become an admin, and nobody again', async () => {
    const [collector] = here.programs;
    await collector?.end();
    await here.collector({ auth: { local_role: 'viewer' } });
    await using visited = await visit(browser, `${here.url}/people`);
    const { page } = visited;

    await page.getByText('this takes the role admin').waitFor();
    await page.getByRole('button', { name: 'Sign in' }).click();
    await page
      .getByRole('dialog')
      .getByLabel('API token')
      .fill(readFileSync(join(here.dataDir, 'collector/api.token'), 'utf8'));
    await page.getByRole('dialog').getByRole('button', { name: 'Open' }).click();
    await page.getByRole('region', { name: 'Add a person' }).waitFor();
    await page.getByRole('button', { name: 'Leave' }).click();

    await page.getByText('this takes the role admin').waitFor();
    expect(await page.getByRole('region', { name: 'Add a person' }).count()).toBe(0);
  });
});
