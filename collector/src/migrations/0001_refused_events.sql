CREATE TABLE "refused_events" (
	"node_id" text NOT NULL,
	"stream_id" text NOT NULL,
	"lane" text NOT NULL,
	"seq" bigint NOT NULL,
	"received_at" timestamp (3) with time zone NOT NULL,
	"reason" text NOT NULL,
	"raw" text NOT NULL,
	CONSTRAINT "refused_events_stream_id_lane_seq_pk" PRIMARY KEY("stream_id","lane","seq")
);
--> statement-breakpoint
ALTER TABLE "refused_events" ADD CONSTRAINT "refused_events_node_id_nodes_id_fk" FOREIGN KEY ("node_id") REFERENCES "public"."nodes"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "events_by_receipt" ON "events" USING brin ("received_at");