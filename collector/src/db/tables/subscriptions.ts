import { index, integer, jsonb, pgTable, primaryKey, text } from 'drizzle-orm/pg-core';
import { alerts, incidents } from './alerts.ts';
import { countColumn, instantColumn } from './columns.ts';

/** Who hears what, beside those of the configuration file. */
export const subscriptions = pgTable(
  'subscriptions',
  {
    id: text('id').primaryKey(),
    origin: text('origin').$type<'api' | 'job_alert' | 'watch'>().notNull(),
    /** For people; null: its id. */
    name: text('name'),
    matchers: jsonb('matchers').$type<StoredMatcher[]>().notNull(),
    events: jsonb('events').$type<string[]>().notNull(),
    /** A notifier of the file, or `webhook:<id>`, `email:<id>`: its own target. */
    receiver: text('receiver').notNull(),
    /** The address of its own target. */
    target: text('target'),
    maxAlertsPerJob: integer('max_alerts_per_job'),
    renotifyIntervalMs: countColumn('renotify_interval_ms').notNull().default(0),
    /** What fails alike within is told together; null: as the configuration file says. */
    groupWindowMs: countColumn('group_window_ms'),
    /** Failures wait so long and are told in one message; null: not so. */
    digestMs: countColumn('digest_ms'),
    quietHours: jsonb('quiet_hours').$type<StoredWindow>(),
    /** Who else is told while nobody acknowledges, and when; null: nobody. */
    escalate: jsonb('escalate').$type<StoredStep[]>(),
    expiresAt: instantColumn('expires_at'),
    /** Of a job alert: it dies with its job. */
    job: text('job'),
    project: text('project'),
    createdBy: text('created_by'),
    createdAt: instantColumn('created_at').notNull(),
    /** Asked for nothing any more; kept while someone it told waits for an end. */
    deletedAt: instantColumn('deleted_at'),
  },
  (table) => [index('subscriptions_by_receiver').on(table.receiver)],
);

export interface StoredMatcher {
  readonly key: string;
  readonly patterns: readonly string[];
}

export interface StoredStep {
  readonly after_ms: number;
  /** A notifier of the file. */
  readonly receiver: string;
}

/** A time of day that comes again, by the clock on the wall of its zone. */
export interface StoredWindow {
  readonly time_zone: string;
  /** `HH:MM`; a window whose end is not after its beginning ends on the next day. */
  readonly from: string;
  readonly to: string;
  /** The days it begins on; without them every day. */
  readonly days?: readonly string[] | undefined;
}

/** Orders that matching alerts notify nobody for a time. */
export const silences = pgTable('silences', {
  id: text('id').primaryKey(),
  /** `drain`: opened by draining a node, whose flag keeps its alerts back; it says who did so and why. */
  origin: text('origin').$type<'person' | 'drain'>().notNull(),
  author: text('author').notNull(),
  reason: text('reason').notNull(),
  matchers: jsonb('matchers').$type<StoredMatcher[]>().notNull(),
  /** Only within these hours. */
  recurrence: jsonb('recurrence').$type<StoredWindow>(),
  startsAt: instantColumn('starts_at').notNull(),
  /** Null: until a person ends it. */
  endsAt: instantColumn('ends_at'),
  /** Of a drain. */
  nodeId: text('node_id'),
  createdAt: instantColumn('created_at').notNull(),
  /** When a message last said that this had kept things quiet: the first one after it does. */
  announcedAt: instantColumn('announced_at'),
});

/** What a subscription was not told when an alert fired, and hears later if the alert still does. */
export const heldNotifications = pgTable(
  'held_notifications',
  {
    alertId: text('alert_id')
      .notNull()
      .references(() => alerts.id, { onDelete: 'cascade' }),
    subscription: text('subscription').notNull(),
    reason: text('reason').$type<'quiet_hours' | 'silenced' | 'grouped'>().notNull(),
    silenceId: text('silence_id'),
    /** With which failures it is told. */
    groupKey: text('group_key'),
    heldAt: instantColumn('held_at').notNull(),
  },
  (table) => [primaryKey({ columns: [table.alertId, table.subscription] })],
);

/** How often a subscription with a limit has told of a job since a run of it last ended well. */
export const alertCounts = pgTable(
  'alert_counts',
  {
    subscription: text('subscription').notNull(),
    jobKey: text('job_key').notNull(),
    alerts: integer('alerts').notNull(),
  },
  (table) => [primaryKey({ columns: [table.subscription, table.jobKey] })],
);

/** What a subscription has told of failures of one kind, and how many of them wait to be told together. */
export const failureGroups = pgTable(
  'failure_groups',
  {
    subscription: text('subscription').notNull(),
    groupKey: text('group_key').notNull(),
    toldAt: instantColumn('told_at').notNull(),
    windowMs: countColumn('window_ms').notNull(),
    waiting: integer('waiting').notNull().default(0),
  },
  (table) => [primaryKey({ columns: [table.subscription, table.groupKey] })],
);

/** How far an open incident has gone up for a subscription that tells others of it while nobody acknowledges. */
export const escalations = pgTable(
  'escalations',
  {
    incidentId: text('incident_id')
      .notNull()
      .references(() => incidents.id, { onDelete: 'cascade' }),
    subscription: text('subscription').notNull(),
    /** Since when somebody might have acknowledged it: it was first told, or an acknowledgement or a silence ended. */
    since: instantColumn('since').notNull(),
    /** Steps taken since then. */
    steps: integer('steps').notNull().default(0),
    /** When to look again; null: there is no further step. */
    nextAt: instantColumn('next_at'),
  },
  (table) => [
    primaryKey({ columns: [table.incidentId, table.subscription] }),
    index('escalations_due').on(table.nextAt),
  ],
);
