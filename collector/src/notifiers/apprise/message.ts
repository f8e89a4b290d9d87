import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import { plainText, storyOf } from '../story.ts';
import type { Rendered } from '../template.ts';
import { fit } from '../text.ts';
import type { Tone } from '../wording.ts';

/** The body of Apprise API's `/notify`. */
export interface AppriseMessage {
  readonly title: string;
  readonly body: string;
  readonly type: 'info' | 'success' | 'warning' | 'failure';
  /** Apprise escapes it for each service. */
  readonly format: 'text';
  readonly urls?: string;
  readonly tag?: string;
}

/** The least of Apprise's own limits (`title_maxlen`, `body_maxlen` of its base class); each service cuts further by its own. */
const titleLengthMax = 250;
const bodyLengthMax = 32_768;

const types: Readonly<Record<Tone, AppriseMessage['type']>> = {
  bad: 'failure',
  warning: 'warning',
  good: 'success',
  info: 'info',
};

export function appriseMessage(
  notification: Notification,
  { targets, tag, rendered }: { targets: readonly string[]; tag?: string | undefined; rendered?: Rendered },
): AppriseMessage {
  const story = storyOf(notification);
  return {
    title: fit(rendered?.subject ?? story.title, { max: titleLengthMax }),
    body: fit(rendered?.text ?? plainText(story, { hasTitle: false }), { max: bodyLengthMax }),
    type: types[story.tone],
    format: 'text',
    ...(targets.length === 0 ? {} : { urls: targets.join(',') }),
    ...(tag === undefined ? {} : { tag }),
  };
}
