import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { haveBrowser, openBrowser, takeScreenshots, visit } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { Installation } from '../support/product.ts';

const failing = `
echo 'epoch 1 loss 0.91'
node -e 'const kept = []; const until = Date.now() + 3000; while (Date.now() < until) if (kept.length < 40) kept.push(Buffer.alloc(4e6, 1))'
cat >&2 <<'END'
Traceback (most recent call last):
  File "/srv/train.py", line 41, in <module>
    main()
  File "/srv/train.py", line 17, in main
    raise ValueError("loss is <script>alert(1)</script> NaN")
ValueError: loss is <script>alert(1)</script> NaN
END
exit 1`;

/* From the overview to why a task died, at the real collector. */
describe.skipIf(!haveBrowser())('the pages of tasks', () => {
  const here = new Installation();
  let browser: Browser;

  beforeAll(async () => {
    await here.collector({ notifications: { renotify_interval: '0' } });
    here.agent();
    browser = await openBrowser();
    const run = (...args: string[]) => here.cli(['run', '--project', 'vision', '--job', 'train', ...args]);
    await run('--name', 'train 1', '--', 'true');
    await run('--name', 'train 2', '--', 'sh', '-c', 'exit 2');
    await run('--name', 'train 3', '--', 'true');
    await run('--name', 'train 4', '--', 'sh', '-c', failing);
    await here.cli(['run', '--name', 'lonely', '--', 'true']);
    await eventually(async () => {
      const { items } = await here.get<{ items: { id: string; name: string; ended_at: string | null }[] }>('/tasks');
      const last = items.find(({ name }) => name === 'train 4');
      if (last === undefined || items.some(({ ended_at }) => ended_at === null)) return undefined;
      return here.get(`/tasks/${last.id}/recording`);
    });
  });

  afterAll(async () => {
    await browser.close();
    await here[Symbol.asyncDispose]();
  });

  it('lead from the overview to the verdict, its evidence and its last lines in one click', async () => {
    await using visited = await visit(browser, here.url);
    const { page, complaints } = visited;

    await page.getByRole('link', { name: 'train 4', exact: true }).click();

    const verdict = page.getByRole('region', { name: 'Verdict' });
    await verdict
      .getByText(/exit 1/)
      .first()
      .waitFor();
    expect(await verdict.getByText(/proven$/).count()).toBeGreaterThan(0);
    const lines = page.getByRole('list', { name: 'Last lines' });
    await lines.getByText('ValueError: loss is <script>alert(1)</script> NaN').waitFor();
    await page.getByRole('textbox', { name: 'Find in lines' }).fill('epoch');
    expect(await lines.getByRole('listitem').allTextContents()).toEqual(['epoch 1 loss 0.91']);
    await page
      .getByRole('region', { name: 'Who was told' })
      .getByText(/^1 notification was promised/)
      .waitFor();
    expect(complaints).toEqual([]);
  });

  it('F115: show what a task wrote as text', async () => {
    await using visited = await visit(browser, `${here.url}/tasks`);
    const { page, complaints } = visited;

    await page.getByRole('link', { name: 'train 4' }).click();
    await page.getByRole('list', { name: 'Last lines' }).waitFor();

    expect(await page.locator('script:not([src])').count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('draw its last minutes, and the runs of its job beside it', async () => {
    await using visited = await visit(browser, `${here.url}/tasks?status=failed`);
    const { page, complaints } = visited;

    await page.getByRole('link', { name: 'train 4' }).click();

    await page.getByRole('img', { name: 'Memory before the end' }).locator('canvas').waitFor();
    const job = page.getByRole('region', { name: 'Its job' });
    await job.getByText('2 of 4 ends, 50 %').waitFor();
    await job
      .getByRole('link', { name: /^completed/ })
      .last()
      .click();
    await page.getByRole('heading', { level: 1, name: 'train 3' }).waitFor();
    expect(complaints).toEqual([]);
  });

  it('ask for no last minutes where none were recorded', async () => {
    await fetch(`${here.url}/api/v1/ping/nightly/fail`, { method: 'POST' });
    await using visited = await visit(browser, `${here.url}/tasks?status=failed`);
    const { page, complaints } = visited;

    await page.getByRole('link', { name: 'nightly' }).first().click();

    await page.getByRole('region', { name: 'Verdict' }).waitFor();
    await page
      .getByRole('region', { name: 'Who was told' })
      .getByText(/promised|nobody/i)
      .first()
      .waitFor();
    expect(await page.getByRole('region', { name: /^The last .* before its end$/ }).count()).toBe(0);
    expect(complaints).toEqual([]);
  });

  it('keep their filters in the address, and views under a name', async () => {
    await using visited = await visit(browser, `${here.url}/tasks`);
    const { page, complaints } = visited;
    const table = page.getByRole('table', { name: 'Tasks' });

    await page.getByRole('textbox', { name: 'Job' }).fill('vision/train');
    await page.keyboard.press('Enter');
    await table.getByRole('link', { name: 'lonely' }).waitFor({ state: 'detached' });
    await page.getByRole('button', { name: 'Save view' }).click();
    await page.getByRole('textbox', { name: 'Name of the view' }).fill('trainings');
    await page.keyboard.press('Enter');
    await page.getByRole('button', { name: 'All', exact: true }).click();
    await table.getByRole('link', { name: 'lonely' }).waitFor();
    await page.getByRole('button', { name: 'trainings', exact: true }).click();

    await table.getByRole('link', { name: 'lonely' }).waitFor({ state: 'detached' });
    expect(new URL(page.url()).searchParams.get('job')).toBe('vision/train');
    await page.reload();
    await table.getByRole('link', { name: 'train 4' }).waitFor();
    expect(await table.getByRole('link', { name: /train/ }).count()).toBe(4);
    expect(complaints).toEqual([]);
  });

  it('look as they should in both schemes, on a desk and on a phone', async () => {
    const { items } = await here.get<{ items: { id: string; name: string }[] }>('/tasks?status=failed');
    const id = items.find(({ name }) => name === 'train 4')?.id ?? '';
    await takeScreenshots(browser, `${here.url}/tasks`, { name: 'tasks', seen: 'train 4' });
    await takeScreenshots(browser, `${here.url}/tasks/${id}`, { name: 'task', seen: 'Who was told' });
  });
});
