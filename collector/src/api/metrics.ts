import { type IntervalHistogram, monitorEventLoopDelay } from 'node:perf_hooks';
import type { TaskStatus } from '@runnerwatch/shared/model/task.ts';
import { createLatencyRecord, type LatencySummary } from './latency.ts';
import { type Family, renderFamilies, type Sample } from './prometheus.ts';

/** What the collector counts about itself; the assembly hands its functions to those who have something to count. */
export interface Metrics extends Disposable {
  eventsIngested(count: number): void;
  taskEnded(status: TaskStatus): void;
  /** From the arrival of the fact to the receiver's answer. */
  notificationDelivered(latencyMs: number): void;
  deliveryFailed(outcome: 'retry' | 'refused'): void;
  latency(): LatencySummary;
  /** Prometheus text. */
  render(gauges: Gauges): string;
}

/** Read at the scrape. Null: could not be read; the series is then absent. */
export interface Gauges {
  readonly nodes_by_status: Readonly<Record<string, number>> | null;
  readonly incidents_open: number | null;
  readonly notifications_pending: number | null;
  readonly notifications_dead: number | null;
  readonly events_unjudged: number | null;
  readonly agent_sessions: number | null;
  readonly stream_readers: number;
  readonly database_up: boolean;
}

export interface ProcessFace {
  memoryUsage: { rss(): number };
  /** Microseconds. */
  cpuUsage(): { user: number; system: number };
}

/** Begins to watch the event loop's delay; disposing ends that. */
export function createMetrics({
  version,
  startedAt,
  process,
}: {
  version: string;
  startedAt: number;
  process: ProcessFace;
}): Metrics {
  const latency = createLatencyRecord();
  const endedByStatus = new Map<TaskStatus, number>();
  const failedByOutcome = new Map<'retry' | 'refused', number>();
  let ingested = 0;
  const loopDelay = monitorEventLoopDelay({ resolution: 20 });
  loopDelay.enable();
  return {
    eventsIngested: (count) => {
      ingested += count;
    },
    taskEnded: (status) => endedByStatus.set(status, (endedByStatus.get(status) ?? 0) + 1),
    notificationDelivered: (latencyMs) => latency.observe(latencyMs),
    deliveryFailed: (outcome) => failedByOutcome.set(outcome, (failedByOutcome.get(outcome) ?? 0) + 1),
    latency: () => latency.summary(),
    render: (gauges) =>
      renderFamilies([
        ...fleetFamilies(gauges),
        counter('runnerwatch_events_ingested_total', 'Events committed since the start.', [{ value: ingested }]),
        counter(
          'runnerwatch_tasks_ended_total',
          'Ends of tasks committed since the start.',
          byLabel('status', endedByStatus),
        ),
        counter(
          'runnerwatch_delivery_failures_total',
          'Attempts to deliver that failed since the start.',
          byLabel('outcome', failedByOutcome),
        ),
        {
          name: 'runnerwatch_notification_latency_seconds',
          help: 'From the arrival of a fact to its notification delivered.',
          type: 'histogram',
          samples: [
            ...latency
              .buckets()
              .map(({ le, count }) => ({ suffix: '_bucket', labels: { le: boundText(le) }, value: count })),
            { suffix: '_sum', value: latency.sumSeconds() },
            { suffix: '_count', value: latency.summary().count },
          ],
        },
        ...processFamilies({ version, startedAt, process }, loopDelay),
      ]),
    [Symbol.dispose]: () => {
      loopDelay.disable();
    },
  };
}

function fleetFamilies(gauges: Gauges): Family[] {
  return [
    gauge(
      'runnerwatch_nodes',
      'Nodes by status.',
      byLabel('status', new Map(Object.entries(gauges.nodes_by_status ?? {}))),
    ),
    gauge('runnerwatch_incidents_open', 'Incidents that are open.', [{ value: gauges.incidents_open }]),
    gauge('runnerwatch_notifications', 'Notifications in the outbox by state.', [
      { labels: { state: 'pending' }, value: gauges.notifications_pending },
      { labels: { state: 'dead' }, value: gauges.notifications_dead },
    ]),
    gauge('runnerwatch_events_unjudged', 'Events committed and not yet judged.', [{ value: gauges.events_unjudged }]),
    gauge('runnerwatch_agent_sessions', 'Agents connected to this collector.', [{ value: gauges.agent_sessions }]),
    gauge('runnerwatch_stream_readers', 'Open live streams.', [{ value: gauges.stream_readers }]),
    gauge('runnerwatch_database_up', '1 when the database answers.', [{ value: gauges.database_up ? 1 : 0 }]),
  ];
}

function processFamilies(
  self: { version: string; startedAt: number; process: ProcessFace },
  loopDelay: IntervalHistogram,
): Family[] {
  const cpu = self.process.cpuUsage();
  const lagSeconds = (ns: number) => Math.max(0, ns / 1e9 - 0.02);
  const families: Family[] = [
    gauge('runnerwatch_build_info', 'Constant 1; the version is in the label.', [
      { labels: { version: self.version }, value: 1 },
    ]),
    gauge('runnerwatch_event_loop_lag_seconds', 'Delay of the event loop since the last scrape.', [
      { labels: { quantile: '0.5' }, value: readDelay(loopDelay.percentile(50), lagSeconds) },
      { labels: { quantile: '0.99' }, value: readDelay(loopDelay.percentile(99), lagSeconds) },
      { labels: { quantile: '1' }, value: readDelay(loopDelay.max, lagSeconds) },
    ]),
    gauge('process_resident_memory_bytes', 'Resident memory.', [{ value: self.process.memoryUsage.rss() }]),
    counter('process_cpu_seconds_total', 'CPU time of user and system.', [{ value: (cpu.user + cpu.system) / 1e6 }]),
    gauge('process_start_time_seconds', 'Start, in seconds since the epoch.', [{ value: self.startedAt / 1000 }]),
  ];
  loopDelay.reset();
  return families;
}

/** Before its first reading the kernel of the histogram answers 0 or below: nothing measured, so no sample. */
function readDelay(ns: number, convert: (ns: number) => number): number | null {
  return ns > 0 && Number.isFinite(ns) ? convert(ns) : null;
}

const gauge = (name: string, help: string, samples: readonly Sample[]): Family => ({
  name,
  help,
  type: 'gauge',
  samples,
});
const counter = (name: string, help: string, samples: readonly Sample[]): Family => ({
  name,
  help,
  type: 'counter',
  samples,
});

function byLabel(label: string, values: ReadonlyMap<string, number>): Sample[] {
  return [...values].map(([text, value]) => ({ labels: { [label]: text }, value }));
}

function boundText(le: number): string {
  return le === Infinity ? '+Inf' : String(le);
}
