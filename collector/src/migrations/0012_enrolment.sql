CREATE TABLE "agents" (
	"node_id" text PRIMARY KEY NOT NULL,
	"key_sha256" text,
	"enrollment_id" text,
	"labels" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"admitted_at" timestamp (3) with time zone NOT NULL,
	"revoked_at" timestamp (3) with time zone,
	CONSTRAINT "agents_key_sha256_unique" UNIQUE("key_sha256")
);
--> statement-breakpoint
CREATE TABLE "enrollments" (
	"id" text PRIMARY KEY NOT NULL,
	"token_sha256" text NOT NULL,
	"note" text,
	"labels" jsonb DEFAULT '{}'::jsonb NOT NULL,
	"uses_max" integer NOT NULL,
	"uses" integer DEFAULT 0 NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"expires_at" timestamp (3) with time zone NOT NULL,
	"revoked_at" timestamp (3) with time zone,
	CONSTRAINT "enrollments_token_sha256_unique" UNIQUE("token_sha256")
);
