import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import {
  adviceOf,
  classOf,
  evidenceOf,
  type Fact,
  factsOf,
  groupOf,
  linesOf,
  linkOf,
  sentenceOf,
  type Tone,
  titleOf,
  toneOf,
} from './wording.ts';

/** A notification as a person reads it, top to bottom: the one model behind every long form of it. */
export interface Story {
  readonly tone: Tone;
  readonly class: string;
  readonly title: string;
  readonly sentence: string;
  readonly facts: readonly Fact[];
  readonly evidence: readonly string[];
  readonly advice: readonly string[];
  /** What is told together with it. */
  readonly group: { readonly lines: readonly string[]; readonly more: number };
  /** The last words of the task. */
  readonly lines: readonly string[];
  /** Where to read on; null when the collector has no `public_url`. */
  readonly link: string | null;
}

/** As many as one looks through; all of them are on the page. */
const groupLinesMax = 50;

export function storyOf(notification: Notification): Story {
  return {
    tone: toneOf(notification),
    class: classOf(notification),
    title: titleOf(notification),
    sentence: sentenceOf(notification),
    facts: factsOf(notification),
    evidence: evidenceOf(notification),
    advice: adviceOf(notification),
    group: groupOf(notification, groupLinesMax),
    lines: linesOf(notification),
    link: linkOf(notification),
  };
}

/** The story without markup, its parts apart by empty lines. It begins with the title unless that stands elsewhere. */
export function plainText(story: Story, { hasTitle = true }: { hasTitle?: boolean } = {}): string {
  const { title, sentence, facts, evidence, advice, group, lines, link } = story;
  const width = Math.max(0, ...facts.map(({ label }) => label.length));
  const parts = [
    hasTitle ? title : '',
    sentence,
    section('What to do', advice, '- '),
    facts.map(({ label, value }) => `${`${label}:`.padEnd(width + 2)}${value}`).join('\n'),
    section('What proves it', evidence, '- '),
    section('Told together', [...group.lines, ...moreLine(story)], '- '),
    section('Its last lines', lines, '| '),
    link ?? '',
  ];
  return `${parts.filter((part) => part !== '').join('\n\n')}\n`;
}

/** `and 12 more`, or nothing. */
export function moreLine({ group: { more } }: Story): string[] {
  return more === 0 ? [] : [`and ${more} more`];
}

function section(title: string, lines: readonly string[], mark: string): string {
  return lines.length === 0 ? '' : [`${title}:`, ...lines.map((line) => `${mark}${line}`)].join('\n');
}
