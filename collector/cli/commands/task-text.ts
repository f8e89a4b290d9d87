import type { Context } from '../context.ts';
import type { RecordingRecord, TaskRecord } from '../records.ts';
import { type Cell, renderFacts, renderTable } from '../table.ts';
import { neutralise, wrap } from '../terminal.ts';
import { agoText, bytesText, durationText, statusPaint } from '../words.ts';
import { renderRecording } from './recording-text.ts';

/** One task for a person: the verdict first, then what it rests on, what to do, its last minutes, and the end of its log. */
export function renderTask(task: TaskRecord, recording: RecordingRecord | null, context: Context): string {
  const { style, terminal } = context;
  const { verdict } = task;
  const title = `${style('bold', neutralise(task.name ?? task.id))}  ${style(statusPaint(task.status), task.status)}`;
  const summary = verdict
    ? paragraph(`${verdict.summary}${confidenceText(verdict.confidence)}`, context)
    : paragraph(unjudgedText(task), context);
  return [
    `${title}\n${summary}`,
    renderFacts(taskFacts(task, context.now()), terminal),
    verdict && verdict.evidence.length > 0 ? `${style('bold', 'Evidence')}\n${evidenceTable(task, context)}` : '',
    verdict && verdict.advice.length > 0
      ? `${style('bold', 'What to do')}\n${verdict.advice.map((text) => paragraph(text, context, '  · ')).join('')}`
      : '',
    recording === null ? '' : renderRecording(recording, context),
    linesText(task.error_excerpt ?? [], { title: 'What it said', context }),
    logText(task, context),
  ]
    .filter((part) => part !== '')
    .join('\n');
}

function confidenceText(confidence: string): string {
  if (confidence === 'proven') return '';
  return confidence === 'likely' ? ' (likely, not proven)' : ' (not known)';
}

function unjudgedText({ status }: TaskRecord): string {
  return status === 'running' ? 'It is running; there is nothing to judge yet.' : 'Nothing is known about its end.';
}

function paragraph(text: string, { terminal }: Context, mark = '  '): string {
  const width = Math.min(terminal.columns ?? 100, 100) - mark.length;
  const indent = ' '.repeat(mark.length);
  return wrap(neutralise(text), width)
    .map((line, index) => `${index === 0 ? mark : indent}${line}\n`)
    .join('');
}

function taskFacts(task: TaskRecord, now: number): [string, string | null][] {
  const peak = task.memory_peak_bytes ?? null;
  const limit = task.memory_limit_bytes ?? null;
  return [
    ['id', task.id],
    ['task id', task.task_id === task.id ? null : (task.task_id ?? null)],
    ['command', task.command ?? null],
    ['node', task.node ?? null],
    ['job', [task.project, task.job].filter(Boolean).join('/')],
    ['owner', task.owner ?? null],
    ['source', [task.source, task.unit ?? task.container_id].filter(Boolean).join(' ')],
    ...schedulerFacts(task),
    ['exit code', task.exit_code === null || task.exit_code === undefined ? null : String(task.exit_code)],
    ['signal', task.signal ?? null],
    ['error', task.error_message ?? null],
    ['started', task.started_at ? `${task.started_at} (${agoText(task.started_at, now)})` : null],
    [
      'ended',
      task.ended_at
        ? `${task.ended_at} (${task.ended_at_approximate ? 'about ' : ''}${agoText(task.ended_at, now)})`
        : null,
    ],
    ['took', task.duration_ms === null || task.duration_ms === undefined ? null : durationText(task.duration_ms)],
    ['cpu time', task.cpu_ms === null || task.cpu_ms === undefined ? null : durationText(task.cpu_ms)],
    [
      'peak memory',
      peak === null ? null : `${bytesText(peak)}${limit === null ? '' : ` of ${bytesText(limit)} allowed`}`,
    ],
    ['amended', task.amendments ? `${task.amendments} times, as better evidence arrived` : null],
  ];
}

function schedulerFacts({ scheduler }: TaskRecord): [string, string | null][] {
  if (!scheduler) return [];
  const { name, status, exit_code: exitCode, message, batch_id: batch, note } = scheduler;
  const code = exitCode === null || exitCode === undefined ? '' : `, exit code ${exitCode}`;
  return [
    ['scheduler', `${name ?? '?'} says ${status ?? '?'}${code}${message ? `: ${message}` : ''}`],
    ['corrected', note ?? null],
    ['batch', batch ?? null],
  ];
}

function evidenceTable({ verdict }: TaskRecord, { terminal }: Context): string {
  const rows = (verdict?.evidence ?? []).map(({ source, at, fact }): Cell[] => [
    { text: `  ${source}`, paint: 'cyan' },
    { text: at.slice(11, 23), paint: 'dim' },
    { text: fact },
  ]);
  return renderTable([{ title: '  seen by' }, { title: 'at (utc)' }, { title: 'fact', shrinks: true }], rows, terminal);
}

function logText(task: TaskRecord, context: Context): string {
  const lines = task.log_tail ?? [];
  const title = lines.length === 1 ? 'Last line of its log' : `Last ${lines.length} lines of its log`;
  return linesText(lines, { title, context });
}

function linesText(lines: readonly string[], { title, context }: { title: string; context: Context }): string {
  const { style } = context;
  if (lines.length === 0) return '';
  return `${style('bold', title)}\n${lines.map((line) => `  ${style('dim', '│')} ${neutralise(line)}\n`).join('')}`;
}
