CREATE TABLE "alert_counts" (
	"subscription" text NOT NULL,
	"job_key" text NOT NULL,
	"alerts" integer NOT NULL,
	CONSTRAINT "alert_counts_subscription_job_key_pk" PRIMARY KEY("subscription","job_key")
);
--> statement-breakpoint
CREATE TABLE "held_notifications" (
	"alert_id" text NOT NULL,
	"subscription" text NOT NULL,
	"reason" text NOT NULL,
	"silence_id" text,
	"held_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "held_notifications_alert_id_subscription_pk" PRIMARY KEY("alert_id","subscription")
);
--> statement-breakpoint
CREATE TABLE "silences" (
	"id" text PRIMARY KEY NOT NULL,
	"origin" text NOT NULL,
	"author" text NOT NULL,
	"reason" text NOT NULL,
	"matchers" jsonb NOT NULL,
	"recurrence" jsonb,
	"starts_at" timestamp (3) with time zone NOT NULL,
	"ends_at" timestamp (3) with time zone,
	"node_id" text,
	"created_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "subscriptions" (
	"id" text PRIMARY KEY NOT NULL,
	"origin" text NOT NULL,
	"name" text,
	"matchers" jsonb NOT NULL,
	"events" jsonb NOT NULL,
	"receiver" text NOT NULL,
	"target" text,
	"max_alerts_per_job" integer,
	"renotify_interval_ms" bigint DEFAULT 0 NOT NULL,
	"quiet_hours" jsonb,
	"expires_at" timestamp (3) with time zone,
	"job" text,
	"project" text,
	"created_by" text,
	"created_at" timestamp (3) with time zone NOT NULL,
	"deleted_at" timestamp (3) with time zone
);
--> statement-breakpoint
ALTER TABLE "held_notifications" ADD CONSTRAINT "held_notifications_alert_id_alerts_id_fk" FOREIGN KEY ("alert_id") REFERENCES "public"."alerts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "subscriptions_by_receiver" ON "subscriptions" USING btree ("receiver");--> statement-breakpoint
CREATE INDEX "notifications_by_subscription" ON "notifications" USING btree ("subscription");