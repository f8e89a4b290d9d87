import { Variant } from '@jellybrick/dbus-next';
import { describe, expect, it } from 'vitest';
import { readRunState, readUnitFacts, readUnitState } from './properties.ts';

describe('properties of a unit', () => {
  it('are read as systemd types them', () => {
    const state = readUnitState({
      ActiveState: new Variant('s', 'active'),
      SubState: new Variant('s', 'running'),
      InvocationID: new Variant('ay', Buffer.from('00112233445566778899aabbccddeeff', 'hex')),
      InactiveExitTimestamp: new Variant('t', 1_795_320_000_123_456n),
      InactiveEnterTimestamp: new Variant('t', 0n),
    });

    expect(state).toEqual({
      activeState: 'active',
      subState: 'running',
      invocationId: '00112233445566778899aabbccddeeff',
      startedAt: 1_795_320_000_123,
      endedAt: null,
    });
  });

  it('are null where systemd means none: no invocation, no limit, no process, not ended', () => {
    expect(readUnitState({ InvocationID: new Variant('ay', Buffer.alloc(0)) }).invocationId).toBeNull();
    expect(readUnitState({ InvocationID: new Variant('ay', Buffer.alloc(16)) }).invocationId).toBeNull();
    expect(
      readRunState({ ExecMainCode: new Variant('i', 0), ExecMainStatus: new Variant('i', 0) }).execMain,
    ).toBeNull();
    expect(
      readUnitFacts(
        { LoadState: new Variant('s', 'not-found') },
        {
          MemoryMax: new Variant('t', 0xffff_ffff_ffff_ffffn),
          RuntimeMaxUSec: new Variant('t', 0xffff_ffff_ffff_ffffn),
          MainPID: new Variant('u', 0),
        },
      ),
    ).toEqual({
      loaded: false,
      description: null,
      cgroup: null,
      mainPid: null,
      command: null,
      user: null,
      memoryMaxBytes: null,
      runtimeMaxMs: null,
    });
  });

  it('give the last ExecStart command with its words quoted where a shell would need it', () => {
    const first = ['/bin/true', ['/bin/true'], false, 0n, 0n, 0n, 0n, 0, 0, 0];
    const last = ['/bin/sh', ['/bin/sh', '-c', "echo it's"], false, 0n, 0n, 0n, 0n, 0, 0, 0];

    expect(readUnitFacts({}, { ExecStart: new Variant('a(sasbttttuii)', [first, last]) }).command).toBe(
      `/bin/sh -c 'echo it'\\''s'`,
    );
  });

  it('are null, not a mistake, when they come as something else', () => {
    expect(readUnitState({ ActiveState: 5, InvocationID: new Variant('s', 'x') })).toMatchObject({
      activeState: null,
      invocationId: null,
    });
    expect(readUnitFacts({}, { ExecStart: new Variant('s', 'x') }).command).toBeNull();
  });
});
