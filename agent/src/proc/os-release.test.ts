import { expect, it } from 'vitest';
import { parseDistribution, readDistribution } from './os-release.ts';

it('names the distribution and its number', () => {
  expect(parseDistribution('PRETTY_NAME="Debian GNU/Linux 12"\nNAME="Debian GNU/Linux"\nVERSION_ID="12"\n')).toBe(
    'Debian GNU/Linux 12',
  );
  expect(parseDistribution("NAME='Rocky Linux'\nVERSION_ID=9.4\n")).toBe('Rocky Linux 9.4');
  expect(parseDistribution('NAME="The \\"Best\\" OS"\nVERSION_ID=""\n')).toBe('The "Best" OS');
  expect(parseDistribution('NAME="Arch Linux"\n')).toBe('Arch Linux');
});

it('F044 has no name where there is no file, or nothing in it', () => {
  expect(readDistribution('/nowhere')).toBeNull();
  expect(parseDistribution('ID=none\n')).toBeNull();
});
