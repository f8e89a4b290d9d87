import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { findTool, haveTool } from './tool.ts';

/** Where screenshots are left; none are made without it. */
const screenshotFolder = process.env['RUNNERWATCH_SCREENSHOTS'];

export function haveBrowser(): boolean {
  return haveTool('chromium', 'Debian: apt-get install chromium');
}

/** Debian's chromium. It asks nobody outside for anything. */
export async function openBrowser(): Promise<Browser> {
  return chromium.launch({
    executablePath: join(findTool('chromium') ?? '/usr/bin', 'chromium'),
    args: [
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
}

export interface Visit extends AsyncDisposable {
  readonly page: Page;
  /** What the browser complained of: errors, refusals by the content security policy, failed requests, requests to other hosts. */
  readonly complaints: readonly string[];
}

export interface VisitOptions {
  readonly scheme?: 'light' | 'dark';
  readonly width?: number;
}

/** A fresh profile, at a page. */
export async function visit(browser: Browser, url: string, options: VisitOptions = {}): Promise<Visit> {
  const { scheme = 'light', width = 1440 } = options;
  const context = await browser.newContext({
    colorScheme: scheme,
    viewport: { width, height: width < 600 ? 844 : 900 },
    reducedMotion: 'reduce',
  });
  const page = await context.newPage();
  const complaints: string[] = [];
  const { host } = new URL(url);
  page.on('console', (message) => {
    if (['error', 'warning'].includes(message.type())) complaints.push(`${message.text()} ${message.location().url}`);
  });
  page.on('pageerror', (error) => complaints.push(String(error)));
  page.on('request', (request) => {
    if (new URL(request.url()).host !== host) complaints.push(`asked another host: ${request.url()}`);
  });
  await page.goto(url);
  return { page, complaints, [Symbol.asyncDispose]: () => context.close() };
}

/** `NAME-SCHEME-WIDTH.png` of the whole page in both schemes at 1440 and 390 pixels, where a folder for them is given. */
export async function takeScreenshots(
  browser: Browser,
  url: string,
  shot: { name: string; seen: string },
): Promise<void> {
  if (screenshotFolder === undefined) return;
  mkdirSync(screenshotFolder, { recursive: true });
  for (const scheme of ['light', 'dark'] as const) {
    for (const width of [1440, 390]) {
      await using visited = await visit(browser, url, { scheme, width });
      await visited.page.getByText(shot.seen).first().waitFor();
      await visited.page.locator('[aria-busy=true]').first().waitFor({ state: 'detached' });
      const path = join(screenshotFolder, `${shot.name}-${scheme}-${width}.png`);
      await visited.page.screenshot({ path, fullPage: true });
    }
  }
}
