import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type AccessPolicy, type AskerFacts, decideAccess, hostName, isLoopback } from './access.ts';
import { assertListenAllowed } from './auth.ts';

const policy: AccessPolicy = {
  listensOnLoopback: true,
  tokenAlwaysNeeded: false,
  ownNames: new Set(['node1']),
  publicOrigin: 'https://watch.example.org',
};
const local: AskerFacts = {
  method: 'GET',
  remoteAddress: '127.0.0.1',
  host: 'localhost:4777',
  origin: undefined,
  secFetchSite: undefined,
  isForwarded: false,
  token: 'none',
};

describe('decideAccess', () => {
  it('never lets anyone in without a valid token unless everything about the request is local', () => {
    const anyAsker: fc.Arbitrary<AskerFacts> = fc.record({
      method: fc.constantFrom('GET', 'POST', 'DELETE'),
      remoteAddress: fc.constantFrom(undefined, '127.0.0.1', '::1', '::ffff:127.0.0.1', '10.0.0.7', '::ffff:10.0.0.7'),
      host: fc.constantFrom(
        undefined,
        'localhost',
        '[::1]:4777',
        'node1:4777',
        'evil.example',
        'localhost.evil.example',
        'watch.example.org',
      ),
      origin: fc.constantFrom(
        undefined,
        'null',
        'http://localhost',
        'https://evil.example',
        'https://watch.example.org',
      ),
      secFetchSite: fc.constantFrom(undefined, 'same-origin', 'cross-site', 'same-site', 'none'),
      isForwarded: fc.boolean(),
      token: fc.constantFrom('none' as const, 'invalid' as const),
    });
    const anyPolicy = fc.record({ listensOnLoopback: fc.boolean(), tokenAlwaysNeeded: fc.boolean() });
    fc.assert(
      fc.property(anyAsker, anyPolicy, (asker, some) => {
        const access = decideAccess({ ...policy, ...some }, asker);
        if (access.kind === 'refused') return;

        expect(access.as).toBe('local');
        expect(asker.token).toBe('none');
        expect(some).toEqual({ listensOnLoopback: true, tokenAlwaysNeeded: false });
        expect(asker.isForwarded).toBe(false);
        expect(isLoopback(asker.remoteAddress ?? '')).toBe(true);
        expect(['localhost', '[::1]:4777', 'node1:4777']).toContain(asker.host);
      }),
    );
  });

  it('takes changes from pages under public_url, and from no other site even with a token', () => {
    const viaProxy: AskerFacts = {
      ...local,
      method: 'POST',
      isForwarded: true,
      token: 'valid',
      origin: 'https://watch.example.org',
      secFetchSite: 'same-origin',
    };

    expect(decideAccess(policy, viaProxy)).toEqual({ kind: 'allowed', as: 'token' });
    expect(decideAccess(policy, { ...viaProxy, origin: 'https://evil.example' })).toEqual({
      kind: 'refused',
      code: 'cross_site',
    });
  });

  it('asks local callers too when told so', () => {
    expect(decideAccess({ ...policy, tokenAlwaysNeeded: true }, local)).toEqual({
      kind: 'refused',
      code: 'unauthorized',
    });
  });
});

describe('addresses and names', () => {
  it.each(['127.0.0.1', '127.9.9.9', '::1', '[::1]', '::ffff:127.0.0.1', 'localhost'])('%s is loopback', (address) => {
    expect(isLoopback(address)).toBe(true);
  });

  it.each(['0.0.0.0', '::', '10.0.0.1', '127.0.0.1.evil.example', '::ffff:10.0.0.1', '128.0.0.1', ''])(
    '%s is not',
    (address) => {
      expect(isLoopback(address)).toBe(false);
    },
  );

  it('reads the name out of a Host header, or nothing', () => {
    expect([
      hostName('LocalHost:80'),
      hostName('[::1]:80'),
      hostName('a.b.'),
      hostName('a b'),
      hostName(undefined),
      hostName('a@b'),
    ]).toEqual(['localhost', '[::1]', 'a.b', null, null, null]);
  });

  it('refuses a listener open to the network without a token', () => {
    expect(assertListenAllowed({ listenHost: '0.0.0.0', hasToken: false })).toContain('listen: 0.0.0.0');
    expect(assertListenAllowed({ listenHost: '0.0.0.0', hasToken: true })).toBeNull();
    expect(assertListenAllowed({ listenHost: '::1', hasToken: false })).toBeNull();
  });
});
