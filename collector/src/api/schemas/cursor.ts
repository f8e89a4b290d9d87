import * as z from 'zod';
import { badRequest } from '../errors.ts';

/** Where a listing goes on: after this instant and id. Opaque to readers. */
export interface Position {
  readonly at: Date;
  readonly id: string;
}

export const pageQuery = {
  limit: z.coerce.number().int().min(1).max(1000).default(50),
  cursor: z.string().max(512).optional(),
};

export function encodeCursor({ at, id }: Position): string {
  return Buffer.from(`${at.getTime()} ${id}`).toString('base64url');
}

/** @throws ApiError bad_request */
export function decodeCursor(cursor: string | undefined): Position | undefined {
  if (cursor === undefined) return undefined;
  const [, ms, id] = /^(\d{1,15}) ([\x21-\x7e]{1,200})$/.exec(Buffer.from(cursor, 'base64url').toString()) ?? [];
  if (ms === undefined || id === undefined)
    throw badRequest('cursor', 'this is not a cursor; use next_cursor of the page before as it is');
  return { at: new Date(Number(ms)), id };
}

/** One page out of rows read with one more than asked for. */
export function pageOf<Row, Item>(
  rows: readonly Row[],
  limit: number,
  { position, item }: { position: (row: Row) => Position; item: (row: Row) => Item },
): { items: Item[]; next_cursor: string | null } {
  const shown = rows.slice(0, limit);
  const last = shown.at(-1);
  return {
    items: shown.map(item),
    next_cursor: rows.length > limit && last !== undefined ? encodeCursor(position(last)) : null,
  };
}
