import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import { StartFailure } from '@runnerwatch/shared/runtime/start-failure.ts';
import { eq } from 'drizzle-orm';
import type { Logger } from 'pino';
import type { Database } from './db/database.ts';
import { collectorState } from './db/tables/collector.ts';
import { createTokenStore } from './people/token-store.ts';
import { createTokenCheck, ensureToken, TokenFileError, type TokenKind } from './people/tokens.ts';

/** Who this collector is, and who may speak to it. */
export interface Credentials {
  /** Made with the database: another database is another collector. */
  readonly collectorId: string;
  readonly isAgentToken: (presented: string) => boolean;
  readonly isApiToken: (presented: string) => boolean;
}

/** Made at the first start, then read: `agent.token` admits agents, `api.token` people and scripts. */
export async function openCredentials({
  database,
  folder,
  now,
  log,
}: {
  database: Database;
  folder: string;
  now: number;
  log: Logger;
}): Promise<Credentials> {
  const store = createTokenStore(database.drizzle);
  const check = async (kind: TokenKind) => {
    try {
      const ensured = await ensureToken({ store, file: join(folder, `${kind}.token`), kind, now });
      if (ensured.wasExposed)
        log.warn(
          { file: ensured.file },
          'a token file could be read by others and was closed to them; make a new one if someone may have looked',
        );
      return createTokenCheck(ensured.accepted);
    } catch (error) {
      if (error instanceof TokenFileError) throw new StartFailure('config', error.message, { cause: error });
      throw new StartFailure(
        'cannotWrite',
        `${join(folder, `${kind}.token`)}: cannot be kept: ${(error as Error).message}`,
        { cause: error },
      );
    }
  };
  return {
    collectorId: await collectorId(database),
    isAgentToken: await check('agent'),
    isApiToken: await check('api'),
  };
}

async function collectorId({ drizzle }: Database): Promise<string> {
  await drizzle.insert(collectorState).values({ key: 'collector_id', value: randomUUID() }).onConflictDoNothing();
  const [row] = await drizzle.select().from(collectorState).where(eq(collectorState.key, 'collector_id'));
  return String(row?.value);
}
