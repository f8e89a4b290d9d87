import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const tokens = readFileSync(new URL('../../collector/web/theme/tokens.css', import.meta.url), 'utf8');
const pairs = new Map(
  [...tokens.matchAll(/--([\w-]+): light-dark\((#\w{6}), (#\w{6})\)/g)].map(([, name, light, dark]) => [
    name ?? '',
    { light: rgb(light ?? ''), dark: rgb(dark ?? '') },
  ]),
);
const texts = ['text', 'soft', 'accent', 'good', 'info', 'warning', 'critical', 'memory', 'idle'];
const grounds = ['ground', 'surface', 'sunken', 'hover'];

/* WCAG 2.2, success criterion 1.4.3: 4.5:1 for text of any size. */
describe.each(['light', 'dark'] as const)('the colours of text, %s', (scheme) => {
  it.each(texts)('%s is read on every ground, and on its own tint', (name) => {
    const colour = colourOf(name, scheme);
    const behind = grounds.map((ground) => colourOf(ground, scheme));
    const tinted = behind.slice(0, 2).map((ground) => mix(colour, ground, 0.09));
    const ratios = [...behind, ...tinted].map((one) => Number(contrast(colour, one).toFixed(2)));

    expect(ratios.filter((ratio) => ratio < 4.5)).toEqual([]);
  });
});

type Rgb = readonly [number, number, number];

function colourOf(name: string, scheme: 'light' | 'dark'): Rgb {
  const pair = pairs.get(name);
  if (pair === undefined) throw new Error(`tokens.css has no --${name}`);
  return pair[scheme];
}

function rgb(hex: string): Rgb {
  const channel = (from: number) => Number.parseInt(hex.slice(from, from + 2), 16);
  return [channel(1), channel(3), channel(5)];
}

function mix([r, g, b]: Rgb, [onR, onG, onB]: Rgb, share: number): Rgb {
  const of = (over: number, under: number) => over * share + under * (1 - share);
  return [of(r, onR), of(g, onG), of(b, onB)];
}

/** WCAG 2.2, contrast ratio. */
function contrast(a: Rgb, b: Rgb): number {
  const [light = 0, dark = 0] = [luminance(a), luminance(b)].toSorted((x, y) => y - x);
  return (light + 0.05) / (dark + 0.05);
}

function luminance(colour: Rgb): number {
  const [r, g, b] = colour.map((channel) => {
    const share = channel / 255;
    return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
  }) as [number, number, number];
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
