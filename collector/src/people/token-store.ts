import { eq } from 'drizzle-orm';
import * as z from 'zod';
import type { Queries } from '../db/database.ts';
import { collectorState } from '../db/tables/schema.ts';
import type { TokenKind, TokenStore } from './tokens.ts';

const storedTokens = z.array(z.object({ sha256: z.string(), created_at: z.string() }));

/** Digests of the admitting tokens, in `collector_state` under `tokens:agent` and `tokens:api`. */
export function createTokenStore(queries: Queries): TokenStore {
  const keyOf = (kind: TokenKind) => `tokens:${kind}`;
  return {
    load: async (kind) => {
      const [row] = await queries
        .select()
        .from(collectorState)
        .where(eq(collectorState.key, keyOf(kind)));
      return row === undefined ? [] : storedTokens.parse(row.value);
    },
    save: async (kind, tokens) => {
      const value = [...tokens];
      await queries
        .insert(collectorState)
        .values({ key: keyOf(kind), value })
        .onConflictDoUpdate({ target: collectorState.key, set: { value } });
    },
  };
}
