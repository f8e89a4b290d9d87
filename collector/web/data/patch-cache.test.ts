import { QueryClient, QueryObserver } from '@tanstack/react-query';
import { afterEach, describe, expect, it } from 'vitest';
import { eventually } from '../../../test/support/eventually.ts';
import { patchCache } from './patch-cache.ts';

const listing = (route: string) => [route, {}] as const;
const client = new QueryClient();
afterEach(() => client.clear());

describe('a change that the stream tells', () => {
  it('replaces the record where it is listed, on one page or on several, and leaves the others as they were', () => {
    const other = { id: 'n2', name: 'b' };
    client.setQueryData(listing('GET /fleet'), { items: [{ id: 'n1', name: 'a' }, other] });
    client.setQueryData([...listing('GET /nodes'), 'pages'], {
      pages: [{ items: [other] }, { items: [{ id: 'n1' }] }],
    });

    patchCache(client, [{ name: 'node', record: { id: 'n1', kind: 'new' } }]);

    const fleet = client.getQueryData<{ items: object[] }>(listing('GET /fleet'));
    expect(fleet?.items).toEqual([{ id: 'n1', kind: 'new' }, other]);
    expect(fleet?.items[1]).toBe(other);
    expect(client.getQueryData([...listing('GET /nodes'), 'pages'])).toEqual({
      pages: [{ items: [other] }, { items: [{ id: 'n1', kind: 'new' }] }],
    });
  });

  it('takes what is gone out of the listings of its kind only', () => {
    client.setQueryData(listing('GET /nodes'), { items: [{ id: '1' }, { id: '2' }] });
    client.setQueryData(listing('GET /tasks'), { items: [{ id: '1' }] });

    patchCache(client, [{ name: 'removed', record: { id: '1', kind: 'node' } }]);

    expect(client.getQueryData(listing('GET /nodes'))).toEqual({ items: [{ id: '2' }] });
    expect(client.getQueryData(listing('GET /tasks'))).toEqual({ items: [{ id: '1' }] });
  });

  it('keeps of a record on its own page what the listing does not say', () => {
    client.setQueryData(listing('GET /tasks/{id}'), { id: 't', status: 'running', log_tail: ['a'] });

    const record = { id: 't', status: 'failed' };
    patchCache(client, [{ name: 'task', record }]);

    expect(client.getQueryData(listing('GET /tasks/{id}'))).toEqual({ id: 't', status: 'failed', log_tail: ['a'] });
  });

  it('has a listing read again at once for a record that it does not hold, and again for the last of many', async () => {
    let items: { id: string }[] = [];
    let count = 0;
    const observer = new QueryObserver(client, {
      queryKey: listing('GET /tasks'),
      queryFn: () => {
        count += 1;
        return { items: [...items] };
      },
    });
    const letGo = observer.subscribe(() => undefined);
    await eventually(() => count === 1);

    for (let index = 0; index < 50; index += 1) {
      items = [...items, { id: String(index) }];
      patchCache(client, [{ name: 'task', record: { id: String(index) } }]);
    }
    await eventually(() => observer.getCurrentResult().data?.items.length === 50);
    letGo();

    expect(count).toBeLessThanOrEqual(3);
  });
});
