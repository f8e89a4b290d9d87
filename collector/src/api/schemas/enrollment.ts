import * as z from 'zod';
import { refusalOf } from '../../enrolment/admission.ts';
import type { AgentOfNode, EnrollmentRow } from '../../enrolment/store.ts';
import { instantText } from './delivery.ts';
import { writtenDuration } from './routing.ts';

export const enrollmentBody = z.strictObject({
  uses: z.int().min(1).max(10_000).default(1).describe('How many nodes it admits.'),
  expires_in: writtenDuration.default('24h'),
  labels: z
    .record(z.string().min(1).max(200), z.string().max(500))
    .default({})
    .describe('Given to every node it admits.'),
  note: z.string().trim().min(1).max(500).optional(),
});

export const enrollment = z.object({
  id: z.string(),
  state: z.enum(['active', 'used_up', 'expired', 'revoked']),
  note: z.string().nullable(),
  labels: z.record(z.string(), z.string()),
  uses: z.int(),
  uses_max: z.int(),
  created_at: z.string(),
  created_by: z.string().nullable().describe('A person, `local` or `api.token`.'),
  expires_at: z.string(),
  revoked_at: z.string().nullable(),
});

export const madeEnrollment = enrollment.extend({
  token: z.string().describe('Shown this once: the collector keeps only its digest.'),
});

export const agent = z.object({
  id: z.string().describe("The node's."),
  node: z.string(),
  version: z.string().nullable(),
  connected: z.boolean(),
  remote_address: z.string().nullable(),
  last_heard_at: z.string(),
  clock_skew_ms: z.number().nullable().describe("Above 0: the node's clock is ahead of the collector's."),
  admitted_by: z.enum(['enrollment', 'shared_token']),
  enrollment_id: z.string().nullable(),
  admitted_at: z.string().nullable(),
  revoked_at: z.string().nullable(),
});

const states = { token_revoked: 'revoked', token_used_up: 'used_up', token_expired: 'expired' } as const;

export function showEnrollment(row: EnrollmentRow, now: number): z.infer<typeof enrollment> {
  const refusal = refusalOf(row, now);
  return {
    id: row.id,
    state: refusal === null ? 'active' : states[refusal.code],
    note: row.note,
    labels: row.labels,
    uses: row.uses,
    uses_max: row.usesMax,
    created_at: instantText(row.createdAt),
    created_by: row.createdBy,
    expires_at: instantText(row.expiresAt),
    revoked_at: row.revokedAt === null ? null : instantText(row.revokedAt),
  };
}

export function showAgent(row: AgentOfNode, connected: ReadonlySet<string>): z.infer<typeof agent> {
  const { agent: own } = row;
  const hasKey = own !== null && own.keySha256 !== null;
  return {
    id: row.nodeId,
    node: row.name,
    version: row.version,
    connected: connected.has(row.nodeId),
    remote_address: row.remoteAddress,
    last_heard_at: instantText(row.lastHeardAt),
    clock_skew_ms: row.clockSkewMs,
    admitted_by: hasKey ? 'enrollment' : 'shared_token',
    enrollment_id: own?.enrollmentId ?? null,
    admitted_at: hasKey ? instantText(own.admittedAt) : null,
    revoked_at: own?.revokedAt ? instantText(own.revokedAt) : null,
  };
}
