import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { haveBrowser, openBrowser, takeScreenshots, visit } from '../support/browser.ts';
import { eventually } from '../support/eventually.ts';
import { HttpSink } from '../support/http-sink.ts';
import { Installation } from '../support/product.ts';

interface Incident {
  readonly id: string;
  readonly title: string;
  readonly status: string;
}

/* Who is told what, and who is not, at the real collector with real failed runs. */
describe.skipIf(!haveBrowser())('the pages of alerts', () => {
  const here = new Installation();
  let sink: HttpSink;
  let browser: Browser;
  const incidents = async (query: string) => (await here.get<{ items: Incident[] }>(`/incidents${query}`)).items;
  const idOf = async (text: string) => {
    const found = (await incidents('')).find(({ title }) => title.includes(text));
    if (found === undefined) throw new Error(`no incident of ${text}`);
    return found.id;
  };

  beforeAll(async () => {
    sink = await HttpSink.open({
      answer: ({ path }) =>
        path === '/refuses' ? { kind: 'status', status: 410 } : { kind: 'status', status: 202, body: 'taken' },
    });
    await here.collector({
      notifications: {
        allowed_cidrs: ['127.0.0.0/8'],
        notifiers: {
          hook: { type: 'webhook', url: sink.url },
          gone: { type: 'webhook', url: sink.url.replace('/hook', '/refuses') },
        },
        subscriptions: [
          { name: 'failures', receiver: 'hook', events: ['fail', 'timeout', 'condition'] },
          { name: 'nightly', receiver: 'gone', events: ['fail'], matchers: { job: 'nightly-*' } },
        ],
      },
    });
    here.agent({ conditions: { high_load_multiplier: 1000 } });
    browser = await openBrowser();
    for (const name of ['nightly-import', 'nightly-export', 'train <b>big</b>'])
      await here.cli(['run', '--project', 'vision', '--job', name, '--name', name, '--', 'sh', '-c', 'exit 3']);
    await eventually(() => Promise.all(['nightly-import', 'nightly-export', 'train'].map(idOf)));
  });

  afterAll(async () => {
    await browser.close();
    await here[Symbol.asyncDispose]();
    await sink[Symbol.asyncDispose]();
  });

  it('lead from the overview to an incident, who was told and why another was not', async () => {
    await using visited = await visit(browser, here.url);
    const { page, complaints } = visited;

    await page
      .getByRole('table', { name: 'Open incidents' })
      .getByRole('link', { name: /train <b>big<\/b>/ })
      .click();

    await page.getByRole('region', { name: 'What is wrong' }).getByText('Nobody is on it yet.').waitFor();
    const story = page.getByRole('region', { name: 'What happened, and who was told' });
    await story.getByText(/^delivered after .*HTTP 202$/).waitFor();
    await story.getByText(/^not told: /).waitFor();
    await page.goto(`${here.url}/incidents/${await idOf('nightly-import')}`);
    await story.getByText('could not be told').waitFor();
    expect(complaints).toEqual([]);
  });

  it('silence what is like an incident, after showing what that hides', async () => {
    await using visited = await visit(browser, `${here.url}/incidents/${await idOf('nightly-import')}`);
    const { page, complaints } = visited;

    await page.getByRole('button', { name: 'Silence' }).click();
    const form = page.getByRole('dialog');
    const hides = form.getByRole('region', { name: 'What it hides' });
    await hides.getByText(/^Hides 3 alerts that fire now/).waitFor();
    await form.getByRole('button', { name: 'Add a line' }).click();
    await form.getByRole('combobox', { name: 'Key 3' }).fill('job');
    await form.getByRole('textbox', { name: 'Patterns 3' }).fill('nightly-*');
    await hides.getByText(/^Hides 2 alerts that fire now/).waitFor();
    await form.getByRole('textbox', { name: 'Why' }).fill('database moves');
    await form.getByRole('textbox', { name: 'Your name' }).fill('ada');
    await form.getByRole('button', { name: 'Silence' }).click();
    await form.waitFor({ state: 'detached' });

    await page.getByRole('link', { name: 'Silences' }).click();
    const active = page.getByRole('table', { name: 'Quiet now' });
    await active.getByRole('row', { name: /database moves.*by ada.*nightly-\*/ }).waitFor();
    await active.getByText(/^1 h 5\d m left$|^2 h 00 m left$/).waitFor();
    await page.getByRole('button', { name: 'End: database moves' }).click();
    await page.getByRole('table', { name: 'Over' }).getByText('database moves').waitFor();
    expect(complaints).toEqual([]);
  });

  it('plan a window that comes every week, and show it in the week', async () => {
    await using visited = await visit(browser, `${here.url}/silences`);
    const { page, complaints } = visited;

    await page.getByRole('button', { name: 'Add a silence' }).click();
    const form = page.getByRole('dialog');
    await form.getByRole('textbox', { name: 'Patterns 1' }).fill('*');
    await form.getByText('Every week').click();
    await form.getByText('sat', { exact: true }).click();
    await form.getByRole('combobox', { name: 'Time zone' }).fill('Asia/Kolkata');
    await page.keyboard.press('Tab');
    await form.getByLabel('Until').fill('2036-01-05T06:30');
    await form.getByRole('textbox', { name: 'Why' }).fill('backups');
    await form.getByRole('textbox', { name: 'Your name' }).fill('ada');
    await form.getByRole('button', { name: 'Silence' }).click();

    await page.getByRole('region', { name: 'The next seven days' }).getByText('backups').waitFor();
    await page.getByText('sat, 22:00–06:00').waitFor();
    const { items } = await here.get<{ items: object[] }>('/silences');
    expect(items).toMatchObject([
      {
        recurrence: { time_zone: 'Asia/Kolkata', from: '22:00', to: '06:00', days: ['sat'] },
        ends_at: '2036-01-05T01:00:00.000Z',
      },
    ]);
    expect(complaints).toEqual([]);
  });

  it('silence once, later, by the clocks of another zone', async () => {
    await using visited = await visit(browser, `${here.url}/silences`);
    const { page, complaints } = visited;

    await page.getByRole('button', { name: 'Add a silence' }).click();
    const form = page.getByRole('dialog');
    await form.getByRole('textbox', { name: 'Patterns 1' }).fill('gpu-*');
    await form.getByText('Once, later').click();
    await form.getByLabel('From', { exact: true }).fill('2036-07-01T09:00');
    await form.getByLabel('Until').fill('2036-07-01T17:00');
    await form.getByRole('combobox', { name: 'Time zone' }).fill('berlin');
    await page.getByRole('option', { name: 'Europe/Berlin' }).click();
    await form.getByRole('textbox', { name: 'Why' }).fill('new racks');
    await form.getByRole('textbox', { name: 'Your name' }).fill('ada');
    await form.getByRole('button', { name: 'Silence' }).click();

    await page.getByRole('table', { name: 'Coming' }).getByText('new racks').waitFor();
    const { items } = await here.get<{ items: { reason: string }[] }>('/silences');
    expect(items.find(({ reason }) => reason === 'new racks')).toMatchObject({
      starts_at: '2036-07-01T07:00:00.000Z',
      ends_at: '2036-07-01T15:00:00.000Z',
    });
    expect(complaints).toEqual([]);
  });

  it('acknowledge an incident of failed tasks, which closes it', async () => {
    await using visited = await visit(browser, `${here.url}/incidents?status=open`);
    const { page, complaints } = visited;

    await page.getByRole('link', { name: /nightly-export/ }).click();
    await page.getByRole('button', { name: 'Acknowledge' }).click();
    const form = page.getByRole('dialog');
    await form.getByText('Failed tasks do not become well again').waitFor();
    await form.getByRole('textbox', { name: 'Note' }).fill('disk was full, emptied');
    await form.getByRole('textbox', { name: 'Your name' }).fill('ada');
    await page.keyboard.press('Enter');

    await page.getByText(/^over /).waitFor();
    await page.getByRole('region', { name: 'What is wrong' }).getByText('disk was full, emptied').waitFor();
    const story = page.getByRole('region', { name: 'What happened, and who was told' });
    await story.getByText('acknowledged by ada: disk was full, emptied', { exact: true }).waitFor();
    expect(await story.getByText('disk was full, emptied').count()).toBe(1);
    await page.getByRole('link', { name: 'Incidents' }).click();
    await page
      .getByRole('table', { name: 'Over incidents' })
      .getByRole('link', { name: /nightly-export/ })
      .waitFor();
    expect((await incidents('?status=open')).some(({ title }) => title.includes('nightly-export'))).toBe(false);
    expect(complaints).toEqual([]);
  });

  it('send a test that arrives, and show what the receiver answered', async () => {
    await using visited = await visit(browser, `${here.url}/notifications`);
    const { page, complaints } = visited;
    const before = sink.requests.length;

    await page.getByRole('button', { name: 'Test hook' }).click();
    await page.getByText(/^delivered in .*, HTTP 202$/).waitFor();
    await page.getByRole('button', { name: 'Test gone' }).click();
    await page.getByText(/^failed in .*410/).waitFor();

    expect(sink.bodies.slice(before).map(({ type }) => type)).toEqual(['test', 'test']);
    expect(complaints).toEqual([]);
  });

  it('show what a receiver would be sent, and send again what was given up', async () => {
    await using visited = await visit(browser, `${here.url}/notifications`);
    const { page, complaints } = visited;
    const deliveries = page.getByRole('table', { name: 'Deliveries' });
    sink.answer = () => ({ kind: 'status', status: 202 });

    await page.getByRole('button', { name: 'Preview of hook' }).click();
    await page
      .getByRole('region', { name: 'The message' })
      .getByText(/"type"/)
      .waitFor();
    await page.keyboard.press('Escape');
    await deliveries.getByRole('button', { name: 'Send again' }).first().click();

    await deliveries.getByRole('row', { name: /delivered gone/ }).waitFor();
    await page.getByText('given up', { exact: true }).first().click();
    await deliveries
      .getByRole('row', { name: /delivered/ })
      .first()
      .waitFor({ state: 'detached' });
    expect(new URL(page.url()).searchParams.get('state')).toBe('dead');
    expect(complaints).toEqual([]);
  });

  it('subscribe after showing what that would have told, change it, and unsubscribe', async () => {
    await using visited = await visit(browser, `${here.url}/notifications`);
    const { page, complaints } = visited;

    await page.getByRole('button', { name: 'Subscribe' }).click();
    const form = page.getByRole('dialog');
    await form.getByRole('combobox', { name: 'Who is told' }).click();
    await page.getByRole('option', { name: 'a webhook of its own' }).click();
    await form.getByRole('textbox', { name: 'Address' }).fill(`${sink.url}/mine`);
    await form.getByRole('textbox', { name: 'Patterns 1' }).fill('nightly-*');
    await form.getByText(/it would have told 2\.$/).waitFor();
    await form.getByRole('button', { name: 'Subscribe' }).click();
    await form.waitFor({ state: 'detached' });

    const row = page.getByRole('table', { name: 'Subscriptions' }).getByRole('row', { name: /127\.0\.0\.1/ });
    await row.getByRole('button', { name: /^Change/ }).click();
    expect(await form.getByRole('textbox', { name: 'Patterns 1' }).inputValue()).toBe('nightly-*');
    await form.getByRole('textbox', { name: 'Patterns 1' }).fill('weekly-*');
    await form.getByRole('switch', { name: 'Quiet hours' }).click();
    await form.getByText('sun', { exact: true }).click();
    await form.getByLabel('To', { exact: true }).fill('07:30');
    await form.getByRole('combobox', { name: /^Failures of one kind/ }).fill('2m');
    await form.getByRole('button', { name: 'Change' }).click();
    await form.waitFor({ state: 'detached' });
    await row.getByText('not 22:00–07:30').waitFor();
    const { items } = await here.get<{ items: { origin: string }[] }>('/subscriptions');
    expect(items.find(({ origin }) => origin === 'api')).toMatchObject({
      matchers: { job: ['weekly-*'] },
      events: ['fail', 'timeout'],
      group_window: '2m',
      quiet_hours: { from: '22:00', to: '07:30', days: ['sun'] },
    });

    await row.getByRole('button', { name: /^Change/ }).click();
    await form.getByRole('combobox', { name: /^All failures in one digest/ }).fill('4h');
    expect(await form.getByRole('combobox', { name: /^Failures of one kind/ }).isDisabled()).toBe(true);
    await form.getByRole('button', { name: 'Change' }).click();
    await form.waitFor({ state: 'detached' });
    await row.getByText('failures in a digest, after 4h').waitFor();
    expect((await here.get<{ items: { origin: string }[] }>('/subscriptions')).items).toContainEqual(
      expect.objectContaining({ origin: 'api', digest: '4h', group_window: null, quiet_hours: expect.anything() }),
    );

    await row.getByRole('button', { name: /^Unsubscribe/ }).click();
    await row.getByRole('button', { name: /^Really/ }).click();
    await row.waitFor({ state: 'detached' });
    expect(complaints).toEqual([]);
  });

  it('start a watch that counts down and tells, and stop it', async () => {
    await using visited = await visit(browser, `${here.url}/watches`);
    const { page, complaints } = visited;

    await page.getByRole('button', { name: 'Start a watch' }).click();
    const form = page.getByRole('dialog');
    await form.getByRole('textbox', { name: 'Projects' }).fill('speech');
    await form.getByRole('combobox', { name: 'Who is told' }).click();
    await page.getByRole('option', { name: 'a webhook of its own' }).click();
    await form.getByRole('textbox', { name: 'Address' }).fill(`${sink.url}/watch`);
    await form.getByRole('button', { name: 'Start' }).click();
    const watch = page.getByRole('region', { name: 'speech' });
    await watch.getByText(/^29 m \d\d s left$/).waitFor();
    await here.cli(['run', '--project', 'speech', '--name', 'align', '--', 'sh', '-c', 'exit 4']);
    await watch.getByText(/^1 alert sent to /).waitFor({ timeout: 15_000 });
    expect(sink.requests.filter(({ path }) => path === '/hook/watch')).toHaveLength(1);
    await watch.getByRole('button', { name: 'Stop' }).click();

    await page
      .getByRole('table', { name: 'Watches that are over' })
      .getByRole('row', { name: /speech/ })
      .waitFor();
    expect(complaints).toEqual([]);
  });

  it('look as they should in both schemes, on a desk and on a phone', async () => {
    const send = async (path: string, body: object) => {
      const answer = await fetch(`${here.url}/api/v1${path}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(body),
      });
      expect(answer.status).toBe(201);
    };
    await send('/watches', { projects: ['vision'], receiver: 'hook', for: '2h', started_by: 'ada' });
    await send('/silences', { matchers: { node: 'gpu-*' }, author: 'ada', reason: 'new disks', for: '30h' });
    const id = await idOf('nightly-import');
    await takeScreenshots(browser, `${here.url}/incidents`, { name: 'incidents', seen: 'nightly-import' });
    await takeScreenshots(browser, `${here.url}/incidents/${id}`, { name: 'incident', seen: 'delivered after' });
    await takeScreenshots(browser, `${here.url}/notifications`, { name: 'notifications', seen: 'hook' });
    await takeScreenshots(browser, `${here.url}/silences`, { name: 'silences', seen: 'new disks' });
    await takeScreenshots(browser, `${here.url}/watches`, { name: 'watches', seen: 'vision' });
  });
});
