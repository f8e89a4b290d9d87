import type { EventBody } from '@runnerwatch/shared/model/event.ts';
import { maxBodyBytes } from './record.ts';

/** `body` as JSON text that every reader can store, cut to at most `limitBytes`; `isCut` when something had to go. */
export function fit(body: EventBody, limitBytes = maxBodyBytes): { text: string; isCut: boolean } {
  const whole = clean(JSON.stringify(body));
  if (Buffer.byteLength(whole) <= limitBytes) return { text: whole, isCut: false };
  const bare = withoutLogTail(body);
  for (const { from, textUnits, items } of [
    { from: body, textUnits: 4096, items: 100 },
    ...cuts.map((cut) => ({ from: bare, ...cut })),
  ]) {
    const text = clean(JSON.stringify(shorten(from, textUnits, items)));
    if (Buffer.byteLength(text) <= limitBytes) return { text, isCut: true };
  }
  throw new RangeError(`a ${body.kind} event does not fit into ${limitBytes} bytes however short its texts are cut`);
}

export function withoutLogTail(body: EventBody): EventBody {
  return body.kind === 'task_ended' && body.log_tail !== null ? { ...body, log_tail: null } : body;
}

/** Tried in turn, after the log tail is gone: longest text in UTF-16 units, most items of a list or object. */
const cuts = [
  { textUnits: 16_384, items: 1000 },
  { textUnits: 2048, items: 200 },
  { textUnits: 256, items: 50 },
] as const;

function shorten(value: unknown, textUnits: number, items: number): unknown {
  if (typeof value === 'string') return value.length <= textUnits ? value : `${value.slice(0, textUnits)}…`;
  if (Array.isArray(value)) return value.slice(0, items).map((item) => shorten(item, textUnits, items));
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value)
      .slice(0, items)
      .map(([key, item]) => [key, shorten(item, textUnits, items)]),
  );
}

/** NUL and half surrogate pairs are sound JSON, but no database takes them as text; both become U+FFFD. */
function clean(text: string): string {
  if (!/\\u(?:0000|d[89a-f])/i.test(text)) return text;
  return text.replace(/\\(?:u(?:0000|d[89a-f][0-9a-f]{2})|.)/gi, (escape) =>
    escape.length === 6 && /^\\u(?:0000|d[89a-f])/i.test(escape) ? '\ufffd' : escape,
  );
}
