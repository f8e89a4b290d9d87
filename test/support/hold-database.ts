/* Opens the embedded database of the folder in its first argument, writes one row, says so, and stays until it is killed. */
import { openDatabase } from '../../collector/src/db/open.ts';
import { silentLog } from './database.ts';

const database = await openDatabase({ dataDir: process.argv[2] ?? '', log: silentLog });
await database.sql`insert into collector_state (key, value) values ('held', '1')`;
process.stdout.write('held\n');
setInterval(() => {}, 60_000);
