import type { Context } from '../context.ts';
import type { RecordingRecord } from '../records.ts';
import { renderTable } from '../table.ts';
import { bytesText, durationText, unknownText } from '../words.ts';

/** The last minutes of a task: a plot on a terminal, a table of first, least, most and last where no terminal is. */
export function renderRecording(recording: RecordingRecord, context: Context): string {
  const curves = curvesOf(recording);
  const count = Math.max(0, ...curves.map(({ values }) => values.length));
  if (count === 0) return '';
  const spanMs = count * recording.interval_ms;
  const title = context.style('bold', `Last ${durationText(spanMs)} before its end`);
  const body =
    context.terminal.columns === null ? table(curves, context) : plot(curves, { recording, count, spanMs }, context);
  return `${title}\n${missingText(recording)}${body}`;
}

type Values = readonly (number | null)[];

interface Curve {
  readonly label: string;
  readonly values: Values;
  readonly limit: number | null;
  readonly text: (value: number) => string;
  /** What the plot reaches up to; its largest value when absent. */
  readonly top: number | null;
  readonly rows: number;
}

const bytes = (value: number) => bytesText(value);
const rate = (value: number) => `${bytesText(value)}/s`;
const percent = (value: number) => `${value < 10 ? Number(value.toFixed(1)) : Math.round(value)}%`;
const plain = (value: number) => String(Number(value.toFixed(1)));

/** What is drawn, in this order. Those marked quiet are left out while they are 0 throughout. */
const drawn = [
  { of: 'task', name: 'memory_bytes', label: 'memory', text: bytes, limit: 'memory_limit_bytes', rows: 3 },
  { of: 'task', name: 'cpu_percent', label: 'cpu', text: percent },
  { of: 'task', name: 'throttled_percent', label: 'cpu throttled', text: percent, top: 100, isQuiet: true },
  { of: 'task', name: 'cpu_stall_percent', label: 'waits for cpu', text: percent, top: 100, isQuiet: true },
  { of: 'task', name: 'memory_stall_percent', label: 'for memory', text: percent, top: 100, isQuiet: true },
  { of: 'task', name: 'io_stall_percent', label: 'for disks', text: percent, top: 100, isQuiet: true },
  { of: 'task', name: 'read_bytes_per_s', label: 'reads', text: rate, isQuiet: true },
  { of: 'task', name: 'written_bytes_per_s', label: 'writes', text: rate, isQuiet: true },
  { of: 'task', name: 'processes', label: 'processes', text: plain },
  { of: 'node', name: 'memory_bytes', label: 'node memory', text: bytes, limit: 'memory_limit_bytes' },
  { of: 'node', name: 'swap_bytes', label: 'node swap', text: bytes, isQuiet: true },
  { of: 'node', name: 'cpu_percent', label: 'node cpu', text: percent, top: 100 },
  { of: 'node', name: 'memory_stall_percent', label: 'node memory wait', text: percent, top: 100, isQuiet: true },
  { of: 'node', name: 'io_stall_percent', label: 'node disk wait', text: percent, top: 100, isQuiet: true },
  { of: 'node', name: 'disk_used_percent', label: 'fullest disk', text: percent, top: 100 },
] as const satisfies readonly {
  of: 'task' | 'node';
  name: string;
  label: string;
  text: (value: number) => string;
  limit?: string;
  top?: number;
  rows?: number;
  isQuiet?: boolean;
}[];

function curvesOf(recording: RecordingRecord): Curve[] {
  return drawn.flatMap((one) => {
    const series = recording[one.of] ?? {};
    const values = series[one.name] ?? [];
    const isSilent = values.every((value) => value === null || ('isQuiet' in one && value === 0));
    if (isSilent) return [];
    const limit = 'limit' in one ? (series[one.limit]?.findLast((value) => value !== null) ?? null) : null;
    const { label, text } = one;
    const top = 'top' in one ? one.top : limit !== null && isNear(values, limit) ? limit : null;
    return [{ label, text, values, limit, top, rows: 'rows' in one ? one.rows : 1 }];
  });
}

/** A limit far above would press the whole curve flat. */
function isNear(values: Values, limit: number): boolean {
  return Math.max(...values.map((value) => value ?? 0)) * 4 >= limit;
}

function missingText({ until, complete_until: completeUntil }: RecordingRecord): string {
  if (completeUntil === undefined || completeUntil === null || completeUntil >= until) return '';
  return `  The agent was away after ${clockText(completeUntil)}; what is missing is left blank.\n`;
}

function table(curves: readonly Curve[], { terminal }: Context): string {
  const titles = ['', 'first', 'least', 'most', 'last', 'limit'];
  return renderTable(
    titles.map((title, index) => ({ title: index === 0 ? '  reading' : title, align: index === 0 ? 'left' : 'right' })),
    curves.map(({ label, values, limit, text }) => {
      const known = values.filter((value) => value !== null);
      const shown = [known[0], Math.min(...known), Math.max(...known), known.at(-1), limit ?? undefined];
      return [
        { text: `  ${label}` },
        ...shown.map((value) => ({ text: value === undefined ? unknownText : text(value) })),
      ];
    }),
    terminal,
  );
}

interface Span {
  readonly recording: RecordingRecord;
  readonly count: number;
  readonly spanMs: number;
}

const widthMax = 60;
/** Of what stands on either side of a plot. */
const labelWidth = 18;
const rangeWidth = 34;

function plot(curves: readonly Curve[], { recording, count, spanMs }: Span, { terminal, style }: Context): string {
  const room = Math.max(10, Math.min(widthMax, (terminal.columns ?? 100) - labelWidth - rangeWidth));
  const width = count >= room ? room : Math.floor(room / count) * count;
  const lines = curves.flatMap((curve) => {
    const rows = bars(spread(curve.values, width), curve);
    return rows.map((row, index) => {
      const isLast = index === rows.length - 1;
      const label = (isLast ? `  ${curve.label}` : '').padEnd(labelWidth);
      return `${label}${style('cyan', row)}${isLast ? style('dim', `  ${rangeText(curve)}`) : ''}`;
    });
  });
  const start = `-${durationText(spanMs)}`;
  const end = clockText(recording.until);
  const axis = start + end.padStart(Math.max(end.length + 1, width - start.length));
  return `${[...lines, `${' '.repeat(labelWidth)}${style('dim', axis)}`].map((line) => line.trimEnd()).join('\n')}\n`;
}

/** As many values as there are columns: the largest of those that share one, each again where there are too few. */
function spread(values: Values, width: number): Values {
  return Array.from({ length: width }, (_, column) => {
    const from = Math.floor((column * values.length) / width);
    const to = Math.max(from + 1, Math.floor(((column + 1) * values.length) / width));
    const known = values.slice(from, to).filter((value) => value !== null);
    return known.length === 0 ? null : Math.max(...known);
  });
}

const blocks = ['▁', '▂', '▃', '▄', '▅', '▆', '▇', '█'] as const;

/** Lines of text, the top one first. What was not read is blank, and nothing else is. */
function bars(values: Values, { top, rows }: Curve): string[] {
  const most = Math.max(top ?? 0, ...values.map((value) => value ?? 0));
  const levels = values.map((value) =>
    value === null ? 0 : Math.max(1, most <= 0 ? 1 : Math.round((value / most) * rows * blocks.length)),
  );
  return Array.from({ length: rows }, (_, index) => {
    const below = (rows - 1 - index) * blocks.length;
    return levels.map((level) => blocks[Math.min(level - below, blocks.length) - 1] ?? ' ').join('');
  });
}

function rangeText({ values, limit, text }: Curve): string {
  const known = values.filter((value) => value !== null);
  const [least, most] = [text(Math.min(...known)), text(Math.max(...known))];
  const range = least === most ? most : `${least} … ${most}`;
  return limit === null ? range : `${range} of ${text(limit)}`;
}

function clockText(instant: string): string {
  return `${instant.slice(11, 19)} UTC`;
}
