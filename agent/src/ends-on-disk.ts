import type { Spool } from './spool/spool.ts';

/** As many as a ledger remembers; more cannot have been written between two savings of what runs. */
const looksBack = 20_000;
const pageBytes = 1024 * 1024;

/**
 * Ids of the tasks whose end the spool still holds, acknowledged or not. A life that died after it wrote an end and before
 * its source forgot it hears of that end again: by these ids it knows that it is told.
 */
export async function endsOnDisk(spool: Pick<Spool, 'read' | 'positions'>): Promise<Set<string>> {
  const ids = new Set<string>();
  const { last, oldest } = spool.positions;
  let after = Math.max(oldest.ends - 1, last.ends - looksBack);
  while (after < last.ends) {
    const events = await spool.read('ends', after, pageBytes);
    const reached = events.at(-1)?.seq;
    if (reached === undefined) break;
    after = reached;
    for (const { text } of events) {
      const id = endedTask(text);
      if (id !== null) ids.add(id);
    }
  }
  return ids;
}

function endedTask(text: string): string | null {
  const { body } = JSON.parse(text) as { body: { kind: string; task?: { id: string } } };
  return body.kind === 'task_ended' && body.task !== undefined ? body.task.id : null;
}
