CREATE TABLE "audit" (
	"id" text PRIMARY KEY NOT NULL,
	"at" timestamp (3) with time zone NOT NULL,
	"person" text,
	"role" text,
	"address" text,
	"method" text NOT NULL,
	"route" text NOT NULL,
	"subject" text,
	"status" integer NOT NULL
);
--> statement-breakpoint
CREATE TABLE "people" (
	"id" text PRIMARY KEY NOT NULL,
	"name" text NOT NULL,
	"role" text NOT NULL,
	"token_sha256" text NOT NULL,
	"created_at" timestamp (3) with time zone NOT NULL,
	"created_by" text NOT NULL,
	"last_used_at" timestamp (3) with time zone,
	"expires_at" timestamp (3) with time zone,
	CONSTRAINT "people_name_unique" UNIQUE("name"),
	CONSTRAINT "people_token_sha256_unique" UNIQUE("token_sha256")
);
--> statement-breakpoint
ALTER TABLE "enrollments" ADD COLUMN "created_by" text;--> statement-breakpoint
CREATE INDEX "audit_by_time" ON "audit" USING btree ("at","id");