import { describe, expect, it } from 'vitest';
import type { Context } from '../context.ts';
import type { RecordingRecord } from '../records.ts';
import { createStyle } from '../terminal.ts';
import { renderRecording } from './recording-text.ts';

const GiB = 1024 ** 3;

function render(recording: Partial<RecordingRecord>, columns: number | null = 100): string {
  const terminal = { columns, hasColour: false };
  const never = () => {
    throw new Error('not for drawing');
  };
  const context: Context = {
    client: never,
    print: never,
    printError: never,
    exitWith: never,
    now: never,
    terminal,
    style: createStyle(terminal),
  };
  return renderRecording({ interval_ms: 1000, until: '2026-11-22T07:34:11.250Z', ...recording }, context);
}

const growing = Array.from({ length: 60 }, (_, second) => ((second + 1) / 60) * 4 * GiB);

describe('the plot of the last minutes', () => {
  it('draws memory against its limit, the rest by its own largest value, and a time axis', () => {
    const text = render({
      task: {
        memory_bytes: growing,
        memory_limit_bytes: Array(60).fill(4 * GiB),
        cpu_percent: [null, ...Array<number>(59).fill(150)],
        io_stall_percent: Array(60).fill(0),
      },
      node: { cpu_percent: Array(60).fill(25), disk_used_percent: Array(60).fill(100) },
    });

    expect(text.split('\n')).toEqual([
      'Last 1m 00s before its end',
      '                                                   ▁▁▂▂▃▃▄▄▅▅▆▆▇▇█',
      '                                   ▁▁▂▂▃▃▄▄▅▅▆▆▇▇█████████████████',
      '  memory          ▁▁▁▂▂▃▃▄▄▅▅▆▆▇▇█████████████████████████████████  68.3 MiB … 4 GiB of 4 GiB',
      `  cpu              ${'█'.repeat(47)}  150%`,
      `  node cpu        ${'▂'.repeat(48)}  25%`,
      `  fullest disk    ${'█'.repeat(48)}  100%`,
      `                  -1m 00s${' '.repeat(29)}07:34:11 UTC`,
      '',
    ]);
  });

  it('leaves blank what was not read, and says from when on the agent was away', () => {
    const text = render({
      complete_until: '2026-11-22T07:33:41.250Z',
      task: { processes: [2, 2, null, null, 4, 4] },
    });

    expect(text).toContain('away after 07:33:41 UTC');
    expect(text).toMatch(/^ {2}processes +▄{16} {16}█{16} {2}2 … 4$/m);
  });

  it('keeps its shape under a limit far above', () => {
    const text = render({ task: { memory_bytes: [1024, 2048], memory_limit_bytes: [GiB, GiB] } });

    expect(text).toContain('█');
    expect(text).toContain('1 KiB … 2 KiB of 1 GiB');
  });

  it('fits into eighty columns and less', () => {
    const task = { memory_bytes: growing, memory_limit_bytes: Array(60).fill(4 * GiB) };

    for (const columns of [80, 72])
      expect(
        Math.max(
          ...render({ task }, columns)
            .split('\n')
            .map(({ length }) => length),
        ),
      ).toBeLessThanOrEqual(columns);
  });

  it('is a table of plain words where no terminal is', () => {
    const text = render({ task: { memory_bytes: growing, memory_limit_bytes: Array(60).fill(4 * GiB) } }, null);

    expect(text.split('\n')).toEqual([
      'Last 1m 00s before its end',
      expect.stringMatching(/^ {2}READING +FIRST +LEAST +MOST +LAST +LIMIT$/) as string,
      expect.stringMatching(/^ {2}memory +68\.3 MiB +68\.3 MiB +4 GiB +4 GiB +4 GiB$/) as string,
      '',
    ]);
  });

  it('is nothing where nothing was read', () => {
    expect([render({}), render({ task: {}, node: {} }), render({ node: { load1: [null] } })]).toEqual(['', '', '']);
  });
});
