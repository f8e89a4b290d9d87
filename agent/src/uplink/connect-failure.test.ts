import { describe, expect, it } from 'vitest';
import { clean, explainError, explainTimeout, type Stage } from './connect-failure.ts';

const url = new URL('wss://collector.test:4777/agent/v1');
const coded = (code: string, message = code) => Object.assign(new Error(message), { code });

describe('connection failures', () => {
  it.each([
    ['ECONNREFUSED', 'connecting', 'refused', 'nothing listens at collector.test:4777 (connection refused)'],
    ['ENETUNREACH', 'connecting', 'unroutable', 'no route to collector.test:4777 (ENETUNREACH)'],
    ['EHOSTUNREACH', 'connecting', 'unroutable', 'no route to collector.test:4777 (EHOSTUNREACH)'],
    ['ENOTFOUND', 'resolving', 'name_unknown', 'the name collector.test does not exist (ENOTFOUND)'],
    ['EAI_AGAIN', 'resolving', 'name_timeout', 'no name server answered for collector.test (EAI_AGAIN)'],
    ['ETIMEDOUT', 'connecting', 'timeout', 'no answer from collector.test:4777 (connection timed out)'],
    [
      'ECONNRESET',
      'securing',
      'reset',
      'collector.test:4777 cut the connection while shaking hands over TLS (ECONNRESET)',
    ],
    [
      'CERT_HAS_EXPIRED',
      'securing',
      'tls',
      'TLS with collector.test:4777 failed: its certificate has expired (CERT_HAS_EXPIRED)',
    ],
    [
      'ERR_TLS_CERT_ALTNAME_INVALID',
      'securing',
      'tls',
      'TLS with collector.test:4777 failed: its certificate is for another name (ERR_TLS_CERT_ALTNAME_INVALID)',
    ],
  ] as const)('F057 names %s', (...row) => {
    const [code, stage, cause, message] = row;
    expect(explainError(coded(code), { url, stage })).toEqual({ cause, message, isLasting: cause === 'tls' });
  });

  it('F057 lets the first of several addresses speak', () => {
    const error = new AggregateError([coded('ENETUNREACH'), coded('ECONNREFUSED')]);

    expect(explainError(error, { url, stage: 'connecting' }).cause).toBe('unroutable');
  });

  it.each(['resolving', 'connecting', 'securing', 'asking'] as const)(
    'says what was waited for while %s',
    (stage: Stage) => {
      expect(explainTimeout({ url, stage }, 10_000).message).toMatch(/in 10 s/);
    },
  );

  it('puts a stranger’s text on one short line', () => {
    expect(clean('<html><script>alert(1)</script>\u001b[31mBad\r\n\u202eGateway</html>', 100)).toBe('[31mBad Gateway');
    expect(clean('x'.repeat(50), 10)).toBe(`${'x'.repeat(10)}…`);
  });
});
