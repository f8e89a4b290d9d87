import type { DeliveryOutcome } from '../notifier.ts';
import { fit, oneLine } from '../text.ts';

/** What nodemailer's errors carry, as far as we read it. */
export interface SmtpError {
  readonly code?: string | undefined;
  /** A system error's own code, where `code` names the stage. */
  readonly originalCode?: string | undefined;
  /** The first three digits of the server's reply. */
  readonly responseCode?: number | undefined;
  readonly response?: string | undefined;
  readonly recipient?: string | undefined;
}

/** Of the server's reply in what people read. */
const replyLengthMax = 160;

/**
 * What a failed mail means:
 *
 * | failure | |
 * |---|---|
 * | no connection, no answer in time, a broken TLS handshake | retry |
 * | a reply 4xx, at any stage (RFC 5321 section 4.2.1: may succeed later) | retry |
 * | a reply 5xx, at any stage: user name or password, STARTTLS, sender, recipients, message | refused |
 * | too large by the server's own SIZE, no way to log in that both know | refused |
 *
 * No reply to a log-in is repeated: it may hold what was sent.
 */
export function judgeSmtpError(error: SmtpError): DeliveryOutcome {
  const { code, responseCode } = error;
  const words = wordsOf(error);
  const isForGood = responseCode === undefined ? code !== undefined && ownRefusals.has(code) : responseCode >= 500;
  return isForGood ? { outcome: 'refused', error: words } : { outcome: 'retry', error: words };
}

/** `ada@example.org: 550 5.1.1 no such user`. */
export function refusalText(error: SmtpError): string {
  return `${error.recipient ?? 'a recipient'}: ${replyText(error)}`;
}

/** Beside nodemailer's own codes: it could not make a mail of our words. */
export const notWritten = 'NOT_WRITTEN';

/** With no reply behind them: found out before anything was sent. */
const ownRefusals: ReadonlySet<string> = new Set(['EAUTH', 'ENOAUTH', 'EMESSAGE', 'EENVELOPE', notWritten]);

function wordsOf(error: SmtpError): string {
  const { code, responseCode, originalCode } = error;
  switch (code) {
    case 'EAUTH':
    case 'ENOAUTH':
      return responseCode === undefined
        ? 'the mail server offers no way to log in that is known here'
        : responseCode >= 500
          ? `the mail server does not accept the user name and password (${responseCode})`
          : `the mail server cannot check the password now (${responseCode})`;
    case 'ETLS':
      return responseCode === undefined
        ? `no TLS with the mail server: ${tlsReasons[originalCode ?? ''] ?? 'the handshake failed'}`
        : `the mail server does not offer STARTTLS (${responseCode}), and without it nothing is sent`;
    case notWritten:
      return 'the mail could not be written';
    case 'EDNS':
      return 'the name of the mail server could not be looked up';
    case 'EMESSAGE':
      return responseCode === undefined
        ? 'the mail is larger than the server takes'
        : `the mail was not taken: ${replyText(error)}`;
    case 'EENVELOPE':
      return responseCode === undefined ? 'an address that cannot be one' : `the server said ${replyText(error)}`;
    default:
      return responseCode === undefined ? connectionText(error) : `the server said ${replyText(error)}`;
  }
}

function connectionText({ code, originalCode = '' }: SmtpError): string {
  if (tlsReasons[originalCode] !== undefined) return `no TLS with the mail server: ${tlsReasons[originalCode]}`;
  const ended =
    code === 'ETIMEDOUT' ? 'the mail server did not answer in time' : 'the connection to the mail server was lost';
  return connectionReasons[originalCode] ?? ended;
}

const connectionReasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'connection refused',
  EHOSTUNREACH: 'no route to the host',
  ENETUNREACH: 'no route to the host',
  ENOTFOUND: 'no such host name',
  EAI_AGAIN: 'the name of the mail server could not be looked up',
};

const tlsReasons: Readonly<Record<string, string>> = {
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is self-signed; give its CA as ca_file',
  SELF_SIGNED_CERT_IN_CHAIN: 'its CA is not known here; give it as ca_file',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its CA is not known here; give it as ca_file',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its CA is not known here; give it as ca_file',
};

function replyText({ response, responseCode }: SmtpError): string {
  return fit(oneLine(response ?? String(responseCode ?? 'no reply')), { max: replyLengthMax });
}
