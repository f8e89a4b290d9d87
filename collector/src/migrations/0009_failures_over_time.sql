CREATE TABLE "job_expectations" (
	"job_id" text PRIMARY KEY NOT NULL,
	"project" text,
	"job" text NOT NULL,
	"every_ms" bigint,
	"grace_ms" bigint NOT NULL,
	"max_run_ms" bigint,
	"min_run_ms" bigint,
	"max_concurrent" integer,
	"set_at" timestamp (3) with time zone NOT NULL
);
--> statement-breakpoint
DROP INDEX "tasks_by_end";--> statement-breakpoint
CREATE INDEX "tasks_by_end" ON "tasks" USING btree ("ended_at","id","status","cause","node_id","project","job");