import { domainToASCII } from 'node:url';
import * as field from '@runnerwatch/shared/runtime/config-fields.ts';
import * as z from 'zod/mini';
import { brief, rateLimit, timeout } from '../fields.ts';
import { templateSettings } from '../template.ts';

/** RFC 5321 section 4.5.3.1.3: a path has 256 octets, its angle brackets among them. */
const addressLengthMax = 254;

/** One bare address, its domain as DNS has it. Comments, quotes and lists are refused, so that none can become two. */
export const mailAddress = z.pipe(
  field.text,
  z.transform((value, context) => {
    const address = toMailAddress(value);
    if (address !== null) return address;
    context.issues.push({ code: 'custom', message: 'expected a mail address such as ops@example.org', input: value });
    return z.NEVER;
  }),
);

function toMailAddress(value: string): string | null {
  const [, local = '', given = ''] =
    /^([^\s@<>()[\]\\,;:"\p{Cc}]+)@([^\s@<>()[\]\\,;:"\p{Cc}]+)$/u.exec(value.trim()) ?? [];
  const domain = domainToASCII(given);
  const address = `${local}@${domain}`;
  return local === '' || domain === '' || address.length > addressLengthMax ? null : address;
}

/** `alerts@example.org`, or `Runnerwatch <alerts@example.org>`. */
const sender = z.pipe(
  field.text,
  z.transform((value, context) => {
    const [, name = '', address = value.trim()] = /^\s*"?([^<>"\p{Cc}]*?)"?\s*<([^<>]*)>\s*$/u.exec(value) ?? [];
    const bare = toMailAddress(address);
    if (bare !== null) return { name, address: bare };
    const message = 'expected a mail address such as alerts@example.org, or Runnerwatch <alerts@example.org>';
    context.issues.push({ code: 'custom', message, input: value });
    return z.NEVER;
  }),
);

const hostName = field.text.check(
  z.regex(/^[A-Za-z0-9._:-]+$/, { error: 'expected a host name or an address without its port' }),
);

/** How to reach the mail server that takes our mail. */
export const smtpSettings = z
  .strictObject({
    host: hostName,
    /** Unset: 465 with TLS from the start, 587 with STARTTLS, 25 without. */
    port: z.optional(
      field.count.check(z.refine((port) => port > 0 && port < 65_536, { error: 'expected a port from 1 to 65535' })),
    ),
    /** `starttls` must succeed, or nothing is sent. Unset: it is required, except of this machine's own mail server. */
    tls: z.optional(
      z.enum(['starttls', 'implicit', 'off'], {
        error: 'expected one of starttls, implicit (TLS from the start), off',
      }),
    ),
    username: z.optional(field.text),
    password: z.optional(field.text),
    password_file: z.optional(field.path),
    /** The password may go over a network unprotected: whoever listens there has it. */
    allow_insecure_auth: z._default(field.boolean, false),
    from: sender,
    /** Authorities to trust beside the system's, as PEM. */
    ca_file: z.optional(field.path),
    /** What we call ourselves in EHLO. Unset: this machine's name. */
    hello: z.optional(hostName),
  })
  .check((context) => {
    const { username, password, password_file, allow_insecure_auth: isAllowed } = context.value;
    const refuse = (key: string, message: string) =>
      context.issues.push({ code: 'custom', path: [key], input: undefined, message });
    const hasPassword = password !== undefined || password_file !== undefined;
    if (hasPassword && username === undefined) refuse('username', 'expected the user name that the password is for');
    if (username === undefined) return;
    if ((password === undefined) === (password_file === undefined))
      refuse('password', 'expected either password or password_file');
    if (tlsOf(context.value) === 'off' && !isLoopbackHost(context.value.host) && !isAllowed)
      refuse(
        'tls',
        'a password does not go over a network unprotected; set starttls or implicit, or allow_insecure_auth',
      );
  });
export type SmtpSettings = z.output<typeof smtpSettings>;

export const emailSettings = z.strictObject({
  type: z.literal('email'),
  to: field
    .listOf(mailAddress)
    .check(z.refine((list) => list.length > 0 && list.length <= 100, { error: 'expected one to 100 mail addresses' })),
  from: z.optional(sender),
  /** The word that every subject begins with. */
  subject_prefix: z._default(
    field.text.check(z.maxLength(40, { error: 'expected at most 40 characters' })),
    'Runnerwatch',
  ),
  /** Unset: `notifications.smtp`. */
  smtp: z.optional(smtpSettings),
  template: templateSettings,
  timeout,
  rate_limit: rateLimit,
  brief,
});
export type EmailSettings = z.output<typeof emailSettings>;

export function tlsOf({ tls, host }: Pick<SmtpSettings, 'tls' | 'host'>): 'starttls' | 'implicit' | 'off' {
  return tls ?? (isLoopbackHost(host) ? 'off' : 'starttls');
}

export function isLoopbackHost(host: string): boolean {
  return /^(localhost|127(\.\d{1,3}){3}|::1)$/i.test(host);
}
