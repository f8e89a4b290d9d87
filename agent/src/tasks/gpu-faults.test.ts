import type { ConditionReport } from '@runnerwatch/shared/model/condition.ts';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../../test/support/manual-clock.ts';
import type { GpuFault } from '../watchers/watcher.ts';
import { GpuFaults, type KnownGpuFault } from './gpu-faults.ts';

const minuteMs = 60_000;

function life(known: readonly KnownGpuFault[] = [], bootId = 'boot-1') {
  const clock = new ManualClock();
  const told: ConditionReport[] = [];
  const faults = new GpuFaults({ tell: (report) => told.push(report), known, bootId, clock });
  const see = (xid: number, more: Partial<GpuFault> = {}) =>
    faults.see(
      {
        kind: 'gpu_fault',
        xid,
        gpu: '0000:3b:00',
        pid: null,
        comm: null,
        cgroup: null,
        text: '',
        at: clock.wallMs(),
        ...more,
      },
      { isClaimed: false },
    );
  const after = async (ms: number) => {
    await clock.advance(ms);
    faults.tick();
  };
  const short = () => told.map(({ status, severity, reason }) => [status, severity, reason]);
  return { faults, told, see, after, short };
}

describe('GpuFault', () => {
  it('names GPU, fault and process', () => {
    const { see, told } = life();

    see(31, { pid: 7, comm: 'python3' });

    expect(told).toMatchObject([
      {
        condition: 'GpuFault',
        component: 'agent',
        subject: '0000:3b:00',
        status: 'true',
        severity: 'warning',
        reason: 'Xid 31: GPU memory page fault, in process 7 (python3)',
        value: 31,
      },
    ]);
  });

  it('is silent about notices, and about the same fault again and again', () => {
    const { see, told } = life();

    for (const xid of [45, 63, 31, 31, 13, 45]) see(xid);

    expect(told.map(({ value }) => value)).toEqual([31]);
  });

  it('is told again when a graver fault comes, not when a lesser does', () => {
    const { see, short } = life();

    for (const xid of [31, 79, 43]) see(xid);

    expect(short()).toEqual([
      ['true', 'warning', 'Xid 31: GPU memory page fault'],
      ['true', 'critical', 'Xid 79: GPU has fallen off the bus'],
    ]);
  });

  it("is over ten minutes after a program's last fault", async () => {
    const { see, after, short } = life();

    see(31);
    await after(9 * minuteMs);
    see(31);
    await after(9 * minuteMs);
    expect(short()).toHaveLength(1);
    await after(minuteMs);

    expect(short()[1]).toEqual(['false', 'warning', 'no fault since Xid 31']);
  });

  it('stays for a day when the GPU wants a reset', async () => {
    const { see, after, short } = life();

    see(79);
    await after(23 * 60 * minuteMs);
    expect(short()).toHaveLength(1);
    await after(60 * minuteMs);

    expect(short()[1]?.[0]).toBe('false');
  });

  it('outlives the agent, and ends with a restart of the node', () => {
    const first = life();
    first.see(79);

    const second = life(first.faults.known());
    second.faults.tick();
    const rebooted = life(first.faults.known(), 'boot-2');
    rebooted.faults.tick();

    expect(second.told).toEqual([]);
    expect(rebooted.short()).toEqual([['false', 'critical', 'the node was restarted since Xid 79']]);
    expect(rebooted.faults.known()).toEqual([]);
  });

  it('keeps GPUs apart', () => {
    const { see, told } = life();

    see(79);
    see(79, { gpu: '0000:86:00' });

    expect(told.map(({ subject }) => subject)).toEqual(['0000:3b:00', '0000:86:00']);
  });
});
