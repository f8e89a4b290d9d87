CREATE TABLE "failure_groups" (
	"subscription" text NOT NULL,
	"group_key" text NOT NULL,
	"told_at" timestamp (3) with time zone NOT NULL,
	"window_ms" bigint NOT NULL,
	"waiting" integer DEFAULT 0 NOT NULL,
	CONSTRAINT "failure_groups_subscription_group_key_pk" PRIMARY KEY("subscription","group_key")
);
--> statement-breakpoint
ALTER TABLE "alerts" ADD COLUMN "flaps" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "alerts" ADD COLUMN "calm_since" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "held_notifications" ADD COLUMN "group_key" text;--> statement-breakpoint
ALTER TABLE "incidents" ADD COLUMN "acknowledged_until" timestamp (3) with time zone;--> statement-breakpoint
ALTER TABLE "incidents" ADD COLUMN "failures" integer DEFAULT 0 NOT NULL;--> statement-breakpoint
ALTER TABLE "incidents" ADD COLUMN "finding" text;--> statement-breakpoint
ALTER TABLE "subscriptions" ADD COLUMN "group_window_ms" bigint;--> statement-breakpoint
CREATE INDEX "alerts_by_fingerprint" ON "alerts" USING btree ("fingerprint","resolved_at");