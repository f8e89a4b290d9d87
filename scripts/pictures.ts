/*
 * `npm run pictures`: the pictures of the dashboard in docs/images, of a real collector to which forty machines tell an ordinary
 * morning. `npm run pictures -- FOLDER` leaves every page there instead, in both themes, 1440 and 390 pixels wide, to be looked at.
 */
import { mkdirSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Browser, Page } from 'playwright-core';
import { openBrowser, visit } from '../test/support/browser.ts';
import { eventually } from '../test/support/eventually.ts';
import { Installation } from '../test/support/product.ts';
import { FleetAgent } from './picture/fleet-agent.ts';
import { away, fleetSize, full, fullDisk } from './picture/machines.ts';
import { newestFailures, recordingOf, tasksOf } from './picture/works.ts';

const minuteMs = 60_000;
const images = resolve(import.meta.dirname, '../docs/images');
const pages = ['', 'nodes', 'tasks', 'incidents', 'jobs', 'analytics', 'notifications', 'silences', 'watches', 'fleet'];

await using here = new Installation();
await here.collector({
  log: { level: 'error' },
  notifications: {
    notifiers: { 'ml-chat': { type: 'log' }, 'on-call': { type: 'log' } },
    subscriptions: [
      { name: 'ml', receiver: 'ml-chat', events: ['fail'], matchers: { project: ['lm', 'vision'] } },
      { name: 'on-call', receiver: 'on-call', events: ['condition', 'unreachable'] },
    ],
  },
});
const agents: FleetAgent[] = [];
const reading = setInterval(() => {
  for (const [nth, agent] of agents.entries()) if (nth !== away || !isWhole) agent.read(Date.now());
}, 1000);
let isWhole = false;
await tellFleet();
isWhole = true;
await post('/silences', { matchers: { node: 'gpu-h*' }, author: 'jonas', reason: 'driver update, rack h', for: '2h' });
await post('/watches', { projects: ['lm'], for: '8h', only_failed: true, receiver: 'ml-chat', started_by: 'mira' });
// As long as a chart needs to look like one.
await new Promise((resolveWait) => setTimeout(resolveWait, 40_000));
const browser = await openBrowser();
const folder = process.argv[2];
await (folder === undefined ? takeOverview(browser) : takeAll(browser, folder));
await browser.close();
clearInterval(reading);
for (const agent of agents) await agent[Symbol.asyncDispose]();

/** A week of work and the last failures; one machine falls silent. What is older than the last minutes has been seen by someone. */
async function tellFleet(): Promise<void> {
  const token = readFileSync(join(here.dataDir, 'collector', 'agent.token'), 'utf8').trim();
  const nowMs = Date.now();
  for (let nth = 0; nth < fleetSize; nth += 1) {
    const agent = new FleetAgent(here.url, token, nth);
    await agent.greet();
    agents.push(agent);
    await agent.tell(tasksOf(nth, { days: 8, untilMs: nowMs - 12 * minuteMs }));
  }
  await eventually(async () => (await here.get<Status>('/status')).queues.events_unjudged === 0, {
    timeoutMs: 120_000,
  });
  for (const { id } of (await here.get<Items>('/incidents?status=open&limit=500')).items)
    await post(`/incidents/${id}/ack`, { by: 'jonas', note: 'seen, started anew' });
  await agents[full]?.tell([fullDisk(nowMs)]);
  for (const { nth, body } of newestFailures(nowMs)) {
    await agents[nth]?.tell([body]);
    // It comes after its end.
    await agents[nth]?.tell(recordingOf(body));
  }
}

interface Status {
  readonly queues: { readonly events_unjudged: number };
}

interface Items {
  readonly items: readonly { readonly id: string; readonly title?: string }[];
}

async function post(path: string, body: object): Promise<void> {
  const answer = await fetch(`${here.url}/api/v1${path}`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
}

async function takeOverview(from: Browser): Promise<void> {
  mkdirSync(images, { recursive: true });
  for (const scheme of ['light', 'dark'] as const) {
    await using visited = await visit(from, here.url, { scheme, width: 1280 });
    await isShown(visited.page);
    await visited.page.screenshot({ path: join(images, `overview-${scheme}.png`) });
  }
}

async function takeAll(from: Browser, to: string): Promise<void> {
  mkdirSync(to, { recursive: true });
  const first = async (path: string) => (await here.get<Items>(path)).items[0]?.id ?? '';
  const incidentOf = async (text: string) =>
    (await here.get<Items>('/incidents?status=open')).items.find(({ title }) => title?.includes(text))?.id;
  const addresses = [
    ...pages,
    `nodes/${await first('/nodes?search=gpu-a03')}`,
    `tasks/${await first('/tasks?status=killed_oom')}`,
    `incidents/${await incidentOf('finetune-chat')}`,
    `jobs/${await first('/jobs?search=finetune')}`,
  ];
  for (const address of addresses)
    for (const scheme of ['light', 'dark'] as const)
      for (const width of [1440, 390]) {
        await using visited = await visit(from, `${here.url}/${address}`, { scheme, width });
        await isShown(visited.page);
        const name =
          address === '' ? 'overview' : address.includes('/') ? address.slice(0, address.indexOf('/') - 1) : address;
        await visited.page.screenshot({ path: join(to, `${name}-${scheme}-${width}.png`), fullPage: true });
      }
}

async function isShown(page: Page): Promise<void> {
  await page.getByRole('status').getByText('live').waitFor();
  await page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' });
}
