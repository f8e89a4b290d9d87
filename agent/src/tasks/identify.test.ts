import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { type IdentifiableRun, type IdentifyRule, identify, identifyRule, variablesOf } from './identify.ts';
import { countStars, takeByGlob } from './name-glob.ts';

const nodeId = '0b8f9f0e-0000-4000-8000-000000000001';
const blank: IdentifiableRun = {
  source: 'systemd',
  runKey: '0123456789abcdef0123456789abcdef',
  unit: null,
  cgroup: null,
  containerId: null,
  containerName: null,
  image: null,
  labels: {},
  description: null,
  command: null,
  user: null,
  startedAt: null,
  run: null,
};
const unit = (name: string, rest: Partial<IdentifiableRun> = {}): IdentifiableRun => ({
  ...blank,
  unit: name,
  ...rest,
});
const container = (containerName: string, rest: Partial<IdentifiableRun> = {}): IdentifiableRun => ({
  ...blank,
  source: 'docker',
  runKey: 'f00d 1700000000000',
  containerId: 'f00d',
  containerName,
  image: 'python:3.12',
  ...rest,
});
const ran = (command: string, rest: Partial<IdentifiableRun> = {}): IdentifiableRun => ({
  ...blank,
  source: 'run',
  runKey: 'r1',
  command,
  ...rest,
});
const nobody = { job: null, project: null, owner: null };
const said = (rest: Partial<NonNullable<IdentifiableRun['run']>>) => ({ run: { name: null, ...nobody, ...rest } });
const identity = (run: IdentifiableRun, rules: readonly IdentifyRule[] = []) => identify(run, { nodeId, rules });

describe('a run is known by what its scheduler calls it', () => {
  const gitLab = {
    'com.gitlab.gitlab-runner.job.id': '5501',
    'com.gitlab.gitlab-runner.project.id': '77',
    'com.gitlab.gitlab-runner.type': 'build',
  };
  const gitLabName = 'runner-t3_ab-c1-project-77-concurrent-0-0a1b2c3d-build';
  const gitHubName = '9b7b5d6f3b1e4f0a8b2a2d6b8c8d5d1e_node20alpine_9f9f9f';
  const compose = { 'com.docker.compose.project': 'shop', 'com.docker.compose.service': 'db' };

  it.each<[string, IdentifiableRun, Record<string, unknown>]>([
    [
      'a HakuRiver scope',
      unit('hakuriver-task-7123456789012345678.scope', { user: 'kim' }),
      { task_id: '7123456789012345678', name: 'hakuriver-task-7123456789012345678', ...nobody, owner: 'kim' },
    ],
    [
      'a HakuRiver scope with its command',
      unit('hakuriver-task-1.scope', { description: 'HakuRiver Task 1: python x.py' }),
      { task_id: '1', command: 'python x.py', name: 'hakuriver-task-1' },
    ],
    [
      'a HakuRiver scope described without a command',
      unit('hakuriver-task-1.scope', { description: 'HakuRiver Task 1' }),
      { task_id: '1', command: null },
    ],
    [
      'a HakuRiver container',
      container('hakuriver-task-42'),
      { task_id: '42', name: 'hakuriver-task-42', container_id: 'f00d', source: 'docker' },
    ],
    ['a HakuRiver VPS', container('hakuriver-vps-9'), { task_id: '9' }],
    [
      'a KohakuRiver container, which has no labels',
      container('kohakuriver-task-42'),
      { task_id: '42', name: 'kohakuriver-task-42', ...nobody },
    ],
    ['a KohakuRiver VPS', container('kohakuriver-vps-9'), { task_id: '9' }],
    [
      'a KohakuRiver container whose label says another number',
      container('kohakuriver-task-42', { labels: { 'kohakuriver.task_id': '43' } }),
      { task_id: '42' },
    ],
    [
      'a KohakuRiver container of another name, by its label',
      container('quirky_turing', { labels: { 'kohakuriver.task_id': '43' } }),
      { task_id: '43', name: 'quirky_turing' },
    ],
    [
      'a GitHub runner',
      unit('actions.runner.acme-web.node7.service', { user: 'gha' }),
      { project: 'acme-web', name: 'actions.runner.acme-web.node7', owner: 'gha' },
    ],
    [
      'a GitHub job container',
      container(gitHubName, { labels: { '6f3fd2': '' } }),
      { job: 'github-actions', name: gitHubName },
    ],
    ['a container that is only named like one', container(gitHubName), nobody],
    [
      'a GitLab job by its labels',
      container(gitLabName, { labels: gitLab }),
      { task_id: '5501', project: '77', name: gitLabName },
    ],
    ['a GitLab job by its name', container(gitLabName), { project: '77', job: null }],
    [
      'a GitLab job of a name we do not know, by its labels',
      container('x', { source: 'podman', labels: gitLab }),
      { task_id: '5501', project: '77', source: 'podman' },
    ],
    [
      'a Slurm job',
      ran('train', { cgroup: '/system.slice/slurmstepd.scope/job_4711/step_batch/user/task_0' }),
      { task_id: '4711', name: 'train' },
    ],
    [
      'a Slurm job on a node with several slurmd',
      ran('train', { cgroup: '/system.slice/n1_slurmstepd.scope/job_12/step_0' }),
      { task_id: '12' },
    ],
    [
      'a Slurm job seen as a whole',
      ran('train', { cgroup: '/system.slice/slurmstepd.scope/job_4711' }),
      { task_id: '4711' },
    ],
    ['a Slurm job under cgroup v1', ran('train', { cgroup: '/slurm/uid_1000/job_99/step_0' }), { task_id: '99' }],
    [
      'a container inside a Slurm job',
      container('c', { source: 'podman', cgroup: '/system.slice/slurmstepd.scope/job_8/step_0/user/libpod-1' }),
      { task_id: '8', name: 'c' },
    ],
    [
      "Slurm's scope of all jobs",
      unit('slurmstepd.scope', { cgroup: '/system.slice/slurmstepd.scope' }),
      { name: 'slurmstepd', ...nobody },
    ],
    [
      'a compose service',
      container('shop-db-1', { labels: compose }),
      { project: 'shop', job: 'db', name: 'shop-db-1' },
    ],
    [
      'a container with an empty compose label',
      container('c', { labels: { 'com.docker.compose.project': '' } }),
      { project: null },
    ],
    [
      'a plain container',
      container('quirky_turing', { command: 'python train.py' }),
      { name: 'quirky_turing', command: 'python train.py', ...nobody },
    ],
    ['a container without a name', container('', { command: 'python train.py' }), { name: 'python' }],
    [
      'a container of which only the id is known',
      container('', { containerName: null }),
      { name: 'docker-f00d 1700000' },
    ],
  ])('%s', (_, run, expected) => {
    expect(identity(run)).toMatchObject(expected);
  });
});

describe('a run is known by the environment of its main process', () => {
  const environment = (variables: Record<string, string>) => ({ environment: variables });
  const gitHub = {
    GITHUB_RUN_ID: '9876543210',
    GITHUB_REPOSITORY: 'acme/web',
    GITHUB_WORKFLOW: 'CI',
    GITHUB_JOB: 'test',
    GITHUB_ACTOR: 'ada',
  };
  const gitLab = { CI_JOB_ID: '5501', CI_PROJECT_PATH: 'acme/web', CI_JOB_NAME: 'test', GITLAB_USER_LOGIN: 'kim' };

  it.each<[string, IdentifiableRun, Record<string, unknown>]>([
    [
      'a HakuRiver task under a name of its own',
      unit('step.scope', environment({ HAKURIVER_TASK_ID: '7123456789012345678' })),
      { task_id: '7123456789012345678' },
    ],
    ['a KohakuRiver task', container('c', environment({ KOHAKURIVER_TASK_ID: '7' })), { task_id: '7' }],
    [
      'a Slurm job',
      unit('a.scope', environment({ SLURM_JOB_ID: '71', SLURM_JOB_NAME: 'train', SLURM_JOB_ACCOUNT: 'lm' })),
      { task_id: '71', job: 'train', project: 'lm', owner: null },
    ],
    [
      'the owner of a Slurm job, where the unit has another user',
      unit('a.scope', { user: 'slurm', ...environment({ SLURM_JOB_ID: '71', SLURM_JOB_USER: 'ada' }) }),
      { owner: 'ada' },
    ],
    [
      'a step of GitHub Actions',
      container('c', environment(gitHub)),
      { task_id: '9876543210', project: 'acme/web', job: 'CI/test', owner: 'ada' },
    ],
    [
      'GitHub Actions without a workflow, of which half a name is not made',
      container('c', environment({ GITHUB_REPOSITORY: 'acme/web', GITHUB_JOB: 'test' })),
      { project: 'acme/web', job: null },
    ],
    [
      'a GitLab job, whose project has a path beside the number in its labels',
      container('c', {
        labels: { 'com.gitlab.gitlab-runner.project.id': '77' },
        ...environment(gitLab),
      }),
      { task_id: '5501', project: 'acme/web', job: 'test', owner: 'kim' },
    ],
    [
      'a command under run inside a GitHub job, which says its own job',
      ran('make', { ...environment(gitHub), ...said({ job: 'build' }) }),
      { job: 'build', project: 'acme/web' },
    ],
    ['other variables', unit('a.scope', environment({ HOME: '/root', TASK_ID: '1' })), nobody],
  ])('%s', (_, run, expected) => {
    expect(identity(run)).toMatchObject(expected);
  });

  it('reads no variable that no rule names', () => {
    const own = { match: { env: { TEAM: 'ml-*' } }, set: { project: '$1', job: '${env.JOB_TITLE}' } };

    expect([...variablesOf([])].toSorted()).toEqual([
      'CI_JOB_ID',
      'CI_JOB_NAME',
      'CI_PROJECT_PATH',
      'GITHUB_ACTOR',
      'GITHUB_JOB',
      'GITHUB_REPOSITORY',
      'GITHUB_RUN_ID',
      'GITHUB_WORKFLOW',
      'GITLAB_USER_LOGIN',
      'HAKURIVER_TASK_ID',
      'KOHAKURIVER_TASK_ID',
      'SLURM_JOB_ACCOUNT',
      'SLURM_JOB_ID',
      'SLURM_JOB_NAME',
      'SLURM_JOB_USER',
    ]);
    expect([...variablesOf([own])].filter((name) => !variablesOf([]).has(name)).toSorted()).toEqual([
      'JOB_TITLE',
      'TEAM',
    ]);
    expect(identity(unit('a.scope', environment({ TEAM: 'ml-vision', JOB_TITLE: 'fit' })), [own])).toMatchObject({
      project: 'vision',
      job: 'fit',
    });
  });
});

describe('a run without a scheduler is known by its unit or its command', () => {
  it.each<[string, IdentifiableRun, Record<string, unknown>]>([
    [
      'a scope without a name',
      unit('run-r0123456789abcdef0123456789abcdef.scope', { description: '/usr/bin/python3 train.py --epochs 3' }),
      { name: 'python3', command: '/usr/bin/python3 train.py --epochs 3', ...nobody },
    ],
    [
      'a scope without a name of a newer systemd',
      unit('run-p4242-i9.scope', { description: '[systemd-run] /usr/bin/make all' }),
      { name: 'make', command: '/usr/bin/make all' },
    ],
    [
      'a scope without a name or a command',
      unit('run-rab12.scope', { description: 'Nightly backup' }),
      { name: 'run-rab12.scope', command: null },
    ],
    [
      'a service without a name',
      unit('run-u12.service', { command: "/bin/sh -c 'exit 7'", description: '/bin/sh -c exit 7' }),
      { name: 'sh', command: "/bin/sh -c 'exit 7'" },
    ],
    [
      'a command with a quoted path',
      unit('run-u13.service', { command: "'/opt/my tools/fit' --fast" }),
      { name: 'fit' },
    ],
    [
      'a named scope',
      unit('train.scope', { description: 'train.scope' }),
      { name: 'train', command: null, unit: 'train.scope' },
    ],
    [
      'a named scope that systemd-run described',
      unit('train.scope', { description: '/usr/bin/python3 train.py' }),
      { name: 'train', command: '/usr/bin/python3 train.py' },
    ],
    [
      "a service, whose description is its author's",
      unit('web.service', { description: '/srv and more' }),
      { name: 'web', command: null },
    ],
    ['an instance of a service', unit('backup@db.service'), { name: 'backup@db' }],
    ['a unit of a person', unit('nightly.service', { user: 'ml' }), { owner: 'ml' }],
    ['a unit of root, which is nobody in particular', unit('nightly.service', { user: 'root' }), { owner: null }],
    ['a unit of user 0', unit('nightly.service', { user: '0' }), { owner: null }],
    ['a run by its command', ran('/usr/bin/make test'), { name: 'make', command: '/usr/bin/make test', source: 'run' }],
    [
      'a run in the session of a person, by its command and not by the session',
      ran('make', { unit: 'session-3.scope' }),
      { name: 'make', unit: 'session-3.scope' },
    ],
    [
      'a run that says it all itself',
      ran('make', said({ name: 'n', job: 'j', project: 'p', owner: 'o' })),
      { name: 'n', job: 'j', project: 'p', owner: 'o' },
    ],
    [
      'a run that names its owner although a user is known',
      ran('make', { user: 'ml', ...said({ owner: 'kim' }) }),
      { owner: 'kim' },
    ],
    ['a run without any name', ran(' '), { name: 'run-r1' }],
    [
      'a start that is known',
      unit('a.scope', { startedAt: 1_700_000_000_123 }),
      { started_at: '2023-11-14T22:13:20.123Z' },
    ],
    ['a start that is not known', unit('a.scope'), { started_at: null }],
  ])('%s', (_, run, expected) => {
    expect(identity(run)).toMatchObject(expected);
  });

  it('has its own id for a task id', () => {
    const task = identity(unit('train.scope'));

    expect(task.task_id).toBe(task.id);
  });
});

describe('rules of the configuration', () => {
  const train = unit('train-resnet-17.scope', { user: 'kim', command: '/usr/bin/python3 train.py' });
  const labelled = container('job-a', { labels: { team: 'red', 'a.b/c': 'x' } });

  it.each<[string, IdentifyRule, IdentifiableRun, Record<string, unknown>]>([
    [
      'take parts of a name',
      { match: { unit: 'train-*-*.scope' }, set: { job: '$1', task_id: '$2' } },
      train,
      { job: 'resnet', task_id: '17' },
    ],
    [
      'set words of their own',
      { match: { unit: 'train-*' }, set: { project: 'vision', name: 'training of $1' } },
      train,
      { project: 'vision', name: 'training of resnet-17.scope' },
    ],
    [
      'refer to a label',
      { match: { container: 'job-*' }, set: { owner: '${label.team}', project: '${label.a.b/c}' } },
      labelled,
      { owner: 'red', project: 'x' },
    ],
    [
      'refer to the whole of a thing',
      { match: { unit: '*' }, set: { name: '${unit} of ${user}' } },
      train,
      { name: 'train-resnet-17.scope of kim' },
    ],
    [
      'refer to the image',
      { match: { container: 'job-*' }, set: { job: '${image}' } },
      labelled,
      { job: 'python:3.12' },
    ],
    [
      'leave a field open when a thing they refer to is not there',
      { match: { container: 'job-*' }, set: { owner: '${label.none}', job: 'x-$1' } },
      labelled,
      { owner: null, job: 'x-a' },
    ],
    [
      'leave a field open when a star took nothing',
      { match: { container: 'job-a*' }, set: { job: 'x-$1' } },
      labelled,
      { job: null },
    ],
    [
      'count stars through unit, container, command and labels',
      { match: { label: { team: 'r*' }, container: '*-a' }, set: { job: '$1', project: '$2' } },
      labelled,
      { job: 'job', project: 'ed' },
    ],
    ['match by command', { match: { command: '*python* *.py' }, set: { job: '$3' } }, train, { job: 'train' }],
    [
      'match only when every glob does',
      { match: { container: 'job-*', label: { team: 'blue' } }, set: { job: '$1' } },
      labelled,
      { job: null },
    ],
    ['match no unit that is not there', { match: { unit: '*' }, set: { job: 'x' } }, labelled, { job: null }],
    ['write a dollar sign as two', { match: { unit: '*' }, set: { job: '$$1' } }, train, { job: '$1' }],
    [
      'come before the known schedulers, which fill what they left open',
      { match: { unit: 'hakuriver-task-*.scope' }, set: { job: 'river' } },
      unit('hakuriver-task-5.scope'),
      { job: 'river', task_id: '5' },
    ],
    [
      'beat the known schedulers',
      { match: { unit: 'hakuriver-task-*.scope' }, set: { task_id: 'h$1' } },
      unit('hakuriver-task-5.scope'),
      { task_id: 'h5' },
    ],
    [
      'do not beat what the run said itself',
      { match: { command: '*' }, set: { job: 'x', project: 'y' } },
      ran('make', said({ job: 'mine' })),
      { job: 'mine', project: 'y' },
    ],
    [
      'take no property of every object for a label',
      { match: { label: { constructor: '*' } }, set: { job: 'x' } },
      labelled,
      { job: null },
    ],
  ])('%s', (...row) => {
    const [, rule, run, expected] = row;

    expect(identifyRule.parse(rule)).toEqual(rule);
    expect(identity(run, [rule])).toMatchObject(expected);
  });

  it('are asked in their order, the first to set a field wins', () => {
    const rules: IdentifyRule[] = [
      { match: { unit: 'train-*' }, set: { job: 'first' } },
      { match: { unit: '*' }, set: { job: 'second', project: 'second' } },
    ];

    expect(identity(train, rules)).toMatchObject({ job: 'first', project: 'second' });
  });

  it.each<[string, unknown, string]>([
    ['an empty match', { match: {}, set: { job: 'x' } }, 'match is empty'],
    ['an empty set', { match: { unit: '*' }, set: {} }, 'set is empty'],
    [
      'a star that is not there',
      { match: { unit: 'a*' }, set: { job: '$2' } },
      '$2 refers to nothing: match has 1 of *',
    ],
    ['a star before the first', { match: { unit: 'a*' }, set: { job: '$0' } }, '$0 refers to nothing'],
    ['a word that is none', { match: { unit: 'a*' }, set: { job: '${machine}' } }, '${machine} refers to nothing'],
    ['a label without a name', { match: { unit: 'a*' }, set: { job: '${label.}' } }, '${label.} refers to nothing'],
    ['a dollar sign alone', { match: { unit: 'a*' }, set: { job: 'a$' } }, '$ refers to nothing'],
    ['an unknown key', { match: { unit: 'a*', host: 'x' }, set: { job: 'x' } }, 'host'],
    ['an empty glob', { match: { unit: '' }, set: { job: 'x' } }, 'expected text that is not empty'],
  ])('are refused for %s', (_, rule, fault) => {
    const { error } = identifyRule.safeParse(rule);

    expect(JSON.stringify(error?.issues)).toContain(fault);
  });
});

describe('the id of a run', () => {
  const id = (run: IdentifiableRun, node = nodeId) => identify(run, { nodeId: node, rules: [] }).id;
  const first = unit('a.scope');

  it('is a UUID', () => {
    expect(id(first)).toMatch(/^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
  });

  it('is the same again after a crash, whatever else is known by then', () => {
    expect(id(unit('a.scope', { description: 'known later', startedAt: 5, cgroup: '/a' }))).toBe(id(first));
    expect(id(first)).toBe('e19aba91-0d69-8f08-a846-7fc882d17953');
  });

  it('is another on another node, from another source, of another run', () => {
    expect(id(first, 'other')).not.toBe(id(first));
    expect(id({ ...first, source: 'run' })).not.toBe(id(first));
    expect(id({ ...first, runKey: 'ffff' })).not.toBe(id(first));
  });
});

describe('a glob', () => {
  const piece = fc.string({ maxLength: 12 }).map((text) => text.replaceAll('*', ''));

  it('takes what fits, and put together again it is the text', () => {
    fc.assert(
      fc.property(
        fc.array(piece, { minLength: 1, maxLength: 6 }),
        fc.array(piece, { minLength: 5, maxLength: 5 }),
        (parts, gaps) => {
          const text = parts.map((part, at) => (at === 0 ? part : `${gaps[at - 1]}${part}`)).join('');
          const taken = takeByGlob(parts.join('*'), text);

          expect(taken).toHaveLength(parts.length - 1);
          expect(parts.map((part, at) => (at === 0 ? part : `${taken?.[at - 1]}${part}`)).join('')).toBe(text);
        },
      ),
    );
  });

  it('never throws, and says no where a regular expression says no', () => {
    const small = fc.string({ unit: fc.constantFrom('a', 'b', '*', '.', '\n'), maxLength: 10 });
    fc.assert(
      fc.property(small, small, (glob, text) => {
        const source = glob.split('*').map((part) => part.replaceAll('.', '\\.'));
        const taken = takeByGlob(glob, text);

        expect(taken !== null).toBe(new RegExp(`^${source.join('[^]*?')}$`).test(text));
        expect(taken?.length ?? countStars(glob)).toBe(countStars(glob));
      }),
    );
  });

  it('is as quick with a name made to slow it down', () => {
    const before = performance.now();

    expect(takeByGlob(`${'*a'.repeat(50)}b`, 'a'.repeat(100_000))).toBeNull();
    expect(performance.now() - before).toBeLessThan(1000);
  });
});

it('identifies whatever it is given', () => {
  const maybe = fc.option(fc.string({ maxLength: 40 }), { nil: null });
  const runs = fc.record({
    source: fc.constantFrom('systemd' as const, 'docker' as const, 'podman' as const, 'run' as const),
    runKey: fc.string(),
    unit: maybe,
    cgroup: maybe,
    containerId: maybe,
    containerName: maybe,
    image: maybe,
    labels: fc.dictionary(fc.string(), fc.string()),
    description: maybe,
    command: maybe,
    user: maybe,
    startedAt: fc.option(fc.integer({ min: 0 }), { nil: null }),
    run: fc.option(fc.record({ name: maybe, job: maybe, project: maybe, owner: maybe }), { nil: null }),
  });
  fc.assert(
    fc.property(runs, (run) => {
      const task = identity(run, [{ match: { unit: '*-*' }, set: { job: '$2' } }]);

      expect(task.task_id).not.toBe('');
      expect(task.name).not.toBeNull();
    }),
  );
});
