import { randomBytes } from 'node:crypto';
import { joinTokenPrefix } from '@runnerwatch/shared/protocol/credentials.ts';
import type { Database, Queries } from '../db/database.ts';
import { type Admission, type Credential, judgeAdmission, type Shown, sha256 } from './admission.ts';
import {
  type AgentRow,
  approveAgent,
  type EnrollmentRow,
  insertEnrollment,
  listAgents,
  listEnrollments,
  lockAgent,
  revokeAgent,
  revokeEnrollment,
  saveAgent,
  takeUse,
} from './store.ts';

export interface RegisterOptions {
  readonly database: Database;
  readonly isSharedToken: (token: string) => boolean;
  readonly now: () => number;
}

export interface NewEnrollment {
  readonly id: string;
  readonly note: string | null;
  readonly labels: Readonly<Record<string, string>>;
  readonly usesMax: number;
  readonly createdBy: string;
  readonly expiresAt: Date;
}

/** An agent was let in at the door, and is not whom it says. */
export class NotAdmittedError extends Error {
  readonly code: string;

  constructor(code: string, message: string) {
    super(message);
    this.name = 'NotAdmittedError';
    this.code = code;
  }
}

/**
 * Which agents are ours. All that the door asks is answered from memory, so that whoever knocks with a thousand bad tokens a
 * second troubles no database; what is decided is written down first.
 */
export class AgentRegister {
  readonly #options: RegisterOptions;
  #enrollments = new Map<string, EnrollmentRow>();
  #agents = new Map<string, AgentRow>();
  /** One after the other: what was read before a change must not come to stand after it. */
  #reading: Promise<unknown> = Promise.resolve();

  constructor(options: RegisterOptions) {
    this.#options = options;
  }

  /** Reads what is written; after every change, and once before the door opens. */
  refresh(): Promise<void> {
    const read = this.#reading.then(() => this.#read());
    this.#reading = read.catch(() => {});
    return read;
  }

  async #read(): Promise<void> {
    const queries = this.#options.database.drizzle;
    const [enrollments, agents] = await Promise.all([listEnrollments(queries), listAgents(queries)]);
    this.#enrollments = new Map(enrollments.map((row) => [row.tokenSha256, row]));
    this.#agents = new Map(agents.flatMap((row) => (row.keySha256 === null ? [] : [[row.keySha256, row]])));
  }

  admit(shown: Shown): Admission {
    const known = {
      isSharedToken: this.#options.isSharedToken,
      enrollment: (digest: string) => this.#enrollments.get(digest),
      agent: (digest: string) => this.#agents.get(digest),
    };
    return judgeAdmission(shown, known, this.#options.now());
  }

  /**
   * Holds a hello against what its agent was let in on, in the transaction that writes the arrival down. True: its key
   * counts at the door only after the next {@link refresh}.
   * @throws NotAdmittedError
   */
  async settle(transaction: Queries, credential: Credential, nodeId: string): Promise<boolean> {
    const agent = await lockAgent(transaction, nodeId);
    if (agent !== null && agent.revokedAt !== null)
      throw new NotAdmittedError('revoked', 'this agent was revoked here; an operator may approve it again');
    if (credential.kind === 'key' && credential.nodeId !== nodeId)
      throw new NotAdmittedError('foreign_key', "this key is another node's; was the data_dir copied from there?");
    if (credential.kind !== 'join') {
      if (credential.kind === 'shared' && agent?.keySha256 != null) throw keyNeeded;
      return false;
    }
    // Written down before, and yet unknown at the door: it was not read again then.
    if (agent?.keySha256 === credential.keySha256) return true;
    if (agent?.keySha256 != null) throw keyNeeded;
    const admittedAt = new Date(this.#options.now());
    const { enrollmentId, keySha256 } = credential;
    const enrollment = await takeUse(transaction, enrollmentId, admittedAt);
    if (enrollment === null)
      throw new NotAdmittedError('token_used_up', 'another node took the last use of this join token just now');
    const { labels } = enrollment;
    await saveAgent(transaction, { nodeId, keySha256, enrollmentId, labels, admittedAt, revokedAt: null });
    return true;
  }

  /** The token is in the answer and nowhere else. */
  async enroll({
    id,
    note,
    labels,
    usesMax,
    createdBy,
    expiresAt,
  }: NewEnrollment): Promise<{ row: EnrollmentRow; token: string }> {
    const token = `${joinTokenPrefix}${randomBytes(32).toString('base64url')}`;
    const row: EnrollmentRow = {
      id,
      tokenSha256: sha256(token),
      note,
      labels: { ...labels },
      usesMax,
      uses: 0,
      createdAt: new Date(this.#options.now()),
      createdBy,
      expiresAt,
      revokedAt: null,
    };
    await insertEnrollment(this.#options.database.drizzle, row);
    await this.refresh();
    return { row, token };
  }

  /** False: there is none, or it was revoked before. Those it admitted stay. */
  async revokeToken(id: string): Promise<boolean> {
    const row = await revokeEnrollment(this.#options.database.drizzle, id, new Date(this.#options.now()));
    await this.refresh();
    return row !== null;
  }

  async revokeAgent(nodeId: string): Promise<void> {
    await revokeAgent(this.#options.database.drizzle, nodeId, new Date(this.#options.now()));
    await this.refresh();
  }

  /** False: nothing kept it away. */
  async approveAgent(nodeId: string): Promise<boolean> {
    const wasRevoked = await approveAgent(this.#options.database.drizzle, nodeId);
    await this.refresh();
    return wasRevoked;
  }
}

const keyNeeded = new NotAdmittedError(
  'key_needed',
  'this node has come with a key of its own and does not show it; if it was set up anew, remove the node here first',
);
