import type { Database } from '../../collector/src/db/database.ts';
import { AgentRegister } from '../../collector/src/enrolment/register.ts';

/** A register that knows nobody yet, and admits those who show the token that all agents share. */
export function aRegister(
  database: Database,
  { sharedToken, now = Date.now }: { sharedToken?: string; now?: () => number } = {},
): AgentRegister {
  return new AgentRegister({ database, isSharedToken: (token) => token === (sharedToken ?? token), now });
}
