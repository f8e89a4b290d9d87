import type { Browser } from 'playwright-core';
import { openBrowser, visit } from '../../test/support/browser.ts';
import { percentile } from './process-cost.ts';

const visits = 3;
/** How soon each page shows all of its data in a browser that has never been here; medians in milliseconds. */
export async function firstPaints(
  url: string,
  addresses: readonly string[],
): Promise<{ readonly address: string; readonly ms: number }[]> {
  const browser = await openBrowser();
  try {
    const paints: { address: string; ms: number }[] = [];
    for (const address of addresses) {
      const tookMs: number[] = [];
      for (let round = 0; round < visits; round += 1) tookMs.push(await firstPaint(browser, `${url}${address}`));
      paints.push({ address, ms: percentile(tookMs, 0.5) });
    }
    return paints;
  } finally {
    await browser.close();
  }
}

/** From the navigation's beginning until the heading is there and nothing on the page is grey any more. */
async function firstPaint(browser: Browser, url: string): Promise<number> {
  await using visited = await visit(browser, url);
  await visited.page.locator('#content h1').waitFor();
  await visited.page.locator('#content [aria-busy=true]').first().waitFor({ state: 'detached' });
  return Number(await visited.page.evaluate('performance.now()'));
}
