/* Makes the files of an empty embedded database in the folder named by the first argument, and ends: initdb takes memory that it never gives back. */

import { argv } from 'node:process';
import { PGlite } from '@electric-sql/pglite';

const dataDir = argv[2];
if (dataDir === undefined) throw new Error('expected the folder to make the database in');
const engine = await PGlite.create(dataDir);
await engine.exec('CHECKPOINT');
await engine.close();
