/** Failures of the last hour around one of them. */
export interface Surroundings {
  /** The job that failed, as people call it. */
  readonly job: string;
  readonly node: string;
  /** Nodes on which this job failed. */
  readonly nodes: number;
  /** Jobs that failed on this node. */
  readonly jobs: number;
}

const nodesMin = 2;
const jobsMin = 3;

/** Bad node or bad job: what the failures point at, in a sentence; null when they point at neither, or at both. */
export function findingOf({ job, node, nodes, jobs }: Surroundings): string | null {
  const isOfJob = nodes >= nodesMin;
  const isOfNode = jobs >= jobsMin;
  if (isOfJob === isOfNode) return null;
  return isOfJob
    ? `${job} failed on ${nodes} nodes within an hour: look at the job first`
    : `${jobs} jobs failed on ${node} within an hour: look at the node first`;
}
