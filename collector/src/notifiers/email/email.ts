import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import type SMTPPool from 'nodemailer/lib/smtp-pool';
import type { Notifier, NotifierDeps } from '../notifier.ts';
import { createRender, withNote } from '../template.ts';
import { judgeSmtpError, notWritten, type SmtpError } from './judge.ts';
import { type EmailMessage, emailMessage } from './message.ts';
import { Recipients } from './recipients.ts';
import type { EmailSettings, SmtpSettings } from './settings.ts';
import { transportOptions } from './transport.ts';

/**
 * Sends one mail to all its recipients. What the server says of each counts: those taken are not sent to again, those put off
 * are tried again, those refused are named and left. A repeated mail has the same Message-ID.
 * @throws StartFailure for a CA file that cannot be read.
 */
export function createEmailNotifier(
  settings: EmailSettings & { readonly smtp: SmtpSettings },
  deps: Pick<NotifierDeps, 'hostname' | 'receiver' | 'log'>,
): Notifier {
  const { smtp, to, subject_prefix: subjectPrefix, timeout } = settings;
  const from = settings.from ?? smtp.from;
  const options = transportOptions(smtp, deps);
  const recipients = new Recipients();
  const render = createRender(settings.template, deps);
  const write = async (notification: Notification) => {
    const rendered = await render(notification);
    return { mail: emailMessage(notification, { from, to, subjectPrefix, rendered }), note: rendered.note };
  };
  let sending: Promise<Sending> | undefined;
  return {
    deliver: async (notification, { signal }) => {
      const left = recipients.left(notification.id, to);
      const limit = AbortSignal.timeout(timeout);
      sending ??= openSending(options);
      try {
        const { send } = await sending;
        const { mail, note } = await write(notification);
        const errors = await send(mail, { to: left, signal: AbortSignal.any([signal, limit]) });
        return withNote(recipients.settle(notification.id, left, errors), note);
      } catch (error) {
        if (signal.aborted) return { outcome: 'retry', error: 'stopped' };
        if (limit.aborted) return { outcome: 'retry', error: `the mail server did not take it within ${timeout} ms` };
        const { rejectedErrors = [] } = error as { rejectedErrors?: SmtpError[] };
        if (rejectedErrors.length === 0) return judgeSmtpError(error as SmtpError);
        return recipients.settle(notification.id, left, rejectedErrors);
      }
    },
    preview: async (notification) => {
      const { mail, note } = await write(notification);
      return { subject: mail.subject, text: mail.text, html: mail.html, ...(note === undefined ? {} : { note }) };
    },
    [Symbol.asyncDispose]: async () => (await sending)?.close(),
  };
}

interface Sending {
  /** Resolves with an error for each recipient not taken while another was. */
  readonly send: (
    mail: EmailMessage,
    options: { readonly to: readonly string[]; readonly signal: AbortSignal },
  ) => Promise<readonly SmtpError[]>;
  readonly close: () => void;
}

/** Loaded with the first mail: a collector that sends none does not carry its weight. */
async function openSending(options: SMTPPool.Options): Promise<Sending> {
  const [{ createTransport }, { default: MailComposer }, { default: Pool }] = await Promise.all([
    import('nodemailer'),
    import('nodemailer/lib/mail-composer'),
    import('nodemailer/lib/smtp-pool'),
  ]);
  const pool = new Pool(options);
  const transport = createTransport(pool);
  /** Here and not in the transport, which throws what it cannot write where nobody can catch it. */
  const compose = async (mail: EmailMessage) => {
    try {
      // It writes into what it is given, and the configuration is frozen.
      const copy = { ...mail, from: { ...mail.from }, to: [...mail.to], headers: { ...mail.headers } };
      return await new MailComposer(copy).compile().build();
    } catch (error) {
      throw Object.assign(new Error('the mail could not be written', { cause: error }), { code: notWritten });
    }
  };
  return {
    send: async (mail, { to, signal }) => {
      const envelope = { from: mail.from.address, to: [...to] };
      const sent = await transport.sendMail({ raw: await compose(mail), envelope, signal });
      return sent.rejectedErrors ?? [];
    },
    close: () => pool.close({ force: true }),
  };
}
