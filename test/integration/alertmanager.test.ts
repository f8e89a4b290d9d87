import { createAlertmanagerNotifier } from '@runnerwatch/collector/notifiers/alertmanager/alertmanager.ts';
import { alertmanagerSettings } from '@runnerwatch/collector/notifiers/alertmanager/settings.ts';
import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { afterEach, describe, expect, it } from 'vitest';
import { Alertmanager, haveAlertmanager } from '../support/alertmanager.ts';
import { eventually } from '../support/eventually.ts';
import { HttpSink } from '../support/http-sink.ts';
import { samples } from '../support/notifications.ts';

const signal = new AbortController().signal;
const opened: AsyncDisposable[] = [];
afterEach(async () => {
  for (const one of opened.splice(0).toReversed()) await one[Symbol.asyncDispose]();
});

async function keep<T extends AsyncDisposable>(one: Promise<T> | T): Promise<T> {
  opened.push(await one);
  return one;
}

const notifier = (urls: string[], more = {}) =>
  keep(
    createAlertmanagerNotifier(alertmanagerSettings.parse({ type: 'alertmanager', urls, ...more }), {
      clock: systemClock,
    }),
  );

/** As if it happened now. */
function now(notification: Notification): Notification {
  const at = new Date().toISOString();
  const { condition } = notification;
  return { ...notification, at, ...(condition && { condition: { ...condition, since: at } }) };
}

interface Told {
  readonly status: string;
  readonly alerts: readonly {
    readonly status: string;
    readonly fingerprint: string;
    readonly labels: Record<string, string>;
  }[];
}

describe.skipIf(!haveAlertmanager())('a real Alertmanager', () => {
  async function rig() {
    const sink = await keep(HttpSink.open());
    const manager = await keep(Alertmanager.open(sink.url));
    const { deliver } = await notifier([`${manager.url}/`], { labels: { team: 'ml' } });
    const told = () =>
      sink.bodies.flatMap((body) =>
        (body as unknown as Told).alerts.map(({ status, labels }) => [status, labels['alertname'], labels['severity']]),
      );
    return { manager, told, deliver: (one: Notification) => deliver(now(one), { signal }) };
  }

  it('holds a condition from its first word to its last, and tells of both', async () => {
    const { manager, told, deliver } = await rig();

    expect(await deliver(samples.fired)).toEqual({ outcome: 'delivered', httpStatus: 200 });
    const [fired, ...others] = await manager.active();
    expect(others).toEqual([]);
    expect(fired?.labels).toMatchObject({
      alertname: 'MemoryPressure',
      node: 'gpu-7',
      severity: 'warning',
      team: 'ml',
    });
    expect(fired?.annotations['summary']).toBe('Memory pressure on gpu-7');
    expect(Date.parse(fired?.endsAt ?? '') - Date.now()).toBeGreaterThan(300 * 86_400_000);
    await eventually(() => expect(told()).toEqual([['firing', 'MemoryPressure', 'warning']]));

    await deliver(samples.renotified);
    expect((await manager.active()).map(({ fingerprint }) => fingerprint)).toEqual([fired?.fingerprint]);

    await deliver(samples.resolved);
    await eventually(async () => expect(await manager.active()).toEqual([]));
    await eventually(() => expect(told().at(-1)).toEqual(['resolved', 'MemoryPressure', 'warning']));
  });

  it('has one alert of a condition that grows worse', async () => {
    const { manager, told, deliver } = await rig();
    const { incident } = samples.fired;

    await deliver(samples.fired);
    await eventually(() => expect(told()).toHaveLength(1));
    await deliver({ ...samples.renotified, incident: incident && { ...incident, severity: 'critical' } });

    await eventually(async () =>
      expect((await manager.active()).map(({ labels }) => labels['severity'])).toEqual(['critical']),
    );
    await eventually(() =>
      expect(told()).toEqual(
        expect.arrayContaining([
          ['firing', 'MemoryPressure', 'critical'],
          ['resolved', 'MemoryPressure', 'warning'],
        ]),
      ),
    );
  });

  it('takes every kind of notification there is', async () => {
    const { manager, deliver } = await rig();

    for (const one of Object.values(samples)) expect(await deliver(one)).toMatchObject({ outcome: 'delivered' });

    const names = (await manager.active()).map(({ labels }) => labels['alertname']).toSorted();
    expect(names).toEqual(['RunnerwatchTest']);
    await deliver(samples.failed);
    expect((await manager.active()).map(({ labels }) => labels['alertname']).toSorted()).toEqual([
      'RunnerwatchTest',
      'TaskFailed',
    ]);
  });
});

describe('the members of a cluster', () => {
  it('are all told, and one that took it is enough', async () => {
    const up = await keep(HttpSink.open({ answer: () => ({ kind: 'status', status: 200 }) }));
    const down = await keep(HttpSink.open({ answer: () => ({ kind: 'status', status: 503 }) }));
    const url = (sink: HttpSink) => `http://127.0.0.1:${sink.port}/prefix`;

    const both = await notifier([url(down), url(up)], { token: 'canary' });
    expect(await both.deliver(samples.fired, { signal })).toEqual({
      outcome: 'delivered',
      httpStatus: 200,
      note: 'not to every Alertmanager: urls.0: HTTP 503',
    });
    expect(up.requests[0]).toMatchObject({
      method: 'POST',
      path: '/prefix/api/v2/alerts',
      headers: { authorization: 'Bearer canary', 'content-type': 'application/json' },
    });

    const none = await notifier([url(down)], { username: 'u', password: 'p' });
    expect(await none.deliver(samples.fired, { signal })).toMatchObject({ outcome: 'retry', error: 'HTTP 503' });
    expect(down.requests.at(-1)?.headers['authorization']).toBe('Basic dTpw');
  });
});
