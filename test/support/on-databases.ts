import { describe } from 'vitest';
import type { DatabaseKind } from './database.ts';
import { havePostgres } from './postgres.ts';

/** The same tests on either database; where there is no PostgreSQL, those on the server are skipped. */
export function describeOnDatabases(name: string, tests: (kind: DatabaseKind) => void): void {
  for (const kind of ['embedded', 'server'] as const)
    describe.skipIf(kind === 'server' && !havePostgres())(`${name}, on the ${kind} database`, () => {
      tests(kind);
    });
}
