import { describe, expect, it } from 'vitest';
import { parseServerUrl } from './server-url.ts';

describe('the URL of a database server', () => {
  it.each([
    [
      'postgres://ann@db.example/watch',
      { host: 'db.example', port: 5432, user: 'ann', password: '', database: 'watch', tls: 'prefer', path: null },
    ],
    [
      'postgresql://ann:p%40ss@[::1]:6000/w%20x?sslmode=verify-full',
      { host: '::1', port: 6000, password: 'p@ss', database: 'w x', tls: 'verify' },
    ],
    ['postgres://ann@/watch?host=/run/postgresql', { path: '/run/postgresql/.s.PGSQL.5432', tls: 'disable' }],
    ['postgres://db/watch?user=ann&password=x&port=7', { host: 'db', user: 'ann', password: 'x', port: 7 }],
    ['postgres://ann@db', { database: 'ann' }],
    ['postgres://ann@db/x?sslmode=require', { tls: 'require' }],
  ])('%s', (url, expected) => {
    expect(parseServerUrl(url)).toMatchObject(expected);
  });

  it.each([
    ['postgres://ann:secret@one,two:5/x', 'one host'],
    ['postgres://db/watch', 'user name'],
    ['postgres://ann:secret@db/x?sslmode=perhaps', 'sslmode perhaps is not known'],
  ])('refuses %s without repeating the password', (url, reason) => {
    let message = '';
    try {
      parseServerUrl(url);
    } catch (error) {
      message = error instanceof Error ? error.message : '';
    }
    expect(message).toContain(reason);
    expect(message).toMatch(/^database\.url: /);
    expect(message).not.toContain('secret');
  });
});
