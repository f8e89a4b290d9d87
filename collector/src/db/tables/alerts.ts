import type { Component, ConditionStatus, ConditionType, Severity } from '@runnerwatch/shared/model/condition.ts';
import type { TransitionKind } from '@runnerwatch/shared/model/notification.ts';
import type { Cause } from '@runnerwatch/shared/model/task.ts';
import { sql } from 'drizzle-orm';
import {
  boolean,
  doublePrecision,
  index,
  integer,
  jsonb,
  pgTable,
  primaryKey,
  text,
  uniqueIndex,
} from 'drizzle-orm/pg-core';
import { instantColumn } from './columns.ts';

/** The last word on every condition, also false and unknown ones: what the nodes' pages show. */
export const conditionStates = pgTable(
  'condition_states',
  {
    nodeId: text('node_id').notNull(),
    component: text('component').$type<Component>().notNull(),
    condition: text('condition').$type<ConditionType>().notNull(),
    subject: text('subject').notNull(),
    status: text('status').$type<ConditionStatus>().notNull(),
    severity: text('severity').$type<Severity>().notNull(),
    reason: text('reason').notNull(),
    value: doublePrecision('value'),
    threshold: doublePrecision('threshold'),
    since: instantColumn('since').notNull(),
    changedAt: instantColumn('changed_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.nodeId, table.component, table.condition, table.subject] })],
);

/** One cause, one incident. */
export const incidents = pgTable(
  'incidents',
  {
    id: text('id').primaryKey(),
    /** What its alerts have in common; one open incident per key. */
    groupKey: text('group_key').notNull(),
    status: text('status').$type<'open' | 'resolved'>().notNull(),
    title: text('title').notNull(),
    severity: text('severity').$type<Severity>().notNull(),
    openedAt: instantColumn('opened_at').notNull(),
    resolvedAt: instantColumn('resolved_at'),
    acknowledgedAt: instantColumn('acknowledged_at'),
    acknowledgedBy: text('acknowledged_by'),
    acknowledgeNote: text('acknowledge_note'),
    /** After this it counts as not acknowledged; null: never. */
    acknowledgedUntil: instantColumn('acknowledged_until'),
    /** Tasks that failed in it. */
    failures: integer('failures').notNull().default(0),
    /** What its failures point at, in words: the node or the job. */
    finding: text('finding'),
  },
  (table) => [
    uniqueIndex('incidents_one_open_per_key').on(table.groupKey).where(sql`status = 'open'`),
    index('incidents_by_opening').on(table.openedAt, table.id),
  ],
);

/** The life of one condition on one subject. */
export const alerts = pgTable(
  'alerts',
  {
    id: text('id').primaryKey(),
    incidentId: text('incident_id')
      .notNull()
      .references(() => incidents.id, { onDelete: 'cascade' }),
    /** Identity: node, component, condition, subject. At most one firing alert has it. */
    fingerprint: text('fingerprint').notNull(),
    condition: text('condition').$type<ConditionType>().notNull(),
    component: text('component').$type<Component>().notNull(),
    nodeId: text('node_id'),
    taskId: text('task_id'),
    subject: text('subject').notNull(),
    severity: text('severity').$type<Severity>().notNull(),
    status: text('status').$type<'firing' | 'resolved'>().notNull(),
    reason: text('reason').notNull(),
    firedAt: instantColumn('fired_at').notNull(),
    resolvedAt: instantColumn('resolved_at'),
    renotifiedAt: instantColumn('renotified_at'),
    renotifications: integer('renotifications').notNull().default(0),
    /** How often it has come back soon after it was over: the longer must it stay calm now. */
    flaps: integer('flaps').notNull().default(0),
    /** Since when it no longer holds, while it has to prove that it stays so. */
    calmSince: instantColumn('calm_since'),
  },
  (table) => [
    uniqueIndex('alerts_one_firing').on(table.fingerprint).where(sql`status = 'firing'`),
    index('alerts_by_fingerprint').on(table.fingerprint, table.resolvedAt),
    index('alerts_by_incident').on(table.incidentId),
  ],
);

/** What happened to an alert, in order, and what was done about it: the whole answer to `explain`. */
export const transitions = pgTable(
  'transitions',
  {
    id: text('id').primaryKey(),
    alertId: text('alert_id').references(() => alerts.id, { onDelete: 'cascade' }),
    taskId: text('task_id'),
    nodeId: text('node_id'),
    kind: text('kind').$type<TransitionKind>().notNull(),
    at: instantColumn('at').notNull(),
    reason: text('reason').notNull(),
    /** Of a task's end: the cause that was told with it. */
    taskCause: text('task_cause').$type<Cause>(),
    /** Each subscription asked, and its answer. */
    decisions: jsonb('decisions').$type<RoutingDecision[]>().notNull().default([]),
  },
  (table) => [index('transitions_by_alert').on(table.alertId), index('transitions_by_task').on(table.taskId)],
);

export interface RoutingDecision {
  readonly subscription: string;
  readonly receiver: string;
  readonly notified: boolean;
  /** `matched`, `node_differs`, `event_not_subscribed`, `notifications_disabled`, `draining`, … */
  readonly reason: string;
  /** More about the reason, in words: which silence, until when, how many. */
  readonly detail?: string;
  /** The silence that kept it back. */
  readonly silence?: string;
  /** The failures it is told with. */
  readonly groupKey?: string;
}

/** The outbox: notifications promised in the transaction of their transition, and not forgotten until settled. */
export const notifications = pgTable(
  'notifications',
  {
    /** The webhook-id: the same for every attempt. */
    id: text('id').primaryKey(),
    transitionId: text('transition_id')
      .notNull()
      .references(() => transitions.id, { onDelete: 'cascade' }),
    subscription: text('subscription').notNull(),
    receiver: text('receiver').notNull(),
    type: text('type').notNull(),
    /** The public body (contract section 5), frozen when promised; one that others were collapsed into says so in it. */
    body: jsonb('body').notNull(),
    state: text('state').$type<'pending' | 'delivered' | 'dead' | 'collapsed'>().notNull(),
    attempts: integer('attempts').notNull().default(0),
    createdAt: instantColumn('created_at').notNull(),
    nextAttemptAt: instantColumn('next_attempt_at').notNull(),
    /** What it speaks of: an alert with all its comebacks, or a task. Null: nothing that another one speaks of. */
    subject: text('subject'),
    /** A claim ends by itself, so that a killed collector's claims are taken again. */
    claimedUntil: instantColumn('claimed_until'),
    claimedBy: text('claimed_by'),
    settledAt: instantColumn('settled_at'),
    lastError: text('last_error'),
    isTest: boolean('is_test').notNull().default(false),
    /** Where its notifier can find it again, when it began a thread about its incident. */
    handle: text('handle'),
    /** The notification that tells what this one would have, state `collapsed`. */
    collapsedInto: text('collapsed_into'),
  },
  (table) => [
    index('notifications_due').on(table.receiver, table.nextAttemptAt).where(sql`state = 'pending'`),
    index('notifications_of_subject')
      .on(table.receiver, table.subject, table.createdAt, table.id)
      .where(sql`state = 'pending'`),
    index('notifications_by_transition').on(table.transitionId),
    index('notifications_by_subscription').on(table.subscription),
    index('notifications_by_creation').on(table.createdAt, table.id),
    // The few among all that were delivered.
    index('notifications_not_sent')
      .on(table.state, table.createdAt, table.id)
      .where(sql`state in ('dead', 'collapsed')`),
    // Few: only of notifiers that keep threads.
    index('notifications_threads')
      .on(table.receiver, sql`(body -> 'incident' ->> 'id')`, table.id)
      .where(sql`handle is not null`),
  ],
);

/** One attempt to deliver a notification. */
export const deliveries = pgTable(
  'deliveries',
  {
    id: text('id').primaryKey(),
    notificationId: text('notification_id')
      .notNull()
      .references(() => notifications.id, { onDelete: 'cascade' }),
    attempt: integer('attempt').notNull(),
    at: instantColumn('at').notNull(),
    durationMs: integer('duration_ms').notNull(),
    outcome: text('outcome').$type<'delivered' | 'retry' | 'refused'>().notNull(),
    httpStatus: integer('http_status'),
    error: text('error'),
  },
  (table) => [index('deliveries_by_notification').on(table.notificationId)],
);
