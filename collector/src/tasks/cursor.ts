/** Where a listing of tasks goes on: after the task of this end and id. Null end: after a task that still runs. */
export interface TaskCursor {
  readonly endedAt: Date | null;
  readonly id: string;
}

/** Opaque for the asker. */
export function encodeCursor({ endedAt, id }: TaskCursor): string {
  return Buffer.from(JSON.stringify([endedAt === null ? null : endedAt.getTime(), id])).toString('base64url');
}

/** Undefined when the text is not one of our cursors. */
export function decodeCursor(text: string): TaskCursor | undefined {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(text, 'base64url').toString());
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [endedAtMs, id] = value as [unknown, unknown];
  if (typeof id !== 'string') return undefined;
  if (endedAtMs === null) return { endedAt: null, id };
  if (typeof endedAtMs !== 'number' || Number.isNaN(new Date(endedAtMs).getTime())) return undefined;
  return { endedAt: new Date(endedAtMs), id };
}
