import type { RefObject } from 'react';
import type uPlot from 'uplot';
import type { ChartProps } from './chart.tsx';

/** How uPlot draws a chart; what changes while it lives is read from `shown`. */
export function optionsOf(shown: RefObject<ChartProps>, element: HTMLElement): uPlot.Options {
  const { series, format, heightPx = 140, max, sync } = shown.current;
  const colour = (name: string) => computedColour(element, name);
  const axis = { stroke: colour('--soft'), grid: { stroke: colour('--line'), width: 1 }, ticks: { show: false } };
  return {
    width: element.clientWidth,
    height: heightPx,
    cursor: { y: false, ...(sync === undefined ? {} : { sync: { key: sync } }) },
    scales: { y: { range: (_, low, high) => [Math.min(0, low), max ?? topOf(high, shown.current)] } },
    axes: [
      { ...axis, size: 28, space: 70 },
      { ...axis, size: 62, space: 32, values: (_, splits) => splits.map(format) },
    ],
    series: [
      { value: (plot, seconds) => (seconds === null ? '–' : clockOf(plot, seconds)) },
      ...series.map(({ name, tone }) => ({
        label: name,
        stroke: colour(`--fill-${tone}`),
        fill: withAlpha(colour(`--fill-${tone}`), 0.13),
        width: 1.6,
        points: { show: false },
        value: (_: uPlot, value: number | null) => format(value),
      })),
    ],
    hooks: {
      drawClear: [(plot) => drawSpans(plot, shown.current, colour)],
      draw: [(plot) => drawThresholds(plot, shown.current, colour)],
    },
  };
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

/** A threshold close above the values stays in sight; one far above does not flatten them. */
function topOf(high: number | null, { thresholds = [] }: ChartProps): number {
  const top = high ?? 0;
  const near = thresholds.map(({ value }) => value).filter((value) => value < top * 2);
  return Math.max(top, ...near) * 1.08 || 1;
}

function clockOf(plot: uPlot, seconds: number): string {
  const at = plot.root.dataset['zone'] === 'utc' ? { timeZone: 'UTC' } : {};
  return new Date(seconds * 1000).toLocaleTimeString('en-GB', at);
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
