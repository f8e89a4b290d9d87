import { conditionReport } from '@runnerwatch/shared/model/condition.ts';
import { nodeSample } from '@runnerwatch/shared/model/sample.ts';
import { verdict } from '@runnerwatch/shared/model/task.ts';
import * as z from 'zod';
import { failureGroup } from './schemas/analytics.ts';
import { delivery } from './schemas/delivery.ts';
import { expectation } from './schemas/expectation.ts';
import { alert, explainedTransition, incident } from './schemas/incident.ts';
import { jobSchema } from './schemas/job.ts';
import { jobAlert } from './schemas/job-alert.ts';
import { fleetNode, nodeCondition, nodeDetail, nodeGap, nodeSchema } from './schemas/node.ts';
import { auditEntry, person } from './schemas/person.ts';
import { silence } from './schemas/silence.ts';
import { collectorStatus } from './schemas/status.ts';
import { subscription } from './schemas/subscription.ts';
import { taskSchema } from './schemas/task.ts';
import { watch } from './schemas/watch.ts';

/** Schemas that have a name of their own in the API's document; all others are written out where they stand. */
const namedSchemas = z.registry<{ id: string }>();

namedSchemas.add(conditionReport, { id: 'ConditionReport' });
namedSchemas.add(nodeSample, { id: 'NodeSample' });
namedSchemas.add(verdict, { id: 'Verdict' });
namedSchemas.add(nodeCondition, { id: 'NodeCondition' });
namedSchemas.add(nodeGap, { id: 'Gap' });
namedSchemas.add(nodeSchema, { id: 'Node' });
namedSchemas.add(nodeDetail, { id: 'NodeDetail' });
namedSchemas.add(fleetNode, { id: 'FleetNode' });
namedSchemas.add(taskSchema, { id: 'Task' });
namedSchemas.add(jobSchema, { id: 'Job' });
namedSchemas.add(expectation, { id: 'Expectation' });
namedSchemas.add(failureGroup, { id: 'FailureGroup' });
namedSchemas.add(incident, { id: 'Incident' });
namedSchemas.add(alert, { id: 'Alert' });
namedSchemas.add(explainedTransition, { id: 'Transition' });
namedSchemas.add(delivery, { id: 'Delivery' });
namedSchemas.add(subscription, { id: 'Subscription' });
namedSchemas.add(jobAlert, { id: 'JobAlert' });
namedSchemas.add(watch, { id: 'Watch' });
namedSchemas.add(silence, { id: 'Silence' });
namedSchemas.add(person, { id: 'Person' });
namedSchemas.add(auditEntry, { id: 'AuditEntry' });
namedSchemas.add(collectorStatus, { id: 'Status' });

/** How schemas are written down: the named ones by reference, and each with its description, which zod keeps elsewhere. */
export const documentOptions = {
  schemaRegistry: namedSchemas,
  zodToJsonConfig: {
    override: ({ zodSchema, jsonSchema }: { zodSchema: z.core.$ZodType; jsonSchema: { description?: string } }) => {
      const description = z.globalRegistry.get(zodSchema)?.description;
      if (description !== undefined) jsonSchema.description = description;
    },
  },
};
