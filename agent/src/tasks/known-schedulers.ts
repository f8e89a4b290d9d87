/*
 * The names, labels and variables that workload managers give to what they start, written as rules of the configuration
 * (identify.ts): an example for people, and asked after theirs.
 */
export const knownSchedulers = [
  // HakuRiver: a scope or a container; it sets no labels.
  { match: { unit: 'hakuriver-task-*.scope' }, set: { task_id: '$1' } },
  { match: { container: 'hakuriver-task-*' }, set: { task_id: '$1' } },
  { match: { container: 'hakuriver-vps-*' }, set: { task_id: '$1' } },
  { match: { env: { HAKURIVER_TASK_ID: '*' } }, set: { task_id: '$1' } },
  // KohakuRiver defines labels, but what it starts by `docker run` has only the name.
  { match: { container: 'kohakuriver-task-*' }, set: { task_id: '$1' } },
  { match: { container: 'kohakuriver-vps-*' }, set: { task_id: '$1' } },
  { match: { label: { 'kohakuriver.task_id': '*' } }, set: { task_id: '$1' } },
  { match: { env: { KOHAKURIVER_TASK_ID: '*' } }, set: { task_id: '$1' } },
  // GitHub Actions: `svc.sh install` names the service of a runner after owner-repository and runner.
  { match: { unit: 'actions.runner.*.*.service' }, set: { project: '$1' } },
  // Its jobs know more: docs.github.com, "Variables reference".
  { match: { env: { GITHUB_RUN_ID: '*' } }, set: { task_id: '$1', owner: '${env.GITHUB_ACTOR}' } },
  { match: { env: { GITHUB_REPOSITORY: '*' } }, set: { project: '$1' } },
  { match: { env: { GITHUB_WORKFLOW: '*', GITHUB_JOB: '*' } }, set: { job: '$1/$2' } },
  // GitLab: docs.gitlab.com, "Predefined CI/CD variables reference". A project's path says more than its number below.
  { match: { env: { CI_JOB_ID: '*' } }, set: { task_id: '$1', owner: '${env.GITLAB_USER_LOGIN}' } },
  { match: { env: { CI_PROJECT_PATH: '*' } }, set: { project: '$1' } },
  { match: { env: { CI_JOB_NAME: '*' } }, set: { job: '$1' } },
  // GitLab Runner, Docker executor: the job's number is in the labels, the project's also in the name.
  { match: { label: { 'com.gitlab.gitlab-runner.job.id': '*' } }, set: { task_id: '$1' } },
  { match: { label: { 'com.gitlab.gitlab-runner.project.id': '*' } }, set: { project: '$1' } },
  { match: { container: 'runner-*-project-*-concurrent-*' }, set: { project: '$2' } },
  // Slurm keeps the steps of all jobs below one scope (cgroup v2; with several slurmd on a node it has the node's name), or in a tree of its own (v1).
  { match: { cgroup: '*slurmstepd.scope/job_*/*' }, set: { task_id: '$2' } },
  { match: { cgroup: '*slurmstepd.scope/job_*' }, set: { task_id: '$2' } },
  { match: { cgroup: '/slurm*/uid_*/job_*/*' }, set: { task_id: '$3' } },
  { match: { cgroup: '/slurm*/uid_*/job_*' }, set: { task_id: '$3' } },
  // sbatch(1) and srun(1), "OUTPUT ENVIRONMENT VARIABLES".
  { match: { env: { SLURM_JOB_ID: '*' } }, set: { task_id: '$1', owner: '${env.SLURM_JOB_USER}' } },
  { match: { env: { SLURM_JOB_NAME: '*' } }, set: { job: '$1' } },
  { match: { env: { SLURM_JOB_ACCOUNT: '*' } }, set: { project: '$1' } },
  // Docker Compose, and Podman's of the same labels.
  { match: { label: { 'com.docker.compose.project': '*' } }, set: { project: '$1' } },
  { match: { label: { 'com.docker.compose.service': '*' } }, set: { job: '$1' } },
] as const;

/**
 * A container of a GitHub Actions job: the runner names it by 32 hex digits, image and 6 hex digits, and gives it a label of
 * 6 hex digits without a value, by which it finds its own again.
 */
export function isGitHubJobContainer(name: string | null, labels: Readonly<Record<string, string>>): boolean {
  return (
    name !== null &&
    /^[0-9a-f]{32}_\w*_?[0-9a-f]{6}$/.test(name) &&
    Object.entries(labels).some(([label, value]) => value === '' && /^[0-9a-f]{6}$/.test(label))
  );
}
