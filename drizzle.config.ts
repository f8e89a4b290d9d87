import { defineConfig } from 'drizzle-kit';

/* `npx drizzle-kit generate --name what-changes` writes the next numbered migration. */
export default defineConfig({
  dialect: 'postgresql',
  schema: './collector/src/db/tables/schema.ts',
  out: './collector/src/migrations',
});
