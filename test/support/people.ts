import type { Queries } from '@runnerwatch/collector/db/database.ts';
import { PeopleRegister } from '@runnerwatch/collector/people/register.ts';
import type { Asker } from '@runnerwatch/collector/people/roles.ts';
import { pino } from 'pino';

/** A register that has read nothing yet; `collectorToken` is that of the collector's own file. */
export function aPeopleRegister(
  queries: Queries,
  { collectorToken, now = Date.now }: { collectorToken?: string; now?: () => number } = {},
): PeopleRegister {
  const isCollectorToken = (presented: string) => presented === collectorToken;
  return new PeopleRegister({ queries, isCollectorToken, now, log: pino({ level: 'silent' }) });
}

/** A door that knows these tokens, as the collector's own. */
export function admitting(...tokens: readonly string[]): (presented: string) => Asker | null {
  return (presented) => (tokens.includes(presented) ? { kind: 'collector_token', role: 'admin' } : null);
}
