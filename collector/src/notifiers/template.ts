import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import * as field from '@runnerwatch/shared/runtime/config-fields.ts';
import { StartFailure } from '@runnerwatch/shared/runtime/start-failure.ts';
import type { Liquid, Template } from 'liquidjs';
import type { Logger } from 'pino';
import * as z from 'zod/mini';
import type { DeliveryOutcome } from './notifier.ts';
import { plainText, storyOf } from './story.ts';
import { fit, oneLine } from './text.ts';

/*
 * Words of people's own, in Liquid: a language that can look at what it is given and nothing else. No file, no network, no
 * function of ours is in its reach; time, memory and length are bounded. What fails is told in the built-in words instead.
 */

const limits = {
  sourceLengthMax: 20_000,
  /** In Liquid's own count: about a character each. */
  memory: 4_000_000,
  /** Of the clock, for one text. */
  renderMs: 100,
  textLengthMax: 100_000,
  subjectLengthMax: 250,
};

const source = field.text.check(
  z.maxLength(limits.sourceLengthMax, { error: `expected at most ${limits.sourceLengthMax} characters` }),
);

/** The key `template` of a notifier that writes to people. */
export const templateSettings = z.optional(z.strictObject({ subject: z.optional(source), text: z.optional(source) }));
export type TemplateSettings = z.output<typeof templateSettings>;

/** Null where the built-in words stand. `note` says why they do although there is a template. */
export interface Rendered {
  readonly subject: string | null;
  readonly text: string | null;
  readonly note?: string;
}

export type Render = (notification: Notification) => Promise<Rendered>;

/** What is said without a template. */
export const builtIn: Rendered = { subject: null, text: null };

export function createRender(
  settings: TemplateSettings,
  { receiver, log }: { readonly receiver: string; readonly log: Logger },
): Render {
  if (settings === undefined) return async () => builtIn;
  let parsed: Promise<Parsed> | undefined;
  let lastProblem: string | null = null;
  return async (notification) => {
    try {
      parsed ??= parse(settings);
      const rendered = render(await parsed, notification);
      lastProblem = null;
      return rendered;
    } catch (error) {
      const problem = problemOf(error);
      if (problem !== lastProblem) log.warn({ receiver, problem }, 'a template failed; the built-in text is sent');
      lastProblem = problem;
      return { ...builtIn, note: `the template failed and the built-in text stands in: ${problem}` };
    }
  };
}

/** An outcome with what else is to be known of it. */
export function withNote(outcome: DeliveryOutcome, note: string | undefined): DeliveryOutcome {
  if (note === undefined || outcome.outcome !== 'delivered') return outcome;
  return { ...outcome, note: outcome.note === undefined ? note : `${outcome.note}; ${note}` };
}

/** Parses every template there is, so that a fault in one is said at the start. @throws StartFailure naming key and line. */
export async function checkTemplates(
  notifiers: Readonly<Record<string, { readonly type?: string; readonly template?: TemplateSettings }>>,
): Promise<void> {
  for (const [receiver, { template = {} }] of Object.entries(notifiers)) {
    for (const [key, text] of Object.entries(template)) {
      try {
        await parse({ [key]: text });
      } catch (error) {
        const place = `notifications.notifiers.${receiver}.template.${key}`;
        throw new StartFailure('config', `${place}: not a template: ${problemOf(error)}`, { cause: error });
      }
    }
  }
}

interface Parsed {
  readonly engine: Liquid;
  readonly subject: Template[] | null;
  readonly text: Template[] | null;
}

/** The engine is loaded with the first template: a collector without one does not carry its weight. */
async function parse({ subject, text }: NonNullable<TemplateSettings>): Promise<Parsed> {
  const { Liquid } = await import('liquidjs');
  const engine = new Liquid({
    ownPropertyOnly: true,
    strictFilters: true,
    strictVariables: true,
    lenientIf: true,
    timezoneOffset: 0,
    parseLimit: limits.sourceLengthMax,
    renderLimit: limits.renderMs,
    memoryLimit: limits.memory,
    // In place of the file system.
    templates: {},
  });
  for (const tag of ['include', 'render', 'layout', 'block']) delete engine.tags[tag];
  const parsed = (from: string | undefined) => (from === undefined ? null : engine.parse(from));
  return { engine, subject: parsed(subject), text: parsed(text) };
}

function render({ engine, subject, text }: Parsed, notification: Notification): Rendered {
  const model = templateModel(notification);
  const written = (template: Template[]) => String(engine.renderSync(template, model));
  return {
    subject: subject && notEmpty(subjectLine(written(subject))),
    text: text && notEmpty(textLines(written(text))),
  };
}

/** One line that only shows. */
export function subjectLine(written: string): string {
  return fit(oneLine(written).trim(), { max: limits.subjectLengthMax });
}

/** Lines that only show. */
export function textLines(written: string): string {
  return fit(written.split('\n').map(oneLine).join('\n').trim(), { max: limits.textLengthMax });
}

function notEmpty(text: string): string {
  if (text === '') throw new Error('nothing came out of it');
  return text;
}

/** What a template sees: the public body, what is absent as null, and beside it the words that we would say. */
export function templateModel(notification: Notification): Record<string, unknown> {
  const story = storyOf(notification);
  const { task = null, condition = null, group = [] } = notification;
  return { ...story, ...notification, task, condition, group, text: plainText(story, { hasTitle: false }) };
}

/** Liquid's first line; it names variables, filters and places, and none of their values. */
function problemOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return fit(oneLine(message.split('\n')[0] ?? ''), { max: 200 });
}
