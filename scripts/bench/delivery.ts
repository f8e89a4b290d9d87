/*
 * From a committed fact to the request at a receiver, through the real engine, outbox and webhook notifier, while others' messages
 * wait in the outbox for a receiver that is away; and how many a second, sustained. The sink is in this process, on its one thread
 * with engine and deliverer, and stamps each request by the same clock.
 */
import { AlertRig, startAlerting } from '../../test/support/alert-rig.ts';
import { type DatabaseKind, TestDatabase } from '../../test/support/database.ts';
import { eventually } from '../../test/support/eventually.ts';
import { HttpSink, ok } from '../../test/support/http-sink.ts';
import { havePostgres } from '../../test/support/postgres.ts';
import { benchDiskEvent } from './disk-event.ts';
import { printLatencies, target } from './figures.ts';
import { pause, percentile } from './process-cost.ts';

const rounds = Number(process.env['RUNNERWATCH_BENCH_ROUNDS'] ?? 200);
const most = 10_000;
const waiting = [1, 100, most];
const warmUps = 50;

export async function benchDelivery(): Promise<void> {
  await benchOn('embedded');
  if (havePostgres()) await benchOn('server');
  await benchDiskEvent();
}

async function benchOn(kind: DatabaseKind): Promise<void> {
  const name = kind === 'embedded' ? 'embedded database' : 'PostgreSQL';
  await using opened = await TestDatabase.start(kind, { isDurable: true });
  const rig = new AlertRig(opened);
  const rows: [string, number[]][] = [];
  for (const count of waiting)
    rows.push([`${count} waiting for another`, await latencies(rig, () => wait(rig, count, 'away'))]);
  rows.push([`${most} waiting for the same`, await latencies(rig, () => wait(rig, most, 'well'))]);
  printLatencies(`fact committed → request, ${name}`, rows);
  const [one, , many] = rows.map(([, values]) => percentile(values, 0.99));
  const ratio = (many ?? Number.NaN) / (one ?? Number.NaN);
  const perSecond = await sustained(rig);
  process.stdout.write(
    `  p99 with ${most} waiting to that with one: ${ratio.toFixed(2)} ${target(ratio <= 2, '≤ 2')}\n` +
      `  sustained: ${perSecond.toFixed(0)} notifications a second (n ${rounds * 10})\n`,
  );
}

/** Milliseconds from the commit of each failure to its request, one after the other. */
async function latencies(rig: AlertRig, prepare: () => Promise<void>): Promise<number[]> {
  const arrivedAt: number[] = [];
  await using sink = await sinkInto(arrivedAt);
  await rig.clear();
  await rig.node('n1');
  await prepare();
  await using alerting = alertingTo(rig, sink);
  alerting.start();
  // By then who is away is left alone but for a probe now and then.
  await pause(1000);
  const values: number[] = [];
  for (let index = -warmUps; index < rounds; index += 1) {
    arrivedAt.length = 0;
    await rig.taskEnded('n1', `bench-${index}`, { status: 'failed' });
    const committedAt = performance.now();
    alerting.engine.nudge();
    const at = await eventually(() => arrivedAt[0], { everyMs: 1 });
    if (index >= 0) values.push(at - committedAt);
    // What is still to be written down about it is not charged to the next.
    await pause(20);
  }
  return values;
}

/** Failures that are all there at the start, each judged and told, by the time from the first request to the last. */
async function sustained(rig: AlertRig): Promise<number> {
  const count = rounds * 10;
  const arrivedAt: number[] = [];
  await using sink = await sinkInto(arrivedAt);
  await rig.clear();
  await rig.node('n1');
  for (let index = 0; index < count; index += 1) await rig.taskEnded('n1', `bench-${index}`, { status: 'failed' });
  await using alerting = alertingTo(rig, sink);
  alerting.start();
  await eventually(() => arrivedAt.length >= count, { timeoutMs: 600_000 });
  return ((count - 1) / ((arrivedAt.at(-1) ?? 0) - (arrivedAt[0] ?? 0))) * 1000;
}

function sinkInto(arrivedAt: number[]): Promise<HttpSink> {
  return HttpSink.open({
    answer: () => {
      arrivedAt.push(performance.now());
      return ok;
    },
  });
}

function alertingTo(rig: AlertRig, sink: HttpSink) {
  return startAlerting(rig, {
    notifications: {
      group_window: 0,
      notifiers: {
        well: { type: 'webhook', url: sink.url, rate_limit: '100000/s' },
        // Port 9 of this machine: nobody listens.
        away: { type: 'webhook', url: 'http://127.0.0.1:9/' },
      },
      subscriptions: [{ name: 'well', receiver: 'well', events: ['fail'] }],
    },
    engine: { tickMs: 1000 },
    deliverer: { tickMs: 1000 },
  });
}

/** Notifications that wait: for who is away they are due, for who is well in an hour, after a failure. */
async function wait(rig: AlertRig, count: number, receiver: 'away' | 'well'): Promise<void> {
  const body = {
    version: 1,
    id: '',
    type: 'test',
    at: new Date().toISOString(),
    incident: null,
    node: null,
    transition: 'test',
    repeat: 0,
  };
  const dueIn = receiver === 'away' ? '0' : '1 hour';
  await rig.db.sql`
    insert into transitions (id, kind, at, reason, decisions)
    select 'waiting-' || n, 'test', now(), 'a bench', '[]' from generate_series(1, ${count}::int) n`;
  await rig.db.sql`
    insert into notifications (id, transition_id, subscription, receiver, type, body, state, created_at, next_attempt_at)
    select 'waiting-' || n, 'waiting-' || n, 'bench', ${receiver}, 'test', jsonb_set(${JSON.stringify(body)}::text::jsonb, '{id}', to_jsonb('waiting-' || n)),
      'pending', now(), now() + ${dueIn}::text::interval from generate_series(1, ${count}::int) n`;
  await rig.db.sql`analyze`;
}
