ALTER TABLE "job_expectations" ADD COLUMN "schedule" text;--> statement-breakpoint
ALTER TABLE "job_expectations" ADD COLUMN "time_zone" text;