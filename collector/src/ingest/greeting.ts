import type { Hello, LanePositions } from '@runnerwatch/shared/protocol/frames.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import type { Credential } from '../enrolment/admission.ts';
import type { AgentRegister } from '../enrolment/register.ts';
import { saveArrival, takeOverStandIn } from '../nodes/store.ts';
import { cleanRecord } from './clean.ts';
import { committedPositions } from './store.ts';

export interface GreetingOptions {
  readonly database: Database;
  readonly register: AgentRegister;
  readonly clock: Clock;
  readonly log: Logger;
  /** Silence longer than this is unreachable. */
  readonly timeoutMs: number;
}

/** Who stands at the door, before it says which node it speaks for. */
export interface Visitor {
  readonly remoteAddress: string | null;
  readonly credential: Credential;
}

export interface Greeting {
  /**
   * Whether this visitor may speak for the node it names.
   * @throws DatabaseError, NotAdmittedError
   */
  vouch(hello: Hello, from: Visitor): Promise<void>;
  /**
   * Writes down that the node is here, and returns how far its stream is committed.
   * @throws DatabaseError, ForeignStreamError, NotAdmittedError
   */
  arrive(hello: Hello, from: Visitor): Promise<LanePositions>;
}

export function createGreeting({ database, register, clock, log, timeoutMs }: GreetingOptions): Greeting {
  return {
    vouch: async ({ node_id }, { credential }) => {
      await database.drizzle.transaction((transaction) => register.settle(transaction, credential, node_id));
    },
    arrive: async (hello, { remoteAddress, credential }) => {
      let isNewAgent = false;
      const committed = await database.drizzle.transaction(async (transaction) => {
        const at = new Date(clock.wallMs());
        isNewAgent = await register.settle(transaction, credential, hello.node_id);
        const { description, agentVersion } = cleanRecord({
          description: hello.node,
          agentVersion: hello.agent_version,
        });
        await saveArrival(transaction, {
          id: hello.node_id,
          description,
          agentVersion,
          remoteAddress,
          heartbeatIntervalMs: Math.min(hello.heartbeat_interval_ms, 2 ** 31 - 1),
          at,
          deadlineAt: new Date(at.getTime() + timeoutMs),
        });
        await takeOverStandIn(transaction, { id: hello.node_id, name: description.name });
        const committed = await committedPositions(transaction, hello.stream_id, hello.node_id);
        sayWhatDoesNotFit(hello, committed, log);
        return committed;
      });
      if (isNewAgent) await register.refresh();
      return committed;
    },
  };
}

/** Positions that cannot be right are told by the welcome; the agent acts on them. Here they are put on record. */
function sayWhatDoesNotFit({ node_id, last, oldest }: Hello, committed: LanePositions, log: Logger): void {
  for (const lane of ['ends', 'facts'] as const) {
    const facts = { node_id, lane, committed: committed[lane], last: last[lane], oldest: oldest[lane] };
    if (last[lane] < committed[lane])
      log.warn(facts, 'an agent has numbered less than is committed: its spool is older than this database');
    else if (oldest[lane] > committed[lane] + 1)
      log.warn(facts, 'an agent no longer holds everything that is not committed; its gap record says what is missing');
  }
}
