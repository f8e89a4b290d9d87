import {
  type CSSVariablesResolver,
  createTheme,
  defaultVariantColorsResolver,
  type MantineColorsTuple,
  type VariantColorsResolver,
} from '@mantine/core';

const teal: MantineColorsTuple = [
  '#e7f6f2',
  '#d3ebe5',
  '#a9d8cd',
  '#7cc4b4',
  '#57b4a0',
  '#3fa993',
  '#2f9c86',
  '#1f7d6d',
  '#166a5c',
  '#08574b',
];
const graphite: MantineColorsTuple = [
  '#e8eaed',
  '#c3c9cf',
  '#a0a8b0',
  '#78828c',
  '#3a434c',
  '#2b333b',
  '#20272e',
  '#181e24',
  '#12171c',
  '#0c1014',
];

/** What is filled has text that is read on it in both schemes; red is our critical. */
const variantColors: VariantColorsResolver = (input) => {
  const given = defaultVariantColorsResolver(input);
  if (input.variant !== 'filled') return given;
  const critical = {
    background: 'var(--critical)',
    hover: 'color-mix(in srgb, var(--critical) 88%, var(--text))',
  };
  return { ...given, ...(input.color === 'red' ? critical : {}), color: 'var(--on-fill)' };
};

export const theme = createTheme({
  primaryColor: 'teal',
  primaryShade: { light: 7, dark: 4 },
  autoContrast: true,
  variantColorResolver: variantColors,
  colors: { teal, dark: graphite },
  fontFamily: 'ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif',
  fontFamilyMonospace: 'ui-monospace, SFMono-Regular, Menlo, Consolas, "Liberation Mono", monospace',
  defaultRadius: 'md',
  cursorType: 'pointer',
  fontSizes: { xs: '0.75rem', sm: '0.84rem', md: '0.92rem', lg: '1.05rem', xl: '1.25rem' },
  headings: { fontWeight: '620' },
});

/** Mantine's own surfaces take the colours of tokens.css. */
export const cssVariables: CSSVariablesResolver = () => {
  const surfaces = {
    '--mantine-color-body': 'var(--ground)',
    '--mantine-color-text': 'var(--text)',
    '--mantine-color-dimmed': 'var(--soft)',
    '--mantine-color-default': 'var(--surface)',
    '--mantine-color-default-border': 'var(--line)',
    '--mantine-color-default-hover': 'var(--hover)',
    '--mantine-color-anchor': 'var(--accent)',
    '--mantine-color-teal-light': 'color-mix(in srgb, var(--accent) 12%, transparent)',
    '--mantine-color-teal-light-hover': 'color-mix(in srgb, var(--accent) 18%, transparent)',
    '--mantine-color-teal-light-color': 'var(--accent)',
    '--mantine-color-placeholder': 'var(--soft)',
    '--mantine-color-error': 'var(--critical)',
  };
  return { variables: {}, light: surfaces, dark: surfaces };
};
