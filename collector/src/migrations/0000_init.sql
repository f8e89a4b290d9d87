CREATE TABLE "alerts" (
	"id" text PRIMARY KEY NOT NULL,
	"incident_id" text NOT NULL,
	"fingerprint" text NOT NULL,
	"condition" text NOT NULL,
	"component" text NOT NULL,
	"node_id" text,
	"task_id" text,
	"subject" text NOT NULL,
	"severity" text NOT NULL,
	"status" text NOT NULL,
	"reason" text NOT NULL,
	"fired_at" timestamp (3) with time zone NOT NULL,
	"resolved_at" timestamp (3) with time zone,
	"renotified_at" timestamp (3) with time zone,
	"renotifications" integer DEFAULT 0 NOT NULL
);
--> statement-breakpoint
CREATE TABLE "collector_state" (
	"key" text PRIMARY KEY NOT NULL,
	"value" jsonb NOT NULL
);
--> statement-breakpoint
CREATE TABLE "condition_states" (
	"node_id" text NOT NULL,
	"component" text NOT NULL,
	"condition" text NOT NULL,
	"subject" text NOT NULL,
	"status" text NOT NULL,
	"severity" text NOT NULL,
	"reason" text NOT NULL,
	"value" double precision,
	"threshold" double precision,
	"since" timestamp (3) with time zone NOT NULL,
	"changed_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "condition_states_node_id_component_condition_subject_pk" PRIMARY KEY("node_id","component","condition","subject")
);
--> statement-breakpoint
CREATE TABLE "deliveries" (
	"id" text PRIMARY KEY NOT NULL,
	"notification_id" text NOT NULL,
	"attempt" integer NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"duration_ms" integer NOT NULL,
	"outcome" text NOT NULL,
	"http_status" integer,
	"error" text
);
--> statement-breakpoint
CREATE TABLE "events" (
	"id" bigserial PRIMARY KEY NOT NULL,
	"node_id" text NOT NULL,
	"stream_id" text NOT NULL,
	"lane" text NOT NULL,
	"seq" bigint NOT NULL,
	"kind" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"received_at" timestamp (3) with time zone NOT NULL,
	"body" jsonb NOT NULL,
	"judged_at" timestamp (3) with time zone
);
--> statement-breakpoint
CREATE TABLE "incidents" (
	"id" text PRIMARY KEY NOT NULL,
	"group_key" text NOT NULL,
	"status" text NOT NULL,
	"title" text NOT NULL,
	"severity" text NOT NULL,
	"opened_at" timestamp (3) with time zone NOT NULL,
	"resolved_at" timestamp (3) with time zone,
	"acknowledged_at" timestamp (3) with time zone,
	"acknowledged_by" text,
	"acknowledge_note" text
);
--> statement-breakpoint
CREATE TABLE "nodes" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"status" text NOT NULL,
	"draining" boolean DEFAULT false NOT NULL,
	"labels" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"inventory" jsonb,
	"sources" jsonb DEFAULT '[]'::jsonb NOT NULL,
	"boot_id" text,
	"agent_version" text,
	"remote_address" text,
	"heartbeat_interval_ms" integer DEFAULT 10000 NOT NULL,
	"first_seen_at" timestamp (3) with time zone NOT NULL,
	"connected_at" timestamp (3) with time zone,
	"last_heard_at" timestamp (3) with time zone NOT NULL,
	"deadline_at" timestamp (3) with time zone,
	"goodbye_reason" text,
	"clock_skew_ms" bigint
);
--> statement-breakpoint
CREATE TABLE "notifications" (
	"id" text PRIMARY KEY NOT NULL,
	"transition_id" text NOT NULL,
	"subscription" text NOT NULL,
	"receiver" text NOT NULL,
	"type" text NOT NULL,
	"body" jsonb NOT NULL,
	"state" text NOT NULL,
	"attempts" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"next_attempt_at" timestamp (3) with time zone NOT NULL,
	"claimed_until" timestamp (3) with time zone,
	"claimed_by" text,
	"settled_at" timestamp (3) with time zone,
	"last_error" text,
	"is_test" boolean DEFAULT false NOT NULL
);
--> statement-breakpoint
CREATE TABLE "samples" (
	"node_id" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"cpu_percent" real,
	"load1" real,
	"memory_used_percent" real,
	"memory_available_bytes" bigint,
	"disk_used_percent_max" real,
	"network_rx_bytes_per_s" real,
	"network_tx_bytes_per_s" real,
	"psi_memory_some" real,
	"psi_cpu_some" real,
	"psi_io_some" real,
	"detail" jsonb,
	CONSTRAINT "samples_node_id_at_pk" PRIMARY KEY("node_id","at")
);
--> statement-breakpoint
CREATE TABLE "streams" (
	"stream_id" text NOT NULL,
	"lane" text NOT NULL,
	"node_id" text NOT NULL,
	"committed_seq" bigint NOT NULL,
	"committed_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "streams_stream_id_lane_pk" PRIMARY KEY("stream_id","lane")
);
--> statement-breakpoint
CREATE TABLE "tasks" (
	"id" text PRIMARY KEY NOT NULL,
	"task_id" text NOT NULL,
	"node_id" text NOT NULL,
	"name" text NOT NULL,
	"job" text,
	"project" text,
	"owner" text,
	"source" text NOT NULL,
	"unit" text,
	"container_id" text,
	"command" text,
	"status" text NOT NULL,
	"exit_code" integer,
	"signal" text,
	"started_at" timestamp (3) with time zone,
	"ended_at" timestamp (3) with time zone,
	"ended_at_approximate" boolean DEFAULT false NOT NULL,
	"duration_ms" bigint,
	"cpu_ms" bigint,
	"memory_peak_bytes" bigint,
	"memory_limit_bytes" bigint,
	"error_message" text,
	"verdict" jsonb,
	"cause" text,
	"log_tail" jsonb,
	"amendments" integer DEFAULT 0 NOT NULL,
	"received_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "transitions" (
	"id" text PRIMARY KEY NOT NULL,
	"alert_id" text,
	"task_id" text,
	"node_id" text,
	"kind" text NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"reason" text NOT NULL,
	"decisions" jsonb DEFAULT '[]'::jsonb NOT NULL
);
--> statement-breakpoint
ALTER TABLE "alerts" ADD CONSTRAINT "alerts_incident_id_incidents_id_fk" FOREIGN KEY ("incident_id") REFERENCES "public"."incidents"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "deliveries" ADD CONSTRAINT "deliveries_notification_id_notifications_id_fk" FOREIGN KEY ("notification_id") REFERENCES "public"."notifications"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "events" ADD CONSTRAINT "events_node_id_nodes_id_fk" FOREIGN KEY ("node_id") REFERENCES "public"."nodes"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "notifications" ADD CONSTRAINT "notifications_transition_id_transitions_id_fk" FOREIGN KEY ("transition_id") REFERENCES "public"."transitions"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "samples" ADD CONSTRAINT "samples_node_id_nodes_id_fk" FOREIGN KEY ("node_id") REFERENCES "public"."nodes"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "streams" ADD CONSTRAINT "streams_node_id_nodes_id_fk" FOREIGN KEY ("node_id") REFERENCES "public"."nodes"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "tasks" ADD CONSTRAINT "tasks_node_id_nodes_id_fk" FOREIGN KEY ("node_id") REFERENCES "public"."nodes"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "transitions" ADD CONSTRAINT "transitions_alert_id_alerts_id_fk" FOREIGN KEY ("alert_id") REFERENCES "public"."alerts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "alerts_one_firing" ON "alerts" USING btree ("fingerprint") WHERE status = 'firing';--> statement-breakpoint
CREATE INDEX "alerts_by_incident" ON "alerts" USING btree ("incident_id");--> statement-breakpoint
CREATE INDEX "deliveries_by_notification" ON "deliveries" USING btree ("notification_id");--> statement-breakpoint
CREATE UNIQUE INDEX "events_once" ON "events" USING btree ("stream_id","lane","seq");--> statement-breakpoint
CREATE INDEX "events_unjudged" ON "events" USING btree ("id") WHERE judged_at is null;--> statement-breakpoint
CREATE INDEX "events_by_node" ON "events" USING btree ("node_id","received_at");--> statement-breakpoint
CREATE UNIQUE INDEX "incidents_one_open_per_key" ON "incidents" USING btree ("group_key") WHERE status = 'open';--> statement-breakpoint
CREATE INDEX "incidents_by_opening" ON "incidents" USING btree ("opened_at","id");--> statement-breakpoint
CREATE INDEX "nodes_by_name" ON "nodes" USING btree ("name");--> statement-breakpoint
CREATE INDEX "notifications_due" ON "notifications" USING btree ("receiver","next_attempt_at") WHERE state = 'pending';--> statement-breakpoint
CREATE INDEX "notifications_by_transition" ON "notifications" USING btree ("transition_id");--> statement-breakpoint
CREATE INDEX "notifications_by_creation" ON "notifications" USING btree ("created_at","id");--> statement-breakpoint
CREATE INDEX "samples_by_time" ON "samples" USING btree ("at");--> statement-breakpoint
CREATE INDEX "tasks_by_end" ON "tasks" USING btree ("ended_at","id");--> statement-breakpoint
CREATE INDEX "tasks_by_task_id" ON "tasks" USING btree ("task_id");--> statement-breakpoint
CREATE INDEX "tasks_by_node" ON "tasks" USING btree ("node_id","status");--> statement-breakpoint
CREATE INDEX "tasks_by_job" ON "tasks" USING btree ("project","job","ended_at");--> statement-breakpoint
CREATE INDEX "transitions_by_alert" ON "transitions" USING btree ("alert_id");--> statement-breakpoint
CREATE INDEX "transitions_by_task" ON "transitions" USING btree ("task_id");