CREATE TABLE "task_recordings" (
	"task_id" text PRIMARY KEY NOT NULL,
	"until" timestamp (3) with time zone NOT NULL,
	"recording" jsonb NOT NULL
);
--> statement-breakpoint
ALTER TABLE "task_recordings" ADD CONSTRAINT "task_recordings_task_id_tasks_id_fk" FOREIGN KEY ("task_id") REFERENCES "public"."tasks"("id") ON DELETE cascade ON UPDATE no action;