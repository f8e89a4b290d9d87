import { clip, createStyle, displayWidth, neutralise, type Paint, type Terminal } from './terminal.ts';

export interface Cell {
  readonly text: string;
  readonly paint?: Paint;
}

export interface Column {
  readonly title: string;
  readonly align?: 'left' | 'right';
  /** Gives up width when the terminal is narrow; the widest gives first. Others keep theirs. */
  readonly shrinks?: boolean;
  /** Left out when even shrunk columns do not fit; the last one first. */
  readonly optional?: boolean;
}

const gap = '  ';
const shrunkColumnsMin = 8;

/** Rows under a heading, fitted to the terminal; without a terminal nothing is cut, so that `grep` and `awk` see it all. */
export function renderTable(
  columns: readonly Column[],
  rows: readonly (readonly Cell[])[],
  terminal: Terminal,
): string {
  const filled = columns.map((column, index) =>
    fill(
      column,
      rows.map((row) => row[index] ?? { text: '' }),
    ),
  );
  const shown = terminal.columns === null ? filled : fit(leaveOut(filled, terminal.columns), terminal.columns);
  const style = createStyle(terminal);
  const line = (cellOf: (column: FilledColumn) => Cell) =>
    shown
      .map((column, index) => {
        const { text, paint } = cellOf(column);
        const padded = pad(clip(text, column.width), column, index === shown.length - 1);
        return paint === undefined ? padded : style(paint, padded);
      })
      .join(gap)
      .trimEnd();
  const heading = line(({ title }) => ({ text: title.toUpperCase(), paint: 'dim' }));
  const body = rows.map((_, number) => line(({ cells }) => cells[number] ?? { text: '' }));
  return `${[heading, ...body].join('\n')}\n`;
}

/** Name and value pairs, one a line, values aligned. Empty values are left out. */
export function renderFacts(facts: readonly (readonly [string, string | null])[], terminal: Terminal): string {
  const style = createStyle(terminal);
  const shown = facts.flatMap(([name, value]) =>
    value === null || value === '' ? [] : [[name, neutralise(value)] as const],
  );
  const width = Math.max(0, ...shown.map(([name]) => name.length));
  return shown.map(([name, value]) => `  ${style('dim', name.padEnd(width))}  ${value}\n`).join('');
}

interface FilledColumn extends Column {
  readonly cells: readonly Cell[];
  readonly width: number;
}

function fill(column: Column, given: readonly Cell[]): FilledColumn {
  const cells = given.map((cell) => ({ ...cell, text: neutralise(cell.text) }));
  return {
    ...column,
    cells,
    width: Math.max(displayWidth(column.title), ...cells.map(({ text }) => displayWidth(text))),
  };
}

function pad(text: string, { width, align }: FilledColumn, isLast: boolean): string {
  const missing = ' '.repeat(Math.max(0, width - displayWidth(text)));
  if (align === 'right') return missing + text;
  return isLast ? text : text + missing;
}

function totalWidth(columns: readonly { width: number }[]): number {
  return columns.reduce((sum, { width }) => sum + width, 0) + gap.length * (columns.length - 1);
}

function leaveOut(columns: readonly FilledColumn[], total: number): readonly FilledColumn[] {
  const narrowest = columns.map((column) =>
    column.shrinks === true ? { ...column, width: Math.min(column.width, shrunkColumnsMin) } : column,
  );
  const last = columns.findLastIndex(({ optional }) => optional === true);
  if (totalWidth(narrowest) <= total || last < 0) return columns;
  return leaveOut(columns.toSpliced(last, 1), total);
}

function fit(columns: readonly FilledColumn[], total: number): FilledColumn[] {
  const widths = columns.map(({ width }) => width);
  for (let excess = totalWidth(columns) - total; excess > 0; excess -= 1) {
    const widest = columns.reduce<number | null>((found, { shrinks }, index) => {
      const width = widths[index] ?? 0;
      if (shrinks !== true || width <= shrunkColumnsMin) return found;
      return found === null || width > (widths[found] ?? 0) ? index : found;
    }, null);
    if (widest === null) break;
    widths[widest] = (widths[widest] ?? 0) - 1;
  }
  return columns.map((column, index) => ({ ...column, width: widths[index] ?? 0 }));
}
