import { expect, it } from 'vitest';
import { Budget } from './budget.ts';

const limits = { perSecond: 100, savedMax: 10 };
const unit = 16 * 1024;

it('F073 lets pass what was saved up, then asks for as long as the debt takes to pay', () => {
  const budget = new Budget(limits, 0);

  const waits = Array.from({ length: 12 }, () => budget.spend(0, 0));

  expect(waits).toEqual([...Array(10).fill(0), 10, 20]);
  expect(budget.spend(0, 30)).toBe(0);
});

it('F073 counts bytes beside frames', () => {
  const budget = new Budget(limits, 0);

  expect(budget.spend(9 * unit, 0)).toBe(0);
  expect(budget.spend(unit, 0)).toBe(20);
});

it('F073 remembers since when there is debt, until half of what may be saved is there again', () => {
  const budget = new Budget(limits, 0);
  for (let n = 0; n < 11; n += 1) budget.spend(0, 0);

  budget.spend(0, 40);
  expect(budget.inDebtSinceMs).toBe(0);
  budget.spend(0, 100);
  expect(budget.inDebtSinceMs).toBeNull();
});
