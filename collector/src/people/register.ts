import type { Logger } from 'pino';
import type { Queries } from '../db/database.ts';
import type { Asker, Role } from './roles.ts';
import { deletePerson, insertPerson, listPeople, type PersonRow, updatePerson } from './store.ts';
import { digestOf, newToken } from './tokens.ts';

export interface RegisterOptions {
  readonly queries: Queries;
  /** Is it the token of the collector's own file? */
  readonly isCollectorToken: (presented: string) => boolean;
  readonly now: () => number;
  readonly log: Logger;
}

/** A use of a token is written down at most so often. */
const useWrittenEveryMs = 60_000;

/**
 * Who has a token. The door asks it on every request and is answered from memory, so that bad tokens trouble no database;
 * a change is written down first, and holds from the moment its promise resolves.
 */
export class PeopleRegister {
  readonly #options: RegisterOptions;
  #byDigest = new Map<string, PersonRow>();
  /** When a use was last written down, by id. */
  readonly #usedAt = new Map<string, number>();
  /** One change after the other, so that what is in memory ends as the table does. */
  #changing: Promise<unknown> = Promise.resolve();

  constructor(options: RegisterOptions) {
    this.#options = options;
  }

  /** Reads what is written; before the door opens. */
  async open(): Promise<void> {
    const rows = await listPeople(this.#options.queries);
    this.#byDigest = new Map(rows.map((row) => [row.tokenSha256, row]));
  }

  /** Whose token it is; null for one that was never made, was removed or has expired, each found out by the same steps. */
  find(presented: string): Asker | null {
    const isCollectors = this.#options.isCollectorToken(presented);
    const person = this.#current(this.#byDigest.get(digestOf(presented)));
    if (isCollectors) return { kind: 'collector_token', role: 'admin' };
    if (person === null) return null;
    this.#noteUse(person);
    return { kind: 'person', role: person.role, id: person.id, name: person.name };
  }

  /** False once the token behind an earlier answer of {@link find} is gone, or its role is another. */
  isStill(asker: Asker): boolean {
    if (asker.kind !== 'person') return true;
    const row = [...this.#byDigest.values()].find(({ id }) => id === asker.id);
    return this.#current(row)?.role === asker.role;
  }

  list(): Promise<PersonRow[]> {
    return listPeople(this.#options.queries);
  }

  /** The token is in the answer and nowhere else. Null: someone has this name. */
  async add(
    person: Pick<PersonRow, 'id' | 'name' | 'role' | 'createdBy' | 'expiresAt'>,
  ): Promise<{ row: PersonRow; token: string } | null> {
    const token = newToken('api');
    const row: PersonRow = {
      ...person,
      tokenSha256: digestOf(token),
      createdAt: new Date(this.#options.now()),
      lastUsedAt: null,
    };
    return this.#inTurn(async () => {
      if (!(await insertPerson(this.#options.queries, row))) return null;
      this.#byDigest.set(row.tokenSha256, row);
      return { row, token };
    });
  }

  /** Null: there is none of that id. */
  setRole(id: string, role: Role): Promise<PersonRow | null> {
    return this.#inTurn(async () => {
      const row = await updatePerson(this.#options.queries, id, { role });
      if (row === null) this.#forget(id);
      else this.#byDigest.set(row.tokenSha256, row);
      return row;
    });
  }

  /** Null: there is none of that id. */
  remove(id: string): Promise<PersonRow | null> {
    return this.#inTurn(async () => {
      const row = await deletePerson(this.#options.queries, id);
      this.#forget(id);
      return row;
    });
  }

  /** Also one whom the table has no more: the answer to an earlier removal may have been lost. */
  #forget(id: string): void {
    for (const [digest, known] of this.#byDigest) if (known.id === id) this.#byDigest.delete(digest);
    this.#usedAt.delete(id);
  }

  #inTurn<T>(change: () => Promise<T>): Promise<T> {
    const changed = this.#changing.then(change);
    this.#changing = changed.catch(() => {});
    return changed;
  }

  #current(row: PersonRow | undefined): PersonRow | null {
    if (row === undefined) return null;
    return row.expiresAt === null || row.expiresAt.getTime() > this.#options.now() ? row : null;
  }

  #noteUse({ id }: PersonRow): void {
    const { queries, now, log } = this.#options;
    const at = now();
    if (at - (this.#usedAt.get(id) ?? Number.NEGATIVE_INFINITY) < useWrittenEveryMs) return;
    this.#usedAt.set(id, at);
    updatePerson(queries, id, { lastUsedAt: new Date(at) }).catch((error: unknown) =>
      log.warn({ err: error }, 'could not write down that a token was used; the next use is'),
    );
  }
}
