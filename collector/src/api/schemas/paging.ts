import { parseDuration } from '@runnerwatch/shared/runtime/duration.ts';
import * as z from 'zod';
import { badRequest } from '../errors.ts';

/** `limit` and `cursor` of every listing; a page says in `next_cursor` where the next one begins. */
export const paging = {
  limit: z.coerce.number().int().min(1).max(500).default(100).describe('At most so many items.'),
  cursor: z.string().max(2048).optional().describe('`next_cursor` of the page before.'),
};

/** One page of a listing. */
export function page<Item extends z.core.$ZodType>(item: Item) {
  return z.object({ items: z.array(item), next_cursor: z.string().nullable() });
}

/** An instant, or how long ago: `2026-11-22T03:54:34.123Z`, `90m`. */
export const moment = z
  .string()
  .max(64)
  .describe('RFC 3339 instant, or a duration before now such as `90m`, `24h`, `7d`.');

/** The moment as a date. @throws ApiError naming the field. */
export function parseMoment(field: string, text: string, nowMs: number): Date {
  const agoMs = parseDuration(text);
  if (agoMs !== undefined) return new Date(nowMs - agoMs);
  const atMs = /^\d{4}-\d\d-\d\d/.test(text) ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(atMs)) {
    throw badRequest(
      field,
      'expected an instant such as 2026-11-22T03:54:34.123Z, or a duration before now such as 90m',
    );
  }
  return new Date(atMs);
}

/** Where a page ends, as one opaque cursor. */
export function encodePosition(position: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(position)).toString('base64url');
}

/** @throws ApiError when it is none of ours. */
export function decodePosition<Position>(cursor: string, schema: z.ZodType<Position>): Position {
  const parsed = schema.safeParse(parseJson(Buffer.from(cursor, 'base64url').toString()));
  if (!parsed.success) throw invalidCursor();
  return parsed.data;
}

export function invalidCursor() {
  return badRequest('cursor', 'expected the next_cursor of an earlier page');
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}
