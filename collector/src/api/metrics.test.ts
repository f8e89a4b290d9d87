import * as fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createLatencyRecord, quantile } from './latency.ts';
import { createMetrics, type Gauges } from './metrics.ts';
import { escapeLabel, renderFamilies } from './prometheus.ts';

const gauges: Gauges = {
  nodes_by_status: { online: 2, offline: 1 },
  incidents_open: 1,
  notifications_pending: 3,
  notifications_dead: 0,
  events_unjudged: null,
  agent_sessions: 2,
  stream_readers: 0,
  database_up: true,
};
const face = { memoryUsage: { rss: () => 1000 }, cpuUsage: () => ({ user: 1_500_000, system: 500_000 }) };

describe('metrics', () => {
  it('tells what was counted, and leaves out what could not be read', () => {
    const metrics = createMetrics({ version: '0.1.0', startedAt: 1000, process: face });
    onTestFinished(() => metrics[Symbol.dispose]());
    metrics.eventsIngested(7);
    metrics.taskEnded('failed');
    metrics.taskEnded('failed');
    metrics.notificationDelivered(30);
    metrics.deliveryFailed('retry');

    const text = metrics.render(gauges);

    expect(text).toContain('runnerwatch_nodes{status="offline"} 1\n');
    expect(text).toContain('runnerwatch_tasks_ended_total{status="failed"} 2\n');
    expect(text).toContain('runnerwatch_events_ingested_total 7\n');
    expect(text).toContain('runnerwatch_notifications{state="dead"} 0\n');
    expect(text).toContain('runnerwatch_notification_latency_seconds_bucket{le="0.025"} 0\n');
    expect(text).toContain('runnerwatch_notification_latency_seconds_bucket{le="0.05"} 1\n');
    expect(text).toContain('runnerwatch_notification_latency_seconds_bucket{le="+Inf"} 1\n');
    expect(text).toContain('process_cpu_seconds_total 2\n');
    expect(text).not.toContain('runnerwatch_events_unjudged');
  });

  it('keeps every line of the text format well formed whatever a label holds', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.double(), (label, value) => {
        const text = renderFamilies([
          { name: 'm', help: 'h', type: 'gauge', samples: [{ labels: { l: label }, value }] },
        ]);

        expect(text.split('\n')).toHaveLength(4);
        expect(text.split('\n')[2]).toMatch(/^m\{l="(?:[^"\\\n]|\\["\\n])*"\} (?:NaN|[+-]Inf|-?[\d.e+-]+)$/u);
      }),
    );
    expect(escapeLabel('a"b\\c\nd')).toBe('a\\"b\\\\c\\nd');
  });
});

describe('latency', () => {
  it('knows nothing before the first delivery', () => {
    expect(createLatencyRecord().summary()).toMatchObject({
      count: 0,
      p50_ms: null,
      p90_ms: null,
      p99_ms: null,
      later_count: 0,
    });
  });

  it('keeps percentiles of the last thousand and counts all', () => {
    const record = createLatencyRecord();
    for (let number = 0; number < 500; number += 1) record.observe(99_999);
    for (let number = 1; number <= 1000; number += 1) record.observe(number);

    expect(record.summary()).toMatchObject({ count: 1500, p50_ms: 500, p90_ms: 900, p99_ms: 990, promise_ms: 5000 });
    expect(record.buckets().at(-1)).toEqual({ le: Infinity, count: 1500 });
  });

  it('answers with a value that was seen', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer(), { minLength: 1 }),
        fc.double({ min: 0, max: 1, noNaN: true }),
        (values, share) => {
          expect(values).toContain(
            quantile(
              values.toSorted((a, b) => a - b),
              share,
            ),
          );
        },
      ),
    );
  });
});
