import type { ConditionReport } from '@runnerwatch/shared/model/condition.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import type { SourceState } from '@runnerwatch/shared/model/node.ts';
import { describe, expect, it } from 'vitest';
import { ManualClock } from '../../test/support/manual-clock.ts';
import { BlindSources } from './blind-sources.ts';

function rig(firing: ConditionReport[] = []) {
  const clock = new ManualClock();
  const told: string[] = [];
  let kept: readonly ConditionReport[] = firing;
  const sources = new BlindSources({
    tell: ({ subject, status, reason }) => void told.push(`${subject} ${status}: ${reason}`),
    firing: {
      load: () => kept,
      save: (now) => {
        kept = now;
      },
    },
    clock,
  });
  const see = (state: SourceState['state'], { agoMs = 0, isShort = false } = {}) => {
    const reason = state === 'seeing' ? null : 'it does not answer';
    sources.see({ name: 'docker', state, reason, since: toInstant(clock.wallMs() - agoMs) }, { isShort });
  };
  const pass = async (seconds: number) => {
    for (let second = 0; second < seconds; second += 1) {
      await clock.advance(1000);
      sources.tick();
    }
  };
  return { see, pass, told, kept: () => kept, severity: () => kept[0]?.severity };
}

describe('SourceBlind', () => {
  it('fires for a source that saw and has not for 30 s, and ends when it has seen again for a minute', async () => {
    const { see, pass, told, kept } = rig();
    see('seeing');
    await pass(100);

    see('blind');
    await pass(29);
    expect(told).toEqual([]);
    await pass(1);
    expect(told).toEqual(['docker true: ends may go unseen: it does not answer']);
    expect(kept()).toHaveLength(1);
    see('seeing');
    await pass(59);
    expect(told).toHaveLength(1);
    await pass(1);

    expect(told.slice(1)).toEqual(['docker false: docker is heard again']);
    expect(kept()).toEqual([]);
  });

  it('is quiet about a source that was never there', async () => {
    const { see, pass, told } = rig();
    see('blind');
    see('off');
    await pass(600);

    expect(told).toEqual([]);
  });

  it('is quiet about a source that is back before anybody could worry', async () => {
    const { see, pass, told } = rig();
    see('seeing');
    see('blind');
    await pass(10);
    see('degraded');
    await pass(29);
    see('seeing');
    await pass(600);

    expect(told).toEqual([]);
  });

  it('F012 warns of a source that hears less than it did for 30 s, and ends when it has heard all again for a minute', async () => {
    const { see, pass, told, severity } = rig();
    see('seeing');
    await pass(100);
    see('degraded');
    await pass(29);
    expect(told).toEqual([]);
    await pass(1);
    expect(told).toEqual(['docker true: ends may be seen late or stay unexplained: it does not answer']);
    expect(severity()).toBe('warning');
    see('seeing');
    await pass(60);

    expect(told.slice(1)).toEqual(['docker false: docker is heard again']);
  });

  it('is quiet about a source that never heard more than a part', async () => {
    const { see, pass, told } = rig();
    see('degraded');
    await pass(600);

    expect(told).toEqual([]);
  });

  it('says more when the part is lost as well, and less when it is back', async () => {
    const { see, pass, told, severity } = rig();
    see('seeing');
    see('degraded');
    await pass(40);
    see('blind');
    await pass(30);
    expect([told.length, severity()]).toEqual([2, 'critical']);
    see('degraded');
    await pass(60);
    expect([told.length, severity()]).toEqual([3, 'warning']);
    see('seeing');
    await pass(60);

    expect(told.map((words) => words.split(':')[0])).toEqual([
      'docker true',
      'docker true',
      'docker true',
      'docker false',
    ]);
  });

  it('is over when the part is back that was all there ever was', async () => {
    const { see, pass, told } = rig();
    see('degraded');
    see('blind');
    await pass(40);
    see('degraded');
    await pass(60);

    expect(told.slice(1)).toEqual(['docker false: docker is heard in part: it does not answer']);
  });

  it('F012 waits before it tells what a source that hears a part by nature is short of, and before it takes that back', async () => {
    const { see, pass, told } = rig();
    const byNature = { agoMs: 900_000 };
    see('degraded', byNature);
    await pass(10);
    see('degraded', { ...byNature, isShort: true });
    await pass(29);
    expect(told).toEqual([]);
    await pass(1);
    expect(told).toHaveLength(1);
    see('degraded', byNature);
    await pass(59);
    expect(told).toHaveLength(1);
    await pass(1);

    expect(told).toHaveLength(2);
  });

  it('F012 warns of a source that could hear more from its first moment on, over restarts, until it does', async () => {
    const first = rig();
    first.see('degraded', { isShort: true });
    await first.pass(30);
    expect(first.told).toHaveLength(1);

    const second = rig([...first.kept()]);
    second.see('degraded', { isShort: true });
    await second.pass(100);
    expect(second.told).toEqual([]);
    second.see('degraded');
    await second.pass(60);

    expect(second.told).toEqual(['docker false: docker is heard in part: it does not answer']);
  });

  it('tells a silence that was found late, though it ends at once', async () => {
    const { see, pass, told } = rig();
    see('seeing');
    await pass(100);
    see('blind', { agoMs: 35_000 });
    see('seeing');
    await pass(70);

    expect(told).toHaveLength(2);
  });

  it('fires for an engine whose socket is gone under a living agent, until a life begins without it', async () => {
    const first = rig();
    first.see('seeing');
    first.see('off');
    await first.pass(40);
    expect(first.told).toHaveLength(1);

    const second = rig([...first.kept()]);
    second.see('off');

    expect(second.told).toEqual(['docker false: docker is not there any more']);
  });

  it('goes on firing over a restart of the agent while the source is still blind, and ends in that life', async () => {
    const first = rig();
    first.see('seeing');
    first.see('blind');
    await first.pass(40);

    const second = rig([...first.kept()]);
    second.see('blind');
    await second.pass(100);
    expect(second.told).toEqual([]);
    second.see('seeing');
    await second.pass(61);

    expect(second.told).toEqual(['docker false: docker is heard again']);
  });
});
