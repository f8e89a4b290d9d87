import { expect, it } from 'vitest';
import { CAP_SYS_PTRACE, hasCapability, isCapable } from './capabilities.ts';

it('reads one bit of what the process may use now', () => {
  const status = 'Name:\tnode\nCapPrm:\tffffffffffffffff\nCapEff:\t0000000000080000\nCapBnd:\t0000000000000000\n';

  expect(isCapable(status, CAP_SYS_PTRACE)).toBe(true);
  expect(isCapable(status, CAP_SYS_PTRACE - 1)).toBe(false);
  expect(isCapable(status, CAP_SYS_PTRACE + 1)).toBe(false);
});

it('F044 is without any where that is not told', () => {
  expect(hasCapability('/nowhere', CAP_SYS_PTRACE)).toBe(false);
  expect(isCapable('CapEff:\tnone\n', CAP_SYS_PTRACE)).toBe(false);
});
