import type { RefObject } from 'react';
import uPlot from 'uplot';
import type { Zone } from '../theme/zone.ts';
import type { ChartProps, Unit } from './chart.tsx';
import { bytesText, dash, percentText } from './texts.ts';

/** What stands left and right of the lines, so that something below them can share their axis. */
export const chartLeftPx = 64;
export const chartRightPx = 12;

/** How uPlot draws a chart; what changes while it lives is read from `shown`. */
export function optionsOf(
  shown: RefObject<ChartProps>,
  { element, zone }: { element: HTMLElement; zone: Zone },
): uPlot.Options {
  const { series, unit, heightPx = 140, max, sync } = shown.current;
  const colour = (name: string) => computedColour(element, name);
  const axis = {
    stroke: colour('--soft'),
    grid: { stroke: colour('--line'), width: 1 },
    ticks: { show: false },
    font: `11px ${getComputedStyle(element).fontFamily}`,
  };
  return {
    width: element.clientWidth,
    height: heightPx,
    ...(zone === 'utc' ? { tzDate: (seconds: number) => uPlot.tzDate(new Date(seconds * 1000), 'UTC') } : {}),
    cursor: { y: false, ...(sync === undefined ? {} : { sync: { key: sync } }) },
    padding: [null, chartRightPx, null, null],
    scales: {
      x: { range: (_, first, last) => [...(shown.current.range ?? [first, last])] },
      y: { range: (_, low, high) => [Math.min(0, low), max ?? topOf(high, shown.current)] },
    },
    axes: [
      {
        ...axis,
        size: 26,
        space: 80,
        values: (_, splits) => splits.map((seconds) => clockText(seconds, { splits, zone })),
      },
      { ...axis, size: chartLeftPx, space: 30, ...steps[unit], values: (_, splits) => splits.map(texts[unit]) },
    ],
    series: [
      { label: 'at', value: (_, seconds) => (seconds === null ? dash : clockText(seconds, { splits: [0, 1], zone })) },
      ...series.map(({ name, tone }) => ({
        label: name,
        stroke: colour(`--fill-${tone}`),
        fill: withAlpha(colour(`--fill-${tone}`), 0.13),
        width: 1.6,
        points: { show: false },
        value: (_: uPlot, value: number | null) => texts[unit](value),
      })),
    ],
    hooks: {
      drawClear: [(plot) => drawSpans(plot, shown.current, colour)],
      draw: [(plot) => drawThresholds(plot, shown.current, colour), (plot) => drawMarks(plot, shown.current, colour)],
    },
  };
}

const texts: Readonly<Record<Unit, (value: number | null) => string>> = {
  bytes: bytesText,
  bytes_per_s: (value) => (value === null ? dash : `${bytesText(value)}/s`),
  percent: percentText,
  number: (value) => (value === null ? dash : String(Number(value.toFixed(2)))),
};

const powersOfTwo = { incrs: Array.from({ length: 60 }, (_, power) => 2 ** power) };
const steps: Readonly<Record<Unit, object>> = { bytes: powersOfTwo, bytes_per_s: powersOfTwo, percent: {}, number: {} };

/** Hours and minutes; seconds where the marks are closer, the day where they are further apart. */
function clockText(seconds: number, { splits, zone }: { splits: readonly number[]; zone: Zone }): string {
  const stepS = (splits[1] ?? 0) - (splits[0] ?? 0);
  const isDays = stepS >= 86_400;
  return new Date(seconds * 1000).toLocaleString('en-GB', {
    ...(isDays ? { day: 'numeric', month: 'short' } : { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' }),
    ...(stepS < 60 ? { second: '2-digit' } : {}),
    ...(zone === 'utc' ? { timeZone: 'UTC' } : {}),
  });
}

type Colour = (name: string) => string;

function drawSpans(plot: uPlot, { spans = [] }: ChartProps, colour: Colour): void {
  const { ctx, bbox } = plot;
  for (const { from, to, tone } of spans) {
    const left = Math.max(bbox.left, plot.valToPos(from, 'x', true));
    const right = Math.min(bbox.left + bbox.width, plot.valToPos(to, 'x', true));
    ctx.fillStyle = withAlpha(colour(`--fill-${tone}`), 0.16);
    if (right > left) ctx.fillRect(left, bbox.top, right - left, bbox.height);
  }
}

function drawThresholds(plot: uPlot, { thresholds = [] }: ChartProps, colour: Colour): void {
  const { ctx, bbox } = plot;
  for (const { value, tone } of thresholds) {
    const y = Math.round(plot.valToPos(value, 'y', true)) + 0.5;
    if (y < bbox.top || y > bbox.top + bbox.height) continue;
    ctx.save();
    ctx.strokeStyle = colour(`--fill-${tone}`);
    ctx.lineWidth = 1.5;
    ctx.setLineDash([5, 4]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.restore();
  }
}

function drawMarks(plot: uPlot, { marks = [] }: ChartProps, colour: Colour): void {
  const { ctx, bbox } = plot;
  for (const { at, tone } of marks) {
    const x = Math.round(plot.valToPos(at, 'x', true));
    if (x < bbox.left || x > bbox.left + bbox.width) continue;
    ctx.fillStyle = withAlpha(colour(`--fill-${tone}`), 0.55);
    ctx.fillRect(x, bbox.top, devicePixelRatio, bbox.height);
  }
}

/** A threshold close above the values stays in sight; one far above does not flatten them. */
function topOf(high: number | null, { thresholds = [] }: ChartProps): number {
  const top = high ?? 0;
  const near = thresholds.map(({ value }) => value).filter((value) => value < top * 2);
  return Math.max(top, ...near) * 1.08 || 1;
}

/** A canvas knows no `var()` and no `light-dark()`. */
function computedColour(element: HTMLElement, name: string): string {
  const probe = document.createElement('i');
  probe.style.color = `var(${name})`;
  element.append(probe);
  const { color } = getComputedStyle(probe);
  probe.remove();
  return color;
}

/** `rgb(1, 2, 3)`, as browsers compute it, made transparent. */
function withAlpha(rgb: string, alpha: number): string {
  return rgb.replace(/^rgb\((.*)\)$/, `rgba($1, ${alpha})`);
}
