import { request } from 'node:http';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { HttpSink } from '../../../test/support/http-sink.ts';
import {
  createAddressGuard,
  ForbiddenAddress,
  guardedLookup,
  isForbiddenLiteral,
  type ResolveName,
} from './address-guard.ts';

const guard = createAddressGuard([]);

describe('the guard of typed targets', () => {
  it.each([
    ['loopback', '127.0.0.1', '127.255.255.254', '::1'],
    ['nothing', '0.0.0.0', '::'],
    ['link-local', '169.254.1.1', 'fe80::1', 'fe80::1%eth0'],
    ['the metadata services', '169.254.169.254', 'fd00:ec2::254', '100.100.100.200'],
    ['private', '10.1.2.3', '172.16.0.1', '172.31.255.255', '192.168.1.1', 'fc00::1', 'fd12::1', '100.64.0.1'],
    ['IPv4 as IPv6', '::ffff:7f00:1', '::ffff:127.0.0.1', '::ffff:a00:1', '::7f00:1', '::127.0.0.1'],
    ['NAT64, 6to4 and Teredo', '64:ff9b::7f00:1', '64:ff9b:1::a00:1', '2002:7f00:1::', '2001:0:7f00:1::'],
    ['multicast, broadcast, reserved', '224.0.0.1', '255.255.255.255', '240.0.0.1', 'ff02::1'],
    ['documentation and benchmarks', '192.0.2.1', '198.51.100.1', '203.0.113.1', '198.18.0.1', '2001:db8::1'],
    ['no address', 'localhost', '', '1.2.3'],
  ])('F112 closes %s', (_name, ...addresses) => {
    expect(addresses.filter(guard)).toEqual([]);
  });

  it.each(['8.8.8.8', '172.15.0.1', '172.32.0.1', '100.128.0.1', '169.253.0.1', '2606:4700::1111', '2a00:1450::1'])(
    'leaves %s open',
    (address) => {
      expect(guard(address)).toBe(true);
    },
  );

  it('opens what the configuration opens, and no more', () => {
    const own = createAddressGuard(['10.20.0.0/16', 'fd00::/8']);

    expect(['10.20.1.1', 'fd12::1', '::ffff:10.20.1.1'].map(own)).toEqual([true, true, true]);
    expect(['10.21.0.1', '127.0.0.1', 'fc00::1', '::ffff:10.21.0.1'].map(own)).toEqual([false, false, false, false]);
  });

  it('F112 sees through every way to write an address in a URL', () => {
    const literals = [
      'http://2130706433/',
      'http://0x7f000001/',
      'http://0177.0.0.1/',
      'http://127.1/',
      'http://0/',
      'http://[::ffff:7f00:1]/',
      'http://[0:0:0:0:0:ffff:127.0.0.1]/',
      'http://127.0.0.1./',
      'http://①②⑦.0.0.1/',
      'http://user@169.254.169.254/latest',
    ];

    expect(literals.filter((url) => !isForbiddenLiteral(new URL(url), guard))).toEqual([]);
    expect(isForbiddenLiteral(new URL('http://example.org/'), guard)).toBe(false);
    expect(isForbiddenLiteral(new URL('http://8.8.8.8/'), guard)).toBe(false);
  });

  it('F112 says the same of an IPv4 address however it is dressed', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        const dressed = new URL(`http://[::ffff:${address}]/`).hostname.slice(1, -1);
        const number = address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
        expect(guard(dressed)).toBe(false);
        expect(isForbiddenLiteral(new URL(`http://${number}/`), guard)).toBe(!guard(address));
      }),
    );
  });
});

describe('the lookup', () => {
  const answering =
    (...addresses: string[]): ResolveName =>
    (_name, _options, done) =>
      done(
        null,
        addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
      );
  const look = (resolve: ResolveName, all = true) =>
    new Promise<unknown>((settle) => {
      guardedLookup(guard, resolve)('name.example', { all }, (error, address) => settle(error ?? address));
    });

  it('F112 is asked once for a connection, so that a second answer changes nothing, and again for the next', async () => {
    await using sink = await HttpSink.open();
    const answers = ['127.0.0.1', '169.254.169.254'];
    const asked: string[] = [];
    const flipping: ResolveName = (name, options, done) => {
      asked.push(name);
      answering(answers[asked.length - 1] ?? '10.0.0.1')(name, options, done);
    };
    const lookup = guardedLookup(createAddressGuard(['127.0.0.0/8']), flipping);
    const dial = () =>
      new Promise<unknown>((settle) => {
        const url = `http://rebinding.example:${sink.port}/hook`;
        const dialled = request(url, { method: 'POST', lookup, agent: false }, (response) => {
          response.resume();
          settle(response.statusCode);
        });
        dialled.on('error', settle).end();
      });

    expect(await dial()).toBe(204);
    expect(asked).toEqual(['rebinding.example']);
    expect(await dial()).toBeInstanceOf(ForbiddenAddress);
    expect(sink.requests).toHaveLength(1);
  });

  it('F112 refuses a name that resolves to a closed address, also beside an open one', async () => {
    expect(await look(answering('127.0.0.1'))).toBeInstanceOf(ForbiddenAddress);
    expect(await look(answering('8.8.8.8', '::1'))).toBeInstanceOf(ForbiddenAddress);
    expect(await look(answering('8.8.8.8'), false)).toBe('8.8.8.8');
    expect(await look(answering('8.8.8.8'))).toEqual([{ address: '8.8.8.8', family: 4 }]);
  });
});
