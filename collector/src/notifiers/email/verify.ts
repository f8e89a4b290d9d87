import { judgeSmtpError, type SmtpError } from './judge.ts';
import type { SmtpSettings } from './settings.ts';
import { transportOptions } from './transport.ts';

/**
 * Connects to the mail server as for a mail, with TLS and log-in as they are configured, and sends nothing. Resolves with what
 * is wrong, or null.
 * @throws StartFailure for a CA file that cannot be read.
 */
export async function verifyMailServer(
  smtp: SmtpSettings,
  { hostname, timeoutMs }: { readonly hostname: string; readonly timeoutMs: number },
): Promise<string | null> {
  const options = transportOptions(smtp, { hostname });
  const { default: Pool } = await import('nodemailer/lib/smtp-pool');
  const pool = new Pool(options);
  const limit = AbortSignal.timeout(timeoutMs);
  const tooLate = new Promise<never>((_, reject) => {
    limit.addEventListener('abort', () => reject({ code: 'ETIMEDOUT' } satisfies SmtpError), { once: true });
  });
  try {
    await Promise.race([pool.verify(), tooLate]);
    return null;
  } catch (error) {
    const outcome = judgeSmtpError(error as SmtpError);
    return outcome.outcome === 'delivered' ? null : outcome.error;
  } finally {
    pool.close({ force: true });
  }
}
