DROP INDEX "tasks_by_end";--> statement-breakpoint
DROP INDEX "tasks_by_node";--> statement-breakpoint
DROP INDEX "tasks_by_job";--> statement-breakpoint
CREATE INDEX "notifications_not_sent" ON "notifications" USING btree ("state","created_at","id") WHERE state in ('dead', 'collapsed');--> statement-breakpoint
CREATE INDEX "tasks_by_end" ON "tasks" USING btree ("ended_at","id","status","cause","node_id","project","job","owner");--> statement-breakpoint
CREATE INDEX "tasks_by_node" ON "tasks" USING btree ("node_id","ended_at","id","status");--> statement-breakpoint
CREATE INDEX "tasks_by_job" ON "tasks" USING btree ("project","job","ended_at","status","cause","duration_ms","id");