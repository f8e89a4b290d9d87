import type { EngineOptions } from '@runnerwatch/collector/alerts/engine.ts';
import { explainRoutes } from '@runnerwatch/collector/api/routes/explain.ts';
import { incidentPartRoutes } from '@runnerwatch/collector/api/routes/incident-parts.ts';
import { incidentRoutes } from '@runnerwatch/collector/api/routes/incidents.ts';
import { jobAlertRoutes } from '@runnerwatch/collector/api/routes/job-alerts.ts';
import { nodeRoutes } from '@runnerwatch/collector/api/routes/nodes.ts';
import { notifierRoutes } from '@runnerwatch/collector/api/routes/notifiers.ts';
import { silenceRoutes } from '@runnerwatch/collector/api/routes/silences.ts';
import { subscriptionRoutes } from '@runnerwatch/collector/api/routes/subscriptions.ts';
import { taskRoutes } from '@runnerwatch/collector/api/routes/tasks.ts';
import { watchRoutes } from '@runnerwatch/collector/api/routes/watches.ts';
import type { DelivererOptions } from '@runnerwatch/collector/outbox/deliverer.ts';
import { sendTest } from '@runnerwatch/collector/outbox/send-test.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import { type AlertRig, startAlerting } from './alert-rig.ts';
import { startApi } from './api-server.ts';
import { routingParts } from './routing-parts.ts';

/** An answer of the API. */
export interface Asked {
  readonly status: number;
  readonly body: Record<string, never> & { items: Record<string, unknown>[] };
}

/** Engine, deliverer and the routes of subscriptions, silences, watches and alerts of jobs on one clock, as a collector has them. */
export async function startRouting(
  rig: AlertRig,
  {
    clock,
    notifications = {},
    allowedCidrs = ['127.0.0.0/8'],
    engine: more = {},
    deliverer: moreDelivery = {},
  }: {
    clock: Clock;
    notifications?: object;
    allowedCidrs?: readonly string[];
    engine?: Partial<EngineOptions>;
    deliverer?: Partial<DelivererOptions>;
  },
) {
  const { db } = rig;
  const now = () => clock.wallMs();
  const alerting = startAlerting(rig, {
    notifications: { allowed_cidrs: allowedCidrs, ...notifications },
    engine: { clock, ...more },
    deliverer: { clock, ...moreDelivery },
  });
  const { policy, deliverer, engine, targetKinds } = alerting;
  await policy.start();
  const parts = routingParts(db, { policy, now, targetKinds, onEnded: () => engine.nudge() });
  const queries = db.drizzle;
  const api = await startApi({
    routes: [
      subscriptionRoutes(parts.subscriptions),
      jobAlertRoutes(parts.subscriptions),
      watchRoutes(parts.subscriptions),
      silenceRoutes(parts.silences),
      explainRoutes({ db }),
      incidentPartRoutes({ db }),
      incidentRoutes({ db, now, acknowledge: (one) => engine.acknowledge(one) }),
      taskRoutes({ queries, clock }),
      nodeRoutes({
        queries,
        samples: { newest: () => null, query: async () => [] },
        clock,
        onChanged: () => policy.refresh(),
      }),
      notifierRoutes({
        receivers: () => policy.current().receivers,
        sendTest: (receiver) => sendTest({ db, deliverer, clock }, receiver),
        preview: async () => null,
      }),
    ],
  });
  const ask = async (method: string, path: string, body?: unknown): Promise<Asked> => {
    const response = await fetch(`${api.url}/api/v1${path}`, {
      method,
      ...(body === undefined ? {} : { body: JSON.stringify(body), headers: { 'content-type': 'application/json' } }),
    });
    const text = await response.text();
    return { status: response.status, body: text === '' ? {} : JSON.parse(text) };
  };
  return {
    ...alerting,
    ask,
    url: api.url,
    [Symbol.asyncDispose]: async () => {
      await api[Symbol.asyncDispose]();
      await alerting[Symbol.asyncDispose]();
      await policy[Symbol.asyncDispose]();
    },
  };
}
