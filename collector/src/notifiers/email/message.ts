import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import { plainText, type Story, storyOf } from '../story.ts';
import type { Rendered } from '../template.ts';
import { fit } from '../text.ts';
import { htmlOfText, htmlPage } from './html.ts';

/** RFC 5322 section 2.1.1 bounds a line by 998; mail programs show less than this of a subject. */
const subjectLengthMax = 200;

export interface Envelope {
  readonly from: { readonly name: string; readonly address: string };
  readonly to: readonly string[];
  readonly subjectPrefix: string;
  /** People's own words, where there are any. */
  readonly rendered?: Rendered;
}

/** A mail, before it is encoded. */
export interface EmailMessage {
  readonly from: { readonly name: string; readonly address: string };
  readonly to: readonly string[];
  readonly subject: string;
  readonly date: Date;
  readonly text: string;
  readonly html: string;
  readonly messageId: string;
  /** The beginning of the thread, which is no mail of its own: each program that knows RFC 5256 threads by it all the same. */
  readonly references?: string;
  readonly inReplyTo?: string;
  readonly headers: Readonly<Record<string, string>>;
}

/** Everything in it follows from the notification, so each attempt sends the same mail under the same id. */
export function emailMessage(
  notification: Notification,
  { from, to, subjectPrefix, rendered }: Envelope,
): EmailMessage {
  const story = storyOf(notification);
  const domain = from.address.slice(from.address.lastIndexOf('@') + 1);
  const { incident } = notification;
  const thread = incident === null ? null : messageId(`incident.${incident.id}`, domain);
  return {
    from,
    to,
    subject: fit(rendered?.subject ?? subjectOf(story, subjectPrefix), { max: subjectLengthMax }),
    date: new Date(notification.at),
    text: rendered?.text ?? plainText(story),
    html: rendered?.text ? htmlOfText(story, rendered.text) : htmlPage(story),
    messageId: messageId(notification.id, domain),
    ...(thread === null ? {} : { references: thread, inReplyTo: thread }),
    headers: {
      // RFC 3834 section 5, and what Exchange and older programs heed instead: no answer from machines.
      'Auto-Submitted': 'auto-generated',
      'X-Auto-Response-Suppress': 'All',
      Precedence: 'bulk',
      'X-Runnerwatch-Type': notification.type,
    },
  };
}

/** `Runnerwatch Alert: Task Failures - train-42 on gpu-7 failed: exit code 1`. */
function subjectOf(story: Story, prefix: string): string {
  return `${prefix} ${story.class} - ${story.title}`;
}

/** RFC 5322 section 3.6.4; only what needs no quoting. */
function messageId(local: string, domain: string): string {
  return `<${local.replaceAll(/[^A-Za-z0-9.-]/g, '-')}@${domain}>`;
}
