import type * as z from 'zod/mini';
import type { Lane } from '../model/event.ts';
import { type AgentFrame, agentFrame, type CollectorFrame, collectorFrame } from './frames.ts';

/** Largest frame either side accepts, in bytes of UTF-8. Give it to the WebSocket as `maxPayload` too. */
export const maxFrameBytes = 1024 * 1024;

/** Objects and arrays inside one another; our own frames need eight. */
export const maxFrameDepth = 32;

/**
 * What came of one message.
 * `unknown`: sound JSON of a `kind` this build has not heard of; a session may skip it.
 * `refused`: `where` is the path of the field (`events[3].body.ending.exit_code`, '' for the whole message), `what` says what is wrong with it.
 */
export type Decoded<Frame> =
  | { readonly kind: 'frame'; readonly frame: Frame }
  | { readonly kind: 'unknown'; readonly where: 'kind'; readonly what: string }
  | { readonly kind: 'refused'; readonly reason: RefusalReason; readonly where: string; readonly what: string };

export type RefusalReason = 'too_big' | 'too_deep' | 'not_json' | 'invalid';

/** One frame as the text of one WebSocket message. */
export function encode(frame: AgentFrame | CollectorFrame): string {
  return JSON.stringify(frame);
}

/** A `batch` frame from events that are JSON text already, as the spool gives them: nothing is parsed only to be written again. */
export function encodeBatch(lane: Lane, eventTexts: readonly string[]): string {
  return `{"kind":"batch","lane":"${lane}","events":[${eventTexts.join(',')}]}`;
}

/**
 * Reads a message that `sender` sent. Fields nobody knows are left out of the result, so an older build understands a newer one;
 * integers beyond 2^53 are refused, so that no sequence number loses precision; a key such as `__proto__` never reaches a prototype.
 */
export function decode(text: string, sender: 'agent'): Decoded<AgentFrame>;
export function decode(text: string, sender: 'collector'): Decoded<CollectorFrame>;
export function decode(text: string, sender: 'agent' | 'collector'): Decoded<AgentFrame | CollectorFrame> {
  if (isLongerThan(text, maxFrameBytes)) return refused('too_big', '', `more than ${maxFrameBytes} bytes`);
  if (isDeeperThan(text, maxFrameDepth)) return refused('too_deep', '', `nested deeper than ${maxFrameDepth}`);
  const json = parseJson(text);
  if (json === undefined) return refused('not_json', '', 'not JSON');
  const parsed = (sender === 'agent' ? agentFrame : collectorFrame).safeParse(json);
  if (parsed.success) return { kind: 'frame', frame: parsed.data };
  const unheard = unknownKind(json, sender);
  if (unheard !== undefined) return { kind: 'unknown', where: 'kind', what: `unknown kind ${shown(unheard)}` };
  const issue = parsed.error.issues[0];
  return refused('invalid', issue ? pathText(issue.path) : '', issue ? issueText(issue) : 'not a frame');
}

function refused(reason: RefusalReason, where: string, what: string): Decoded<never> {
  return { kind: 'refused', reason, where, what };
}

function isLongerThan(text: string, limitBytes: number): boolean {
  if (text.length > limitBytes) return true;
  return text.length * 3 > limitBytes && Buffer.byteLength(text) > limitBytes;
}

/** Counts brackets outside strings before anything is built from them. */
function isDeeperThan(text: string, limit: number): boolean {
  let depth = 0;
  let inString = false;
  for (let index = 0; index < text.length; index++) {
    const code = text.charCodeAt(index);
    if (inString) {
      if (code === 0x5c) index++;
      else if (code === 0x22) inString = false;
    } else if (code === 0x22) inString = true;
    else if (code === 0x7b || code === 0x5b) {
      if (++depth > limit) return true;
    } else if (code === 0x7d || code === 0x5d) depth--;
  }
  return false;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

const knownKinds = { agent: kindsOf(agentFrame), collector: kindsOf(collectorFrame) };

function kindsOf(union: {
  def: { options: readonly { def: { shape: { kind: z.ZodMiniLiteral<string> } } }[] };
}): ReadonlySet<string> {
  return new Set(union.def.options.flatMap((option) => option.def.shape.kind.def.values));
}

function unknownKind(json: unknown, sender: 'agent' | 'collector'): string | undefined {
  if (typeof json !== 'object' || json === null || !Object.hasOwn(json, 'kind') || !('kind' in json)) return undefined;
  return typeof json.kind === 'string' && !knownKinds[sender].has(json.kind) ? json.kind : undefined;
}

function pathText(path: readonly PropertyKey[]): string {
  return path.reduce<string>((text, part) => {
    if (typeof part === 'number') return `${text}[${part}]`;
    return text === '' ? String(part) : `${text}.${String(part)}`;
  }, '');
}

function issueText(issue: z.core.$ZodIssue): string {
  switch (issue.code) {
    case 'invalid_type':
      return `expected ${issue.expected}`;
    case 'too_big':
      return `expected at most ${issue.maximum}`;
    case 'too_small':
      return `expected at least ${issue.minimum}`;
    case 'invalid_format':
      return `expected the form ${issue.format === 'regex' ? (issue.pattern ?? 'regex') : issue.format}`;
    case 'invalid_value':
      return `expected ${issue.values.map((value) => shown(String(value))).join(' or ')}`;
    case 'invalid_union':
      return 'expected a known kind';
    case 'not_multiple_of':
    case 'unrecognized_keys':
    case 'invalid_key':
    case 'invalid_element':
    case 'custom':
      return `not valid (${issue.code})`;
  }
}

/** A peer's word in our own sentence: short and on one line. */
function shown(word: string): string {
  return JSON.stringify(word.length > 40 ? `${word.slice(0, 40)}…` : word);
}
