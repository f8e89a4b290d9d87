import type { DeliveryOutcome } from '../notifier.ts';
import { judgeSmtpError, refusalText, type SmtpError } from './judge.ts';

/** Mails with recipients still open that are remembered at once; the oldest is forgotten for one more. */
const mailsMax = 1000;

/**
 * What became of each recipient of the mails that are not through yet. It lives as long as the process: after a restart a mail
 * that was put off for one goes to all of them again, under its old Message-ID.
 */
export class Recipients {
  /** By notification, then by address: null when taken, else the refusal. */
  readonly #open = new Map<string, Map<string, string | null>>();

  /** Those that the mail is still to go to. */
  left(notificationId: string, to: readonly string[]): string[] {
    const known = this.#open.get(notificationId);
    return to.filter((address) => known?.has(address) !== true);
  }

  /** After an attempt: what the server said of those that were left, one error for each that it did not take. */
  settle(notificationId: string, left: readonly string[], errors: readonly SmtpError[]): DeliveryOutcome {
    const known = this.#open.get(notificationId) ?? new Map<string, string | null>();
    this.#open.delete(notificationId);
    const isPutOff = (error: SmtpError) => judgeSmtpError(error).outcome === 'retry';
    for (const address of left) {
      const error = errors.find(({ recipient }) => recipient === address);
      if (error === undefined || !isPutOff(error)) known.set(address, error === undefined ? null : refusalText(error));
    }
    const putOff = errors.filter(isPutOff);
    if (putOff.length > 0) {
      this.#remember(notificationId, known);
      return { outcome: 'retry', error: putOff.map(refusalText).join('; ') };
    }
    const refusals = [...known.values()].filter((refusal) => refusal !== null).join('; ');
    if (refusals === '') return { outcome: 'delivered' };
    if ([...known.values()].every((refusal) => refusal !== null)) return { outcome: 'refused', error: refusals };
    return { outcome: 'delivered', note: `not to everyone: ${refusals}` };
  }

  #remember(notificationId: string, known: Map<string, string | null>): void {
    this.#open.set(notificationId, known);
    const [oldest] = this.#open.keys();
    if (this.#open.size > mailsMax && oldest !== undefined) this.#open.delete(oldest);
  }
}
