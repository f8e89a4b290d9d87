/* Every table, for drizzle and drizzle-kit. */
export { alerts, conditionStates, deliveries, incidents, notifications, transitions } from './alerts.ts';
export { collectorState } from './collector.ts';
export { agents, enrollments } from './enrolment.ts';
export { events, refusedEvents } from './events.ts';
export { jobExpectations } from './expectations.ts';
export { nodes, streams } from './nodes.ts';
export { audit, people } from './people.ts';
export { samples } from './samples.ts';
export { schedulerTasks } from './schedulers.ts';
export {
  alertCounts,
  escalations,
  failureGroups,
  heldNotifications,
  silences,
  subscriptions,
} from './subscriptions.ts';
export { taskRecordings, tasks } from './tasks.ts';
