import { type DestinationStream, type Level, type Logger, pino } from 'pino';

export interface LoggingOptions {
  readonly level: Level | 'silent';
  /** `json`: a line of JSON a record, for journals and collectors of logs. `text`: for a person's terminal. */
  readonly format: 'json' | 'text';
  readonly write: (line: string) => void;
}

/** The root logger of a program; subsystems take children of it. */
export function createLogger(name: string, { level, format, write }: LoggingOptions): Logger {
  const destination: DestinationStream = { write: format === 'json' ? write : (line) => write(renderText(line)) };
  return pino({ name, level, base: { name }, timestamp: pino.stdTimeFunctions.isoTime }, destination);
}

/** The logger of one part of a program, as it is named in every line: `subsystem(log, 'collector:outbox')`. */
export function subsystem(log: Logger, name: string): Logger {
  return log.child({ subsystem: name });
}

const levelNames: Readonly<Record<number, string>> = {
  10: 'TRC',
  20: 'DBG',
  30: 'INF',
  40: 'WRN',
  50: 'ERR',
  60: 'FTL',
};
const own = new Set(['level', 'time', 'name', 'msg', 'subsystem', 'err']);

/** `03:54:34 WRN collector:outbox delivery failed receiver=ops status=503` */
export function renderText(line: string): string {
  const record = JSON.parse(line) as Record<string, unknown>;
  const time = String(record['time'] ?? '').slice(11, 19);
  const where = String(record['subsystem'] ?? record['name'] ?? '');
  const facts = Object.entries(record)
    .filter(([key]) => !own.has(key))
    .map(
      ([key, value]) =>
        ` ${key}=${typeof value === 'string' && /^[\w./:@%+-]+$/.test(value) ? value : JSON.stringify(value)}`,
    );
  const error = record['err'] as { message?: string } | undefined;
  const cause = error?.message === undefined ? '' : ` error=${JSON.stringify(error.message)}`;
  return `${time} ${levelNames[Number(record['level'])] ?? '???'} ${where} ${clean(String(record['msg'] ?? ''))}${facts.join('')}${cause}\n`;
}

/** One record stays one line, and no terminal obeys it. */
function clean(text: string): string {
  return text.replace(/[\u0000-\u001f\u007f-\u009f\u202a-\u202e\u2066-\u2069]/g, '\ufffd');
}
