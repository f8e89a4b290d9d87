import { beforeEach, expect, it } from 'vitest';
import { startAlerting } from '../support/alert-rig.ts';
import { describeOnDatabases } from '../support/on-databases.ts';
import { ownRig } from '../support/own-rig.ts';

describeOnDatabases('a node on which one job after the other fails at once', (kind) => {
  const rig = ownRig(kind);
  let count = 0;
  beforeEach(async () => {
    await rig.node('n1', { name: 'gpu-1' });
  });

  /** Ends of different jobs, one second apart, up to so many seconds ago. */
  const end = async (job: string, more: { node?: string; status?: 'failed' | 'completed'; secondsAgo: number }) => {
    const { node = 'n1', status = 'failed', secondsAgo } = more;
    const ended_at = new Date(Date.now() - secondsAgo * 1000).toISOString();
    count += 1;
    await rig.taskEnded(node, `run-${count}`, { status, name: job, job, ended_at });
  };
  const failJobs = async (jobs: number, node = 'n1') => {
    for (let index = 0; index < jobs; index += 1) await end(`job-${index}`, { node, secondsAgo: 60 - index });
  };
  const states = () =>
    rig.rows<{ status: string; severity: string; reason: string; incident: string; title: string }>(`
      select a.status, a.severity, a.reason, i.status as incident, i.title
      from alerts a join incidents i on i.id = a.incident_id where a.condition = 'NodeFailsFast'`);

  it('is told once with the jobs, and is over with the next that ends well, also in the eyes of a new engine', async () => {
    {
      await using alerting = startAlerting(rig);
      await failJobs(4);
      await alerting.engine.round();
      expect(await states()).toEqual([]);
      await end('job-4', { secondsAgo: 50 });
      await end('job-5', { secondsAgo: 49 });
      await alerting.engine.round();
    }
    const fired = await states();
    await using alerting = startAlerting(rig);
    await alerting.engine.round();
    const still = await states();
    await end('job-6', { status: 'completed', secondsAgo: 40 });
    await alerting.engine.round();

    expect(fired).toMatchObject([
      { status: 'firing', severity: 'critical', incident: 'open', title: 'every job fails at once on gpu-1' },
    ]);
    expect(fired[0]?.reason).toContain('6 different jobs failed in a row');
    expect(fired[0]?.reason).toContain('job-5, job-4, job-3');
    expect(still).toEqual(fired);
    expect(await states()).toMatchObject([
      { status: 'resolved', incident: 'resolved', reason: 'a job ended well there' },
    ]);
    expect(await rig.rows(`select status from condition_states where condition = 'NodeFailsFast'`)).toEqual([
      { status: 'false' },
    ]);
    expect(
      await rig.rows(`select type from notifications where body::text like '%NodeFailsFast%' order by created_at, id`),
    ).toEqual([{ type: 'condition.fired' }, { type: 'condition.resolved' }]);
  });

  it('is not one that also does its work, nor one that no agent speaks for', async () => {
    await using alerting = startAlerting(rig);
    await rig.node('ping:ping', { name: 'ping', status: 'never_seen' });
    await failJobs(3);
    await end('well', { status: 'completed', secondsAgo: 55 });
    await end('job-3', { secondsAgo: 54 });
    await end('job-4', { secondsAgo: 53 });
    await failJobs(6, 'ping:ping');
    await alerting.engine.round();

    expect(await states()).toEqual([]);
  });

  it('is never one when the count is 0', async () => {
    await using alerting = startAlerting(rig, { engine: { fastFail: { count: 0, withinMs: 600_000 } } });
    await failJobs(8);
    await alerting.engine.round();

    expect(await states()).toEqual([]);
  });
});
