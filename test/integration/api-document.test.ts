import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { apiTypes } from '../../scripts/api-types.ts';
import { currentDocumentText } from '../support/api-document.ts';
import { buildApi, startApi } from '../support/api-server.ts';

describe('the document of the API', () => {
  it('is the one checked in: after a change of a route run `npx tsx scripts/openapi.ts` and review the difference', async () => {
    const checkedIn = readFileSync(fileURLToPath(new URL('../../docs/openapi.json', import.meta.url)), 'utf8');

    expect(await currentDocumentText()).toBe(checkedIn);
  });

  it('is what the types of the dashboard say: they are written from it', () => {
    const checkedIn = (path: string) => readFileSync(fileURLToPath(new URL(`../../${path}`, import.meta.url)), 'utf8');

    expect(checkedIn('collector/web/data/api-types.ts')).toBe(apiTypes(checkedIn('docs/openapi.json')));
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

describe('the pages of the dashboard', () => {
  const html = { accept: 'text/html,application/xhtml+xml' };

  it('are one document whatever page is asked for, and its files are found from each of them', async () => {
    await using api = await startApi();
    for (const path of ['/', '/nodes', '/nodes/', '/tasks/some%20id', '/a/b/c']) {
      const answer = await fetch(api.url + path, { headers: html });
      const text = await answer.text();
      const targets = [...text.matchAll(/(?:src|href)="([^"]+)"/g)].map(([, target]) => target ?? '');
      const files = await Promise.all(targets.map((target) => fetch(new URL(target, api.url + path))));

      expect([path, answer.status, files.map(({ status }) => status)]).toEqual([path, 200, targets.map(() => 200)]);
      expect(targets.filter((target) => !/^\.{1,2}\//.test(target))).toEqual([]);
    }
  });

  it('may run only scripts of the collector, and write only styles that carry the nonce of this answer', async () => {
    await using api = await startApi();
    const answers = await Promise.all([1, 2].map(() => fetch(api.url, { headers: html })));
    const nonces = await Promise.all(
      answers.map(async (answer) => [
        /'nonce-([^']+)'/.exec(answer.headers.get('content-security-policy') ?? '')?.[1],
        / nonce="([^"]+)"/.exec(await answer.text())?.[1],
      ]),
    );

    expect(answers[0]?.headers.get('content-security-policy')).toMatch(/script-src 'self';/);
    expect(answers[0]?.headers.get('content-security-policy')).not.toMatch(/unsafe|https?:|\*/);
    expect(nonces.map(([policy, page]) => policy !== undefined && policy === page)).toEqual([true, true]);
    expect(nonces[0]).not.toEqual(nonces[1]);
  });

  it('are not what programs get for a path that leads nowhere, and no way to other files', async () => {
    await using api = await startApi();
    const statuses = await Promise.all(
      [
        fetch(`${api.url}/nothing`),
        fetch(`${api.url}/api/v1/nothing`, { headers: html }),
        fetch(`${api.url}/assets/nothing.js`, { headers: html }),
        fetch(`${api.url}/..%2f..%2fpackage.json`),
      ].map(async (answer) => (await answer).status),
    );

    expect(statuses).toEqual([404, 404, 404, 404]);
  });

  it('have files that a browser keeps for a year, smaller for those who can unpack them', async () => {
    await using api = await startApi();
    const page = await (await fetch(api.url)).text();
    const script = new URL(/src="([^"]+)"/.exec(page)?.[1] ?? '', api.url);
    const plain = await fetch(script, { headers: { 'accept-encoding': 'identity' } });
    const packed = await fetch(script, { headers: { 'accept-encoding': 'gzip' } });
    const again = await fetch(script, { headers: { 'if-none-match': plain.headers.get('etag') ?? '' } });

    expect(plain.headers.get('cache-control')).toContain('immutable');
    expect(packed.headers.get('content-encoding')).toBe('gzip');
    expect(await packed.text()).toBe(await plain.text());
    expect(again.status).toBe(304);
  });
});
