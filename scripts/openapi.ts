/* Writes docs/openapi.json from the schemas of the routes: `npx tsx scripts/openapi.ts`. A test fails when the two differ. */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { currentDocumentText } from '../test/support/api-document.ts';

writeFileSync(fileURLToPath(new URL('../docs/openapi.json', import.meta.url)), await currentDocumentText());
