import { describe, expect, it } from 'vitest';
import { judgeSmtpError, type SmtpError } from './judge.ts';

describe('a failed mail', () => {
  it.each<[SmtpError, 'retry' | 'refused', string]>([
    [
      { code: 'EAUTH', responseCode: 535, response: '535 5.7.8 canary' },
      'refused',
      'the mail server does not accept the user name and password (535)',
    ],
    [
      { code: 'EAUTH', responseCode: 454, response: '454 4.7.0 canary' },
      'retry',
      'the mail server cannot check the password now (454)',
    ],
    [{ code: 'EAUTH' }, 'refused', 'the mail server offers no way to log in that is known here'],
    [
      { code: 'ETLS', responseCode: 454 },
      'retry',
      'the mail server does not offer STARTTLS (454), and without it nothing is sent',
    ],
    [
      { code: 'ETLS', originalCode: 'CERT_HAS_EXPIRED' },
      'retry',
      'no TLS with the mail server: its certificate has expired',
    ],
    [
      { code: 'ESOCKET', originalCode: 'ERR_TLS_CERT_ALTNAME_INVALID' },
      'retry',
      'no TLS with the mail server: its certificate is for another name',
    ],
    [{ code: 'EDNS' }, 'retry', 'the name of the mail server could not be looked up'],
    [{ code: 'ETIMEDOUT' }, 'retry', 'the mail server did not answer in time'],
    [{ code: 'ESOCKET', originalCode: 'EHOSTUNREACH' }, 'retry', 'no route to the host'],
    [{ code: 'EMESSAGE' }, 'refused', 'the mail is larger than the server takes'],
    [
      { code: 'EENVELOPE', responseCode: 530, response: '530 5.7.0 log in first' },
      'refused',
      'the server said 530 5.7.0 log in first',
    ],
    [
      { code: 'EPROTOCOL', responseCode: 421, response: '421 4.4.2 bye\r\nForged: line' },
      'retry',
      'the server said 421 4.4.2 bye Forged: line',
    ],
    [{}, 'retry', 'the connection to the mail server was lost'],
  ])('F110 F063 %j is %s: %s', (error, outcome, words) => {
    expect(judgeSmtpError(error)).toEqual({ outcome, error: words });
  });

  it('F109 quotes no more of a reply than a person reads', () => {
    const { error } = judgeSmtpError({ code: 'EMESSAGE', responseCode: 554, response: `554 ${'x'.repeat(5000)}` }) as {
      error: string;
    };

    expect(error.length).toBeLessThan(250);
  });
});
