import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { haveBrowser, openBrowser, takeScreenshots, visit } from '../support/browser.ts';
import { calm, holds, runShell, told } from '../support/end-to-end.ts';
import { eventually } from '../support/eventually.ts';
import { HttpSink } from '../support/http-sink.ts';
import { Installation } from '../support/product.ts';

interface JobItem {
  readonly id: string;
  readonly name: string;
  readonly runs: number;
  readonly running: number;
}

/* Jobs and where failures come from, at the real collector with real runs. */
describe.skipIf(!haveBrowser())('the pages of jobs', () => {
  const here = new Installation();
  let browser: Browser;
  let trainId = '';

  const run = (line: string, name: string) =>
    runShell(here, line, ['--project', 'vision', '--job', 'train', '--name', name]);

  beforeAll(async () => {
    await here.collector({ notifications: { renotify_interval: '0', allowed_cidrs: ['127.0.0.0/8'] } });
    here.agent(calm);
    browser = await openBrowser();
    for (let index = 1; index <= 12; index += 1)
      await run(`exit ${[0, 0, 0, 2, 0, 0, 7][index % 7]}`, `train ${index}`);
    await runShell(here, 'kill -KILL $$', ['--project', 'vision', '--job', 'evaluate', '--name', 'evaluate 1']);
    for (const name of ['nightly', 'report']) await runShell(here, 'true', ['--project', 'office', '--job', name]);
    await runShell(here, 'true', ['--job', 'backup']);
    trainId = await eventually(
      async () => {
        const { items } = await here.get<{ items: JobItem[] }>('/jobs');
        if (items.length !== 5 || items.some(({ running }) => running > 0)) throw new Error('not all have ended');
        return items.find(({ name, runs }) => name === 'train' && runs === 12)?.id;
      },
      { timeoutMs: 30_000 },
    );
  });

  afterAll(async () => {
    await browser.close();
    await here[Symbol.asyncDispose]();
  });

  it('lead from the list to the failed runs of one job', async () => {
    await using visited = await visit(browser, here.url);
    const { page, complaints } = visited;

    await page.getByRole('navigation').getByRole('link', { name: 'Jobs' }).click();
    const table = page.getByRole('table', { name: 'Jobs' });
    await table
      .getByRole('row', { name: 'backup' })
      .getByRole('link', { name: /^completed/ })
      .waitFor();
    await page.getByRole('textbox', { name: 'Search jobs' }).fill('SION/tr');
    await table.getByRole('link', { name: 'backup' }).waitFor({ state: 'detached' });
    await table.getByText('25 %').waitFor();
    await table.getByRole('link', { name: 'vision / train', exact: true }).click();
    await page.getByRole('heading', { level: 1, name: 'train' }).waitFor();
    await page.getByRole('link', { name: '3, 25 %' }).click();

    const tasks = page.getByRole('table', { name: 'Tasks' });
    await tasks.getByRole('link').first().waitFor();
    expect((await tasks.getByRole('link').allTextContents()).toSorted()).toEqual(['train 10', 'train 3', 'train 6']);
    expect(complaints).toEqual([]);
  });

  it('show every run as a bar that leads to its task, its days and its causes', async () => {
    await using visited = await visit(browser, `${here.url}/jobs/${encodeURIComponent('vision/train')}`);
    const { page, complaints } = visited;

    const runs = page.getByRole('figure', { name: 'Runs' }).getByRole('link');
    await runs.first().waitFor();
    expect(await runs.count()).toBe(12);
    expect(await page.getByRole('link', { name: '3 runs by exit code' }).count()).toBe(1);
    expect(await page.getByRole('link', { name: /: 3 of 12 runs failed, 25 %$/ }).count()).toBe(1);
    await runs
      .and(page.getByRole('link', { name: /^failed after/ }))
      .first()
      .click();

    await page.getByRole('heading', { level: 1, name: 'train 3' }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('tell a webhook of a job of its next failure, until the alert is deleted', async () => {
    await using sink = await HttpSink.open();
    await using visited = await visit(browser, `${here.url}/jobs/${trainId}`);
    const { page, complaints } = visited;
    const alerts = page.getByRole('region', { name: 'Its own alerts' });

    await alerts.getByText('Nobody is told of this job alone.').waitFor();
    await alerts.getByRole('textbox', { name: 'URL of the webhook' }).fill(sink.url);
    await alerts.getByRole('button', { name: 'Add alert' }).click();
    await alerts.getByRole('list', { name: 'Alerts' }).getByText(sink.url).waitFor();
    await run('exit 5', 'train for the webhook');
    await holds(() => expect(told(sink).map(({ task }) => task?.name)).toEqual(['train for the webhook']));
    await page.getByRole('figure', { name: 'Runs' }).getByRole('link').nth(12).waitFor();
    await alerts.getByRole('button', { name: `Delete the alert to ${sink.url}` }).click();
    await page.getByRole('button', { name: 'Delete this alert' }).click();

    await alerts.getByText('Nobody is told of this job alone.').waitFor();
    expect((await here.get<{ items: unknown[] }>(`/jobs/${trainId}/alerts`)).items).toEqual([]);
    expect(complaints).toEqual([]);
  });

  it('say beside an address why it is refused', async () => {
    await using visited = await visit(browser, `${here.url}/jobs/${trainId}`);
    const { page } = visited;
    const address = page.getByRole('textbox', { name: 'URL of the webhook' });

    await address.fill('http://169.254.169.254/latest');
    await page.getByRole('button', { name: 'Add alert' }).click();

    await page
      .getByRole('region', { name: 'Its own alerts' })
      .getByText(/the address is not public/)
      .waitFor();
    expect(await address.getAttribute('aria-invalid')).toBe('true');
  });

  it('keep what is expected of a job until nothing is', async () => {
    await using visited = await visit(browser, `${here.url}/jobs/${trainId}`);
    const { page, complaints } = visited;
    const panel = page.getByRole('region', { name: 'Expected of it' });

    await panel.getByRole('textbox', { name: 'Starts every' }).fill('24h');
    await panel.getByRole('textbox', { name: 'Takes at most' }).fill('90m');
    await panel.getByRole('button', { name: 'Expect this' }).click();
    await panel.getByRole('button', { name: 'Expect nothing' }).waitFor();
    expect(await panel.getByRole('textbox', { name: 'May be late by' }).inputValue()).toBe('5m');
    expect(await here.get(`/jobs/${trainId}/expectation`)).toMatchObject({ every: '1d', max_run: '1h30m' });
    await panel.getByRole('textbox', { name: 'Starts every' }).fill('');
    await panel.getByRole('textbox', { name: 'Or at the times of' }).fill('0 3 * * mon-fri');
    await panel.getByRole('textbox', { name: 'By the clock of' }).fill('Europe/Berlin');
    await panel.getByRole('button', { name: 'Expect this' }).click();
    await page.getByText(/next due/).waitFor();
    expect(await here.get(`/jobs/${trainId}/expectation`)).toMatchObject({
      every: null,
      schedule: '0 3 * * mon-fri',
      time_zone: 'Europe/Berlin',
    });
    await panel.getByRole('button', { name: 'Expect nothing' }).click();

    await panel.getByText(/^Nothing yet/).waitFor();
    expect(await panel.getByRole('textbox', { name: 'Starts every' }).inputValue()).toBe('');
    expect(complaints).toEqual([]);
  });

  it('lead from a cause, an hour or a job to the failures behind it', async () => {
    await using visited = await visit(browser, `${here.url}/analytics?since=24h`);
    const { page, complaints } = visited;

    await page.getByRole('link', { name: /^signal: 1 failure/ }).click();
    const tasks = page.getByRole('table', { name: 'Tasks' });
    await tasks.getByRole('link', { name: 'evaluate 1' }).waitFor();
    expect(await tasks.getByRole('link').count()).toBe(1);
    await page.goBack();
    await page.getByRole('link', { name: /^vision\/evaluate: 1 failure of 1 run, 100 %/ }).click();
    await tasks.getByRole('link', { name: 'evaluate 1' }).waitFor();
    await page.goBack();
    await page.getByText('30 days').click();
    await page.getByRole('figure', { name: 'Failures by day (UTC)' }).getByRole('link').last().click();

    await tasks.getByRole('link', { name: 'evaluate 1' }).waitFor();
    expect(await tasks.getByRole('link', { name: 'backup' }).count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('look as they should in both schemes, on a desk and on a phone', async () => {
    await takeScreenshots(browser, `${here.url}/jobs`, { name: 'jobs', seen: 'nightly' });
    await takeScreenshots(browser, `${here.url}/jobs/${trainId}`, { name: 'job', seen: 'Nobody is told' });
    await takeScreenshots(browser, `${here.url}/analytics`, { name: 'analytics', seen: 'vision/train' });
  });
});
