import type { Browser } from 'playwright-core';
import { openBrowser, visit } from '../../test/support/browser.ts';
import { percentile } from './process-cost.ts';

const visits = 3;

/** Milliseconds from the navigation's beginning. */
interface Paint {
  /** The heading is there, and the first panel, which is what the page is about, has its content: no grey lines in it any more. */
  readonly usefulMs: number;
  /** Nothing on the page is grey any more. */
  readonly wholeMs: number;
}

/** How soon each page shows what it is about, and then all of its data, in a browser that has never been here; medians. */
export async function firstPaints(
  url: string,
  addresses: readonly string[],
): Promise<(Paint & { readonly address: string })[]> {
  const browser = await openBrowser();
  try {
    const medians: (Paint & { address: string })[] = [];
    for (const address of addresses) {
      const paints: Paint[] = [];
      for (let round = 0; round < visits; round += 1) paints.push(await firstPaint(browser, `${url}${address}`));
      const median = (of: keyof Paint) =>
        percentile(
          paints.map((paint) => paint[of]),
          0.5,
        );
      medians.push({ address, usefulMs: median('usefulMs'), wholeMs: median('wholeMs') });
    }
    return medians;
  } finally {
    await browser.close();
  }
}

async function firstPaint(browser: Browser, url: string): Promise<Paint> {
  await using visited = await visit(browser, url);
  const { page } = visited;
  const grey = page.locator('[aria-busy=true]');
  const sinceBegun = async () => Number(await page.evaluate('performance.now()'));
  await page.locator('#content h1').waitFor();
  await page.locator('#content section').first().filter({ hasNot: grey }).waitFor();
  const usefulMs = await sinceBegun();
  await page.locator('#content [aria-busy=true]').first().waitFor({ state: 'detached' });
  return { usefulMs, wholeMs: await sinceBegun() };
}
