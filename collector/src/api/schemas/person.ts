import * as z from 'zod';
import type { AuditRow } from '../../people/audit.ts';
import { namesOfNobody, roles } from '../../people/roles.ts';
import type { PersonRow } from '../../people/store.ts';
import { instantText } from './delivery.ts';
import { writtenDuration } from './routing.ts';

export const role = z.enum(roles);

const reserved: readonly string[] = Object.values(namesOfNobody);

/** Letters and digits of any script: it is shown wherever something has an author, and typed into command lines. */
const personName = z
  .string()
  .trim()
  .normalize()
  .max(100)
  .regex(/^[\p{L}\p{N}][\p{L}\p{M}\p{N} ._@+'-]*$/u, {
    error: 'expected a name of letters, digits and . _ @ + - inside',
  })
  .refine((name) => !reserved.includes(name.toLowerCase()), { error: `${reserved.join(' and ')} are taken` });

export const personBody = z.strictObject({
  name: personName,
  role,
  expires_in: writtenDuration
    .default('0')
    .describe('How long the token is good, such as `90d`; `0`: until it is removed.'),
});

export const personChange = z.strictObject({ role });

export const person = z.object({
  id: z.string(),
  name: z.string(),
  role,
  state: z.enum(['active', 'expired']),
  created_at: z.string(),
  created_by: z.string(),
  last_used_at: z.string().nullable().describe('To the minute.'),
  expires_at: z.string().nullable(),
});

export const madePerson = person.extend({
  token: z.string().describe('Shown this once: the collector keeps only its digest.'),
});

export const me = z.object({
  name: z.string().nullable().describe("Null for whoever has no token, or the collector's own."),
  role,
  kind: z
    .enum(['local', 'collector_token', 'person'])
    .describe("`local`: from the collector's machine without a token; `collector_token`: with that of its file."),
});

export const outcome = z.enum(['done', 'invalid', 'refused', 'wrong_tokens', 'failed']);

export const auditEntry = z.object({
  id: z.string(),
  at: z.string(),
  person: z.string().nullable().describe('A name, `local`, `api.token`, or null: nobody we know.'),
  role: role.nullable(),
  address: z.string().nullable(),
  method: z.string(),
  route: z.string(),
  subject: z.string().nullable().describe('What it was about: what the path names, or what was made.'),
  outcome: outcome.describe('`wrong_tokens`: many different ones came from this address within a minute.'),
  status: z.int(),
});

export function showPerson(row: PersonRow, now: number): z.infer<typeof person> {
  const isOver = row.expiresAt !== null && row.expiresAt.getTime() <= now;
  return {
    id: row.id,
    name: row.name,
    role: row.role,
    state: isOver ? 'expired' : 'active',
    created_at: instantText(row.createdAt),
    created_by: row.createdBy,
    last_used_at: row.lastUsedAt === null ? null : instantText(row.lastUsedAt),
    expires_at: row.expiresAt === null ? null : instantText(row.expiresAt),
  };
}

export function showAudit({ at, ...row }: AuditRow): z.infer<typeof auditEntry> {
  return { ...row, at: instantText(at), outcome: outcomeOf(row.status) };
}

function outcomeOf(status: number): z.infer<typeof outcome> {
  if (status < 400) return 'done';
  if (status === 401) return 'wrong_tokens';
  if (status === 403) return 'refused';
  return status < 500 ? 'invalid' : 'failed';
}
