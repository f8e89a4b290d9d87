CREATE TABLE "scheduler_tasks" (
	"scheduler" text NOT NULL,
	"task_id" text NOT NULL,
	"status" text NOT NULL,
	"exit_code" integer,
	"message" text,
	"node_name" text,
	"batch_id" text,
	"name" text,
	"owner" text,
	"command" text,
	"has_started" boolean NOT NULL,
	"is_settled" boolean DEFAULT false NOT NULL,
	"changed_at" timestamp (3) with time zone NOT NULL,
	CONSTRAINT "scheduler_tasks_scheduler_task_id_pk" PRIMARY KEY("scheduler","task_id")
);
--> statement-breakpoint
ALTER TABLE "tasks" ADD COLUMN "scheduler" jsonb;