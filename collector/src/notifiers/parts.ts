import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import type { Preview } from './notifier.ts';
import { plainText, storyOf } from './story.ts';
import { builtIn, type Rendered } from './template.ts';
import { type Fitting, fit, fitLastLines, fitList } from './text.ts';
import { groupOf, type Tone } from './wording.ts';

/** How much of each part a service takes, in its own measure, and how it wants text to be harmless. */
export interface Budget {
  readonly title: number;
  readonly sentence: number;
  readonly facts: number;
  readonly group: number;
  readonly lines: number;
  /** Of a template's text, which stands for all of these; unset: as much as they have together. */
  readonly text?: number;
  readonly escape?: Fitting['escape'];
  /** In a block of code, where escapes stand for themselves. */
  readonly escapeCode?: Fitting['escape'];
  /** A line of a template's text, where what stands at its beginning could be markup. */
  readonly line?: (line: string) => string;
  readonly size?: Fitting['size'];
}

/** The short form of a story: pieces that fit, escaped, in the order they are read. */
export interface Parts {
  readonly tone: Tone;
  readonly title: string;
  readonly sentence: string;
  /** What to do, the facts together on a line, and what proves it. */
  readonly facts: readonly string[];
  /** A heading, then one line for each. */
  readonly group: readonly string[];
  /** For a block of code. */
  readonly lines: string | null;
  /** Not escaped: http or https, as URL.href has it. */
  readonly link: string | null;
}

export function partsOf(notification: Notification, budget: Budget, words = builtIn): Parts {
  const { escape, escapeCode = escape, size } = budget;
  const fitting = (max: number, by = escape): Fitting => ({
    max,
    ...(by === undefined ? {} : { escape: by }),
    ...(size === undefined ? {} : { size }),
  });
  const { tone, title: told, sentence, advice, facts, evidence, lines, link } = storyOf(notification);
  const title = fit(words.subject ?? told, fitting(budget.title));
  if (words.text !== null) {
    const max = budget.text ?? budget.sentence + budget.facts + budget.group + budget.lines;
    const text = words.text
      .split('\n')
      .map(budget.line ?? same)
      .join('\n');
    return { tone, title, sentence: fit(text, fitting(max)), facts: [], group: [], lines: null, link };
  }
  const group = groupOf(notification, Number.POSITIVE_INFINITY).lines;
  const factLines = [
    ...advice.map((text) => `What to do: ${text}`),
    ...(facts.length === 0 ? [] : [facts.map(({ label, value }) => `${label}: ${value}`).join(' · ')]),
    ...evidence.map((text) => `What proves it: ${text}`),
  ];
  const groupLines = group.length === 0 ? [] : ['Told together:', ...group.map((line) => `• ${line}`)];
  return {
    tone,
    title,
    sentence: fit(sentence, fitting(budget.sentence)),
    facts: fitList(factLines, fitting(budget.facts)),
    group: fitList(groupLines, fitting(budget.group)),
    lines: fitLastLines(lines, fitting(budget.lines, escapeCode)),
    link,
  };
}

/** The same without what is long: log, proof, advice, and what is told with it. */
export function shortened(notification: Notification): Notification {
  const { group: _, ...rest } = notification;
  return withoutDetails(rest);
}

/** The same without log lines, proof and advice. */
export function withoutDetails(notification: Notification): Notification {
  const { task } = notification;
  if (task === undefined) return notification;
  const verdict = task.verdict === null ? null : { ...task.verdict, evidence: [], advice: [] };
  return { ...notification, task: { ...task, verdict, log_tail: null, error_excerpt: null } };
}

/** The pieces without any markup, one below the other, for services that show plain text. The title stands elsewhere. */
export function textOfParts({ sentence, facts, group, lines }: Parts): string {
  return [sentence, facts.join('\n'), group.join('\n'), lines ?? ''].filter((part) => part !== '').join('\n\n');
}

/** The words, before they are cut and marked up for their service. */
export function previewOf(notification: Notification, { subject, text, note }: Rendered): Preview {
  const story = storyOf(notification);
  return {
    subject: subject ?? story.title,
    text: text ?? plainText(story, { hasTitle: false }),
    ...(note === undefined ? {} : { note }),
  };
}

function same(line: string): string {
  return line;
}
