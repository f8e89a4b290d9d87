/*
 * The Prometheus text format, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/): families with help and type, then their samples.
 */

export interface Family {
  readonly name: string;
  readonly help: string;
  readonly type: 'counter' | 'gauge' | 'histogram';
  /** Null values are left out: what could not be read is absent, not 0. */
  readonly samples: readonly Sample[];
}

export interface Sample {
  /** `_bucket`, `_sum`, `_count` of a histogram. */
  readonly suffix?: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly value: number | null;
}

export const prometheusContentType = 'text/plain; version=0.0.4; charset=utf-8';

export function renderFamilies(families: readonly Family[]): string {
  return families.map(renderFamily).join('');
}

/** Backslash, quote and line break are the three characters that end or break a label value. */
export function escapeLabel(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n');
}

function renderFamily({ name, help, type, samples }: Family): string {
  const lines = samples.flatMap(({ suffix = '', labels = {}, value }) => {
    if (value === null) return [];
    const pairs = Object.entries(labels).map(([label, text]) => `${label}="${escapeLabel(text)}"`);
    return [`${name}${suffix}${pairs.length === 0 ? '' : `{${pairs.join(',')}}`} ${numberText(value)}\n`];
  });
  if (lines.length === 0) return '';
  return `# HELP ${name} ${help.replaceAll('\\', '\\\\').replaceAll('\n', '\\n')}\n# TYPE ${name} ${type}\n${lines.join('')}`;
}

function numberText(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  if (!Number.isFinite(value)) return value > 0 ? '+Inf' : '-Inf';
  return String(value);
}
