/** One journal entry as `journalctl -o json` prints it: fields are text; what appears several times keeps its first. */
export interface JournalEntry {
  readonly cursor: string;
  readonly at: number;
  readonly bootId: string | null;
  /** Null when the field was too long to be shown (4096 bytes, systemd's limit) or absent. */
  readonly message: string | null;
  readonly field: (name: string) => string | null;
}

/** Fields that are asked for; `__CURSOR`, the timestamps and `_BOOT_ID` always come. */
export const entryFields: readonly string[] = [
  'MESSAGE',
  'MESSAGE_ID',
  'UNIT',
  'INVOCATION_ID',
  'UNIT_RESULT',
  'EXIT_CODE',
  'EXIT_STATUS',
  'COMMAND',
  'CPU_USAGE_NSEC',
  'MEMORY_PEAK',
  'JOB_TYPE',
  'JOB_RESULT',
  '_PID',
  '_TRANSPORT',
  '_SYSTEMD_UNIT',
  '_SYSTEMD_INVOCATION_ID',
  'OBJECT_SYSTEMD_UNIT',
  'OBJECT_SYSTEMD_INVOCATION_ID',
  'COREDUMP_PID',
  'COREDUMP_COMM',
  'COREDUMP_SIGNAL',
  'COREDUMP_CGROUP',
  'COREDUMP_FILENAME',
];

/** Reads one line; null for what is no entry (systemd.journal-fields(7), "JSON" of journalctl(1)). */
export function parseEntry(line: string): JournalEntry | null {
  let raw: unknown;
  try {
    raw = JSON.parse(line);
  } catch {
    return null; // cut off or foreign; the caller counts it
  }
  if (typeof raw !== 'object' || raw === null || Array.isArray(raw)) return null;
  const fields = new Map(Object.entries(raw));
  const field = (name: string) => textOf(fields.get(name));
  const cursor = field('__CURSOR');
  const realtimeUs = Number(field('__REALTIME_TIMESTAMP') ?? Number.NaN);
  if (cursor === null || !Number.isFinite(realtimeUs)) return null;
  return { cursor, at: Math.floor(realtimeUs / 1000), bootId: field('_BOOT_ID'), message: field('MESSAGE'), field };
}

/** Text that is not UTF-8, or has control characters, comes as an array of bytes; a repeated field as an array of values. */
function textOf(value: unknown): string | null {
  if (typeof value === 'string') return value;
  if (!Array.isArray(value) || value.length === 0) return null;
  if (value.every((byte) => typeof byte === 'number')) return Buffer.from(value).toString('utf8');
  return textOf(value[0]);
}
