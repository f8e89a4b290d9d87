import { useComputedColorScheme } from '@mantine/core';
import { type ReactNode, useEffect, useRef } from 'react';
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import type { Tone } from '../theme/tones.ts';
import { useZone } from '../theme/zone.ts';
import classes from './chart.module.css';
import { optionsOf } from './chart-options.ts';

export interface ChartProps {
  /** What it shows, for those who cannot see it. */
  readonly label: string;
  /** Seconds since the epoch, ascending. */
  readonly times: readonly number[];
  readonly series: readonly {
    readonly name: string;
    readonly tone: Tone;
    readonly values: readonly (number | null)[];
  }[];
  readonly unit: Unit;
  readonly heightPx?: number;
  /** The top of the scale: `{ max: 100 }` for percents; by the values when left out. */
  readonly max?: number;
  readonly thresholds?: readonly { readonly value: number; readonly tone: Tone }[];
  /** Shaded, in seconds since the epoch: while something fired. */
  readonly spans?: readonly { readonly from: number; readonly to: number; readonly tone: Tone }[];
  /** Charts of one name share their cursor. */
  readonly sync?: string;
  /** From where to where it shows, in seconds since the epoch; by the times when left out. */
  readonly range?: readonly [from: number, to: number];
  /** Upright lines, in seconds since the epoch: something happened then. */
  readonly marks?: readonly { readonly at: number; readonly tone: Tone }[];
}

/** What the values are: it makes their text, and the steps of the scale. */
export type Unit = 'bytes' | 'bytes_per_s' | 'percent' | 'number';

/** Lines over time; below them what is under the cursor. */
export function Chart(props: ChartProps): ReactNode {
  const place = useRef<HTMLDivElement>(null);
  const plotted = useRef<uPlot>(null);
  const shown = useRef(props);
  shown.current = props;
  const scheme = useComputedColorScheme();
  const [zone] = useZone();
  const shape = JSON.stringify([
    props.series.map(({ name, tone }) => [name, tone]),
    props.unit,
    props.heightPx,
    props.max,
    props.sync,
  ]);
  // Made anew when its shape or its colours change; new values only redraw it.
  useEffect(() => {
    const element = place.current;
    if (element === null) return;
    const plot = new uPlot(optionsOf(shown, { element, zone }), dataOf(shown.current), element);
    plotted.current = plot;
    const resized = new ResizeObserver(() => plot.setSize({ width: element.clientWidth, height: plot.height }));
    resized.observe(element);
    return () => {
      resized.disconnect();
      plot.destroy();
    };
  }, [shape, scheme, zone]);
  useEffect(() => plotted.current?.setData(dataOf(props)), [props]);
  return <div ref={place} className={classes.chart} role="img" aria-label={props.label} />;
}

function dataOf({ times, series }: ChartProps): uPlot.AlignedData {
  return [[...times], ...series.map(({ values }) => [...values])];
}
