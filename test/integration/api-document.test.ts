import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { currentDocumentText } from '../support/api-document.ts';
import { buildApi, startApi } from '../support/api-server.ts';

const pageDir = fileURLToPath(new URL('../../collector/web/live/', import.meta.url));

describe('the document of the API', () => {
  it('is the one checked in: after a change of a route run `npx tsx scripts/openapi.ts` and review the difference', async () => {
    const checkedIn = readFileSync(fileURLToPath(new URL('../../docs/openapi.json', import.meta.url)), 'utf8');

    expect(await currentDocumentText()).toBe(checkedIn);
  });

  it('names every error by its code, and refers to nothing that it does not hold', async () => {
    const document = JSON.parse(await currentDocumentText()) as { components: { schemas: Record<string, unknown> } };
    const references = [...JSON.stringify(document).matchAll(/"#\/components\/schemas\/(\w+)"/g)].map(
      ([, name]) => name,
    );

    expect(new Set(references)).toEqual(new Set(Object.keys(document.components.schemas)));
  });

  it('has a page for people, which loads nothing from elsewhere and runs nothing', async () => {
    const { app } = await buildApi();
    const answer = await app.inject('/api/docs');
    await app.close();

    expect(answer.statusCode).toBe(200);
    expect(answer.body).toContain('/api/v1/status');
    expect(answer.body).not.toMatch(/<script|<style|(?:src|href)="(?:https?:)?\/\//);
  });
});

describe('the live page', () => {
  it('serves every file of its folder and nothing else of it', async () => {
    await using api = await startApi();
    const served = await Promise.all(
      readdirSync(pageDir).map(async (file) => (await fetch(`${api.url}/${file === 'index.html' ? '' : file}`)).status),
    );

    expect(new Set(served)).toEqual(new Set([200]));
    expect((await fetch(`${api.url}/..%2f..%2fpackage.json`)).status).toBe(404);
  });

  it('loads nothing from elsewhere, holds nothing inline, and finds its files below any path', () => {
    const html = readFileSync(`${pageDir}index.html`, 'utf8');
    const sources = readdirSync(pageDir).map((file) => readFileSync(`${pageDir}${file}`, 'utf8'));

    expect(html).not.toMatch(/<script>|<style|\son\w+=|style="/);
    expect([...html.matchAll(/(?:src|href)="([^"]+)"/g)].filter(([, target]) => /^\/|:/.test(target ?? ''))).toEqual(
      [],
    );
    expect(
      sources.filter((source) =>
        /innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(|new Function/.test(source),
      ),
    ).toEqual([]);
  });

  it('is not sent again while it has not changed', async () => {
    await using api = await startApi();
    const first = await fetch(api.url);
    const again = await fetch(api.url, { headers: { 'if-none-match': first.headers.get('etag') ?? '' } });

    expect(again.status).toBe(304);
  });
});
