/*
 * Writes docs/openapi.json from the schemas of the routes, and from it the dashboard's types: `npm run openapi`.
 * A test fails when what is checked in differs.
 */
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { currentDocumentText } from '../test/support/api-document.ts';
import { apiTypes } from './api-types.ts';

const document = await currentDocumentText();
writeFileSync(fileURLToPath(new URL('../docs/openapi.json', import.meta.url)), document);
writeFileSync(fileURLToPath(new URL('../collector/web/data/api-types.ts', import.meta.url)), apiTypes(document));
