import { describe, expect, it } from 'vitest';
import { unitCgroupOf } from './unit-cgroup.ts';

const id = 'ab'.repeat(32);

describe('the unit a cgroup belongs to', () => {
  it.each([
    ['/system.slice/t1.scope', '/system.slice/t1.scope', false],
    ['/system.slice/nginx.service', '/system.slice/nginx.service', false],
    ['/system.slice/nginx.service/workers', '/system.slice/nginx.service', false],
    [
      '/user.slice/user-1000.slice/user@1000.service/app.slice/run-r1.scope',
      '/user.slice/user-1000.slice/user@1000.service/app.slice/run-r1.scope',
      false,
    ],
    [`/system.slice/docker-${id}.scope`, `/system.slice/docker-${id}.scope`, true],
    [`/docker/${id}`, `/docker/${id}`, true],
    [`/machine.slice/libpod-${id}.scope/container`, `/machine.slice/libpod-${id}.scope`, true],
    [`/system.slice/docker-${id}.scope/system.slice/ssh.service`, `/system.slice/docker-${id}.scope`, true],
  ])('finds %s', (path, unit, isContainer) => {
    expect(unitCgroupOf(path)).toEqual({ path: unit, isContainer });
  });

  it.each(['/', '/system.slice', '/user.slice/user-1000.slice', '/../system.slice/t1.scope', ''])(
    'finds none in %j',
    (path) => {
      expect(unitCgroupOf(path)).toBeNull();
    },
  );
});
