/** What the address of the audit trail says. */
export interface AuditSearch {
  readonly person?: string;
}

export function auditSearch({ person }: Record<string, unknown>): AuditSearch {
  return typeof person === 'string' && person !== '' ? { person } : {};
}
