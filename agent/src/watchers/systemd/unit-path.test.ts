import fc from 'fast-check';
import { expect, it } from 'vitest';
import { pathOfUnit, unitOfPath } from './unit-path.ts';

it('reads and writes the paths systemd uses', () => {
  expect(unitOfPath('/org/freedesktop/systemd1/unit/t1_2escope')).toBe('t1.scope');
  expect(unitOfPath('/org/freedesktop/systemd1/unit/user_401000_2eservice')).toBe('user@1000.service');
  expect(unitOfPath('/org/freedesktop/systemd1/job/7')).toBeNull();
  expect(pathOfUnit('hakuriver-task-12.scope')).toBe('/org/freedesktop/systemd1/unit/hakuriver_2dtask_2d12_2escope');
  expect(pathOfUnit('1.scope')).toBe('/org/freedesktop/systemd1/unit/_31_2escope');
});

it('gives back every unit name it wrote', () => {
  expect(unitOfPath(pathOfUnit('Übung-日本.scope'))).toBe('Übung-日本.scope');
  fc.assert(fc.property(fc.string({ minLength: 1, maxLength: 60 }), (name) => unitOfPath(pathOfUnit(name)) === name));
});
