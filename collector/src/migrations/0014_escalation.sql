CREATE TABLE "escalations" (
	"incident_id" text NOT NULL,
	"subscription" text NOT NULL,
	"since" timestamp (3) with time zone NOT NULL,
	"steps" integer DEFAULT 0 NOT NULL,
	"next_at" timestamp (3) with time zone,
	CONSTRAINT "escalations_incident_id_subscription_pk" PRIMARY KEY("incident_id","subscription")
);
--> statement-breakpoint
ALTER TABLE "subscriptions" ADD COLUMN "escalate" jsonb;--> statement-breakpoint
ALTER TABLE "escalations" ADD CONSTRAINT "escalations_incident_id_incidents_id_fk" FOREIGN KEY ("incident_id") REFERENCES "public"."incidents"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "escalations_due" ON "escalations" USING btree ("next_at");