import { apiDocument, documentText } from '@runnerwatch/collector/api/openapi.ts';
import { type ResourceParts, resourceRoutes } from '@runnerwatch/collector/api/resources.ts';
import type { Database } from '@runnerwatch/collector/db/database.ts';
import * as schema from '@runnerwatch/collector/db/tables/schema.ts';
import { systemClock } from '@runnerwatch/shared/runtime/clock.ts';
import { drizzle } from 'drizzle-orm/postgres-js';
import { buildApi } from './api-server.ts';
import { aRegister } from './enrolment.ts';
import { aPeopleRegister } from './people.ts';
import { routingParts } from './routing-parts.ts';

/** The OpenAPI document of every route there is. Routes are described, not asked: nothing is connected. */
export async function currentDocumentText(): Promise<string> {
  const { app } = await buildApi({ routes: resourceRoutes(unconnectedParts()) });
  try {
    return documentText(apiDocument(app));
  } finally {
    await app.close();
  }
}

/** For every route, connected to nothing: enough for what is decided before a handler. */
export function unconnectedParts(): ResourceParts {
  const queries = drizzle.mock({ schema });
  const nobody = async (): Promise<never> => {
    throw new Error('nothing is connected here');
  };
  const db: Database = {
    kind: 'embedded',
    descriptorsMax: 0,
    drizzle: queries,
    sql: nobody,
    transaction: nobody,
    patiently: nobody,
    check: nobody,
    close: nobody,
    [Symbol.asyncDispose]: nobody,
  };
  const onChanged = () => undefined;
  return {
    nodes: { queries, samples: { newest: () => null, query: nobody }, clock: systemClock, onChanged },
    tasks: { queries, clock: systemClock },
    jobs: { queries, clock: systemClock },
    pings: { queries, clock: systemClock, onTaken: onChanged },
    incidents: { db, now: Date.now, acknowledge: nobody },
    deliveries: { db, now: Date.now, onPromised: onChanged },
    notifiers: { receivers: () => new Set(), sendTest: nobody, preview: nobody },
    enrollments: {
      queries,
      register: aRegister(db),
      connected: () => [],
      onRevoked: onChanged,
      now: Date.now,
    },
    people: { people: aPeopleRegister(queries), now: Date.now },
    audit: { queries, now: Date.now },
    ...routingParts(db),
  };
}
