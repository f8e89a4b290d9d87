import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { haveBrowser, openBrowser, takeScreenshots, visit } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { Installation } from '../support/product.ts';

interface Agent {
  id: string;
  node: string;
  connected: boolean;
  admitted_by: string;
  revoked_at: string | null;
}

/** Runs what is to be pasted, all but systemctl and as nobody but us, below `folder`; returns the environment of its service. */
function typed(script: string, folder: string): Record<string, string> {
  const lines = script
    .split('\n')
    .filter((line) => !line.includes('systemctl'))
    .map((line) => line.replaceAll('sudo ', '').replaceAll('/etc/', `${folder}/etc/`));
  mkdirSync(join(folder, 'etc/systemd/system'), { recursive: true });
  execFileSync('sh', ['-ec', lines.join('\n')], { stdio: 'pipe' });
  const written = readFileSync(join(folder, 'etc/runnerwatch/agent.env'), 'utf8').trim().split('\n');
  return Object.fromEntries(written.map((line) => line.split(/=(.*)/, 2) as [string, string]));
}

/* A second agent comes in with the token that the page shows. */
describe.skipIf(!haveBrowser())('the page of the fleet', () => {
  const here = new Installation();
  let browser: Browser;

  const folder = join(here.dataDir, 'second');

  const agents = async () => (await here.get<{ items: Agent[] }>('/agents')).items;
  const agentOf = async (node: string) => (await agents()).find((agent) => agent.node === node);

  beforeAll(async () => {
    await here.collector();
    here.agent({ node: { name: 'first' } });
    browser = await openBrowser();
    await eventually(async () => (await agentOf('first'))?.connected);
  });

  afterAll(async () => {
    await browser.close();
    await here[Symbol.asyncDispose]();
  });

  it('admits a node by a token shown once, and says by itself when it is here', async () => {
    await using visited = await visit(browser, here.url);
    const { page, complaints } = visited;
    await page.getByRole('link', { name: 'Fleet' }).click();
    const add = page.getByRole('region', { name: 'Add a node' });

    await add.getByRole('textbox', { name: 'Labels they get' }).fill('rack=r1');
    await add.getByRole('textbox', { name: 'What it is for' }).fill('new <i>racks</i>');
    await add.getByRole('button', { name: 'Make a token' }).click();
    const token = (await add.getByText(/^rwj_\S+$/).textContent()) ?? '';
    await add.getByText('Only this machine reaches that address').waitFor();
    await add.getByRole('textbox', { name: 'The collector, as the node reaches it' }).fill(`${here.url}/`);
    const environment = typed(await add.getByLabel('Commands').innerText(), folder);
    await add.getByRole('status').getByText('Waiting for it').waitFor();
    here.agent(
      {
        node: { name: 'second' },
        collector_urls: undefined,
        token_file: undefined,
        data_dir: folder,
        tasks: { containers: { sockets: [] } },
      },
      environment,
    );

    await add.getByRole('status').getByText('is here').waitFor();
    expect(await agentOf('second')).toMatchObject({ admitted_by: 'enrollment', connected: true });
    const tokens = page.getByRole('table', { name: 'Join tokens' });
    await tokens.getByRole('row', { name: /used up .*new <i>racks<\/i> rack=r1 1 of 1/ }).waitFor();
    await page
      .getByRole('table', { name: 'Agents' })
      .getByRole('row', { name: /^second connected/ })
      .waitFor();
    await page.reload();
    await page.getByRole('table', { name: 'Join tokens' }).waitFor();
    expect(await page.getByText(token).count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('revokes an agent after saying what happens, and lets it in again', async () => {
    await using visited = await visit(browser, `${here.url}/fleet`);
    const { page, complaints } = visited;
    const row = page.getByRole('table', { name: 'Agents' }).getByRole('row', { name: /^second/ });

    await row.getByRole('button', { name: 'Revoke second' }).click();
    const dialog = page.getByRole('dialog', { name: 'Revoke the agent of second?' });
    await dialog.getByText(/^Its session ends at once/).waitFor();
    await dialog.getByRole('button', { name: 'Revoke' }).click();

    await row.getByText('revoked', { exact: true }).waitFor();
    await eventually(async () => expect(await agentOf('second')).toMatchObject({ connected: false }));
    expect((await agentOf('second'))?.revoked_at).not.toBeNull();
    await row.getByRole('button', { name: 'Approve second' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Approve' }).click();
    await row.getByText('connected', { exact: true }).waitFor({ timeout: 90_000 });
    expect(complaints).toEqual([]);
  });

  it('revokes a join token that nobody has used', async () => {
    await here.cli(['enroll', 'create', '--note', 'left over', '--uses', '3']);
    await using visited = await visit(browser, `${here.url}/fleet`);
    const { page, complaints } = visited;
    const row = page.getByRole('table', { name: 'Join tokens' }).getByRole('row', { name: /left over/ });

    await row.getByRole('button', { name: 'Revoke' }).click();
    await page.getByRole('dialog').getByRole('button', { name: 'Revoke' }).click();

    await row.getByText('revoked', { exact: true }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('looks as it should in both schemes, on a desk and on a phone', async () => {
    await takeScreenshots(browser, `${here.url}/fleet`, { name: 'fleet', seen: 'left over' });
  });
});
