import { describe, expect, it } from 'vitest';
import { emailSettings, smtpSettings } from './settings.ts';

const smtp = (more: Record<string, unknown>) =>
  smtpSettings.safeParse({ host: 'mail.example.org', from: 'w@example.org', ...more });
const problem = (more: Record<string, unknown>) => smtp(more).error?.issues[0]?.message;

describe('the mail server of a configuration', () => {
  it('F110 gets no password over a network unprotected, unless a person says so', () => {
    const login = { username: 'u', password: 'p' };

    expect(problem({ ...login, tls: 'off' })).toMatch(/a password does not go over a network unprotected/);
    expect(smtp({ ...login, tls: 'off', allow_insecure_auth: true }).success).toBe(true);
    expect(smtp({ ...login, tls: 'off', host: '127.0.0.1' }).success).toBe(true);
    expect(smtp(login).success).toBe(true);
  });

  it('needs a password with its user name, and one only', () => {
    expect(problem({ username: 'u' })).toBe('expected either password or password_file');
    expect(problem({ username: 'u', password: 'p', password_file: '/x' })).toBe(
      'expected either password or password_file',
    );
    expect(problem({ password: 'p' })).toBe('expected the user name that the password is for');
  });

  it('takes a sender with or without a name', () => {
    expect(smtp({ from: '"Watch, Inc" <w@example.org>' }).data?.from).toEqual({
      name: 'Watch, Inc',
      address: 'w@example.org',
    });
    expect(smtp({ from: 'w@bücher.example' }).data?.from).toEqual({ name: '', address: 'w@xn--bcher-kva.example' });
    expect(problem({ from: 'Watch\r\nBcc: x@y <w@example.org>' })).toMatch(/expected a mail address/);
  });
});

describe('a recipient', () => {
  it.each([
    'ada@example.org\r\nBcc: eve@example.org',
    'ada@example.org, eve@example.org',
    '<ada@example.org>',
    '"ada"@example.org',
    'Ada <ada@example.org>',
    'ada@example.org>\u0000',
    'ada',
    '@example.org',
    `${'a'.repeat(250)}@example.org`,
  ])('F111 is one bare address, so %j is refused', (to) => {
    expect(emailSettings.safeParse({ type: 'email', to: [to] }).success).toBe(false);
  });

  it('is there', () => {
    expect(emailSettings.safeParse({ type: 'email', to: [] }).success).toBe(false);
    expect(emailSettings.parse({ type: 'email', to: 'ada@example.org, bob@example.org' }).to).toEqual([
      'ada@example.org',
      'bob@example.org',
    ]);
  });
});
