import type { FastifyPluginAsyncZod } from 'fastify-type-provider-zod';
import { analyticsRoutes } from './routes/analytics.ts';
import { type AuditRouteDeps, auditRoutes } from './routes/audit.ts';
import { type DeliveryRouteDeps, deliveryRoutes } from './routes/deliveries.ts';
import { type EnrollmentRouteDeps, enrollmentRoutes } from './routes/enrollments.ts';
import { expectationRoutes } from './routes/expectations.ts';
import { explainRoutes } from './routes/explain.ts';
import { fleetRoutes } from './routes/fleet.ts';
import { gapRoutes } from './routes/gaps.ts';
import { incidentPartRoutes } from './routes/incident-parts.ts';
import { type IncidentRouteDeps, incidentRoutes } from './routes/incidents.ts';
import { jobAlertRoutes } from './routes/job-alerts.ts';
import { type JobRouteParts, jobRoutes } from './routes/jobs.ts';
import { type NodeRouteParts, nodeRoutes } from './routes/nodes.ts';
import { type NotifierRouteDeps, notifierRoutes } from './routes/notifiers.ts';
import { type PeopleRouteDeps, peopleRoutes } from './routes/people.ts';
import { type PingRouteParts, pingRoutes } from './routes/pings.ts';
import { searchRoutes } from './routes/search.ts';
import { type SilenceRouteDeps, silenceRoutes } from './routes/silences.ts';
import { subscriptionRoutes } from './routes/subscriptions.ts';
import { type TaskRouteParts, taskRoutes } from './routes/tasks.ts';
import { watchRoutes } from './routes/watches.ts';
import type { SubscribingDeps } from './subscribing.ts';

export interface ResourceParts {
  readonly nodes: NodeRouteParts;
  readonly tasks: TaskRouteParts;
  readonly jobs: JobRouteParts;
  readonly pings: PingRouteParts;
  readonly incidents: IncidentRouteDeps;
  readonly deliveries: DeliveryRouteDeps;
  readonly notifiers: NotifierRouteDeps;
  readonly subscriptions: SubscribingDeps;
  readonly silences: SilenceRouteDeps;
  readonly enrollments: EnrollmentRouteDeps;
  readonly people: PeopleRouteDeps;
  readonly audit: AuditRouteDeps;
}

/** Every resource under /api/v1; the document of the API is made from this list too. */
export function resourceRoutes(parts: ResourceParts): FastifyPluginAsyncZod[] {
  return [
    nodeRoutes(parts.nodes),
    gapRoutes(parts.nodes),
    fleetRoutes(parts.nodes),
    searchRoutes(parts.nodes),
    taskRoutes(parts.tasks),
    jobRoutes(parts.jobs),
    expectationRoutes(parts.jobs),
    analyticsRoutes(parts.jobs),
    pingRoutes(parts.pings),
    incidentRoutes(parts.incidents),
    incidentPartRoutes({ db: parts.incidents.db }),
    explainRoutes({ db: parts.incidents.db }),
    subscriptionRoutes(parts.subscriptions),
    jobAlertRoutes(parts.subscriptions),
    watchRoutes(parts.subscriptions),
    silenceRoutes(parts.silences),
    deliveryRoutes(parts.deliveries),
    notifierRoutes(parts.notifiers),
    enrollmentRoutes(parts.enrollments),
    peopleRoutes(parts.people),
    auditRoutes(parts.audit),
  ];
}
