import { readFileSync } from 'node:fs';
import { rootCertificates } from 'node:tls';
import { StartFailure } from '@runnerwatch/shared/runtime/start-failure.ts';
import type { SMTPPoolOptions } from 'nodemailer/lib/smtp-pool';
import { type SmtpSettings, tlsOf } from './settings.ts';

const ports = { starttls: 587, implicit: 465, off: 25 } as const;

/** Of each stage, in milliseconds; the whole attempt has a limit of its own, for a server that only drips. */
const stageTimeouts = { dnsTimeout: 5000, connectionTimeout: 5000, greetingTimeout: 5000, socketTimeout: 10_000 };

/** Connections kept for the next mail, and how long one waits for it. What fails is the outbox's to repeat. */
const pool = { pool: true, maxConnections: 2, maxMessages: 100, idleTimeout: 30_000, maxRequeues: 0 } as const;

/** @throws StartFailure for a CA file that cannot be read. */
export function transportOptions(smtp: SmtpSettings, { hostname }: { hostname: string }): SMTPPoolOptions {
  const { host, port, username, password, ca_file: caFile, hello = hostname } = smtp;
  const tls = tlsOf(smtp);
  return {
    ...pool,
    ...stageTimeouts,
    host,
    port: port ?? ports[tls],
    secure: tls === 'implicit',
    requireTLS: tls === 'starttls',
    ignoreTLS: tls === 'off',
    name: hello,
    ...(username === undefined ? {} : { auth: { user: username, pass: password ?? '' } }),
    tls: {
      minVersion: 'TLSv1.2',
      ...(caFile === undefined ? {} : { ca: [...rootCertificates, readAuthority(caFile)] }),
    },
    // Nothing in a mail of ours names a file or an address to fetch.
    disableFileAccess: true,
    disableUrlAccess: true,
  };
}

function readAuthority(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    const reason = (error as NodeJS.ErrnoException).code ?? 'unknown reason';
    throw new StartFailure('config', `smtp.ca_file: cannot read ${path} (${reason})`, { cause: error });
  }
}
