import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { Logger } from 'pino';
import type { Database } from '../db/database.ts';
import type { ReceiverState } from '../outbox/queue.ts';
import type { SchedulerState } from '../schedulers/poller.ts';
import type { HealthParts, Readiness } from './health.ts';
import type { Metrics } from './metrics.ts';
import type { CollectorStatus } from './schemas/status.ts';
import { type Counts, readCounts } from './store.ts';

export interface OverviewParts {
  readonly db: Database;
  readonly metrics: Metrics;
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly now: () => number;
  readonly agentSessions: () => number;
  readonly streamReaders: () => number;
  readonly schedulers: () => readonly SchedulerState[];
  readonly receivers: () => readonly ReceiverState[];
  readonly deputies: () => CollectorStatus['deputies'];
  /** What goes wrong although it works, as sentences. */
  readonly complaints: () => readonly string[];
  /** What else stands in the way of work, as sentences: `migrations are running`. */
  readonly obstacles: () => readonly string[];
  readonly log: Logger;
}

/** The collector about itself, for people (`/status`), for Prometheus (`/metrics`) and for supervisors (`/readyz`). */
export interface Overview extends HealthParts {
  readonly status: () => Promise<CollectorStatus>;
}

const countTimeoutMs = 4000;

export function createOverview(parts: OverviewParts): Overview {
  const { db, metrics, version, startedAt, now } = parts;
  return {
    status: async () => {
      const { health, counts } = await look(parts);
      return {
        version,
        started_at: new Date(startedAt).toISOString(),
        uptime_ms: now() - startedAt,
        agents: { connected: parts.agentSessions() },
        nodes_by_status: counts === null ? null : { ...counts.nodes_by_status },
        incidents_open: counts?.incidents_open ?? null,
        database: { kind: db.kind, healthy: health.healthy, reason: health.reason },
        queues: {
          events_unjudged: counts?.events_unjudged ?? null,
          notifications_pending: counts?.notifications_pending ?? null,
          notifications_dead: counts?.notifications_dead ?? null,
        },
        notification_latency: metrics.latency(),
        receivers: parts.receivers().filter(isShown).map(toReceiverStatus),
        schedulers: parts.schedulers().map(({ name, type, state, reason, lastReadAt, running }) => ({
          name,
          type,
          state,
          reason,
          last_read_at: lastReadAt,
          running,
        })),
        deputies: parts.deputies(),
      };
    },
    metricsText: async () => {
      const { health, counts } = await look(parts);
      return metrics.render({
        nodes_by_status: counts?.nodes_by_status ?? null,
        incidents_open: counts?.incidents_open ?? null,
        notifications_pending: counts?.notifications_pending ?? null,
        notifications_dead: counts?.notifications_dead ?? null,
        events_unjudged: counts?.events_unjudged ?? null,
        agent_sessions: parts.agentSessions(),
        stream_readers: parts.streamReaders(),
        database_up: health.healthy,
      });
    },
    readiness: async (): Promise<Readiness> => {
      const { healthy, reason } = await db.check();
      const reasons = [
        ...parts.obstacles(),
        ...(healthy ? [] : [`the database does not work: ${reason ?? 'it does not say why'}`]),
      ];
      return { ready: reasons.length === 0, reasons, complaints: parts.complaints() };
    },
  };
}

/** A person's own target only while it is in trouble. */
function isShown({ isTarget, state, hasGivenUp }: ReceiverState): boolean {
  return !isTarget || state !== 'working' || hasGivenUp;
}

function toReceiverStatus(state: ReceiverState): CollectorStatus['receivers'][number] {
  const instantOf = (at: number | null) => (at === null ? null : toInstant(at));
  return {
    receiver: state.receiver,
    state: state.state,
    failures_in_row: state.failuresInRow,
    failing_since: instantOf(state.failingSince),
    next_attempt_at: instantOf(state.nextAttemptAt),
    last_error: state.lastError,
    has_given_up: state.hasGivenUp,
  };
}

/** Asks a database that answers; one that does not is not asked to count. */
async function look({
  db,
  log,
}: OverviewParts): Promise<{ health: { healthy: boolean; reason: string | null }; counts: Counts | null }> {
  const health = await db.check();
  if (!health.healthy) return { health, counts: null };
  try {
    return { health, counts: await withinTime(readCounts(db)) };
  } catch (error) {
    log.warn({ err: error }, 'could not count what waits; it is shown as unknown');
    return { health, counts: null };
  }
}

async function withinTime<T>(work: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`no answer within ${countTimeoutMs} ms`)), countTimeoutMs);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
  }
}
