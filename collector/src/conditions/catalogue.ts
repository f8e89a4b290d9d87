import type { ConditionType, Severity } from '@runnerwatch/shared/model/condition.ts';

/** What a title is made of. */
export interface TitleFacts {
  readonly node: string;
  readonly component: string;
  readonly subject: string;
  readonly severity: Severity;
}

/** One condition as the collector speaks of it. */
export interface ConditionKind {
  readonly condition: ConditionType;
  /** An incident's title. */
  readonly title: (facts: TitleFacts) => string;
  /**
   * Which alerts are one cause: `node` for everything that a node's silence explains, `condition` for one condition on one
   * component, `unit` for one unit, `task` for one task: then a subject that is not '' is the task's id.
   */
  readonly cause: 'node' | 'condition' | 'unit' | 'task';
}

/** Whether a condition on this subject speaks of a task. */
export function isOfTask({ condition, subject }: { condition: ConditionType; subject: string }): boolean {
  return subject !== '' && kindOf(condition).cause === 'task';
}

const onNode = (condition: ConditionType): ConditionKind => ({
  condition,
  title: ({ node, component, subject }) =>
    `${condition} on ${node}${component === 'agent' ? '' : ` (${component})`}${subject === '' ? '' : `: ${subject}`}`,
  cause: 'condition',
});

const onTask = (condition: ConditionType, what: string, ofNode?: string): ConditionKind => ({
  condition,
  title: ({ node, subject }) => `${subject === '' ? (ofNode ?? condition) : `${subject} ${what}`} on ${node}`,
  cause: 'task',
});

/** Every condition that can reach a person. A new one is a line here and, when the collector judges it, a file beside this one. */
export const conditionKinds: readonly ConditionKind[] = [
  onNode('MemoryPressure'),
  onNode('HighLoad'),
  onNode('DiskPressure'),
  onNode('InodePressure'),
  onNode('ProcessMemoryPressure'),
  onNode('ProcessHighCPU'),
  { condition: 'ComponentUnreachable', title: ({ node }) => `${node} is unreachable`, cause: 'node' },
  { condition: 'UnitFailed', title: ({ node, subject }) => `${subject} is failed on ${node}`, cause: 'unit' },
  {
    condition: 'RestartLoop',
    title: ({ node, subject }) => `${subject} fails again and again on ${node}`,
    cause: 'unit',
  },
  { condition: 'NodeFailsFast', title: ({ node }) => `every job fails at once on ${node}`, cause: 'condition' },
  { condition: 'JobMissed', title: ({ subject }) => `${subject} has not started`, cause: 'condition' },
  { condition: 'JobOverlap', title: ({ subject }) => `${subject} runs too often at once`, cause: 'condition' },
  { condition: 'TaskFailed', title: ({ node, subject }) => `${subject} failed on ${node}`, cause: 'task' },
  onTask('TaskOomKill', 'lost a process for want of memory'),
  onTask('TaskStalled', 'stands still'),
  onTask('TaskOverrun', 'runs long'),
  onTask('TaskTooShort', 'ended suspiciously soon'),
  onTask('MemoryExhaustionPredicted', 'will run out of memory', 'memory will run out'),
  onNode('DiskFullPredicted'),
  onNode('GpuFault'),
  onNode('ClockSkew'),
  { condition: 'AgentCloned', title: ({ node }) => `two agents speak for ${node}`, cause: 'condition' },
  onNode('SpoolOverflow'),
  {
    condition: 'SourceBlind',
    title: ({ node, subject, severity }) =>
      `${node} ${severity === 'critical' ? 'does not hear' : 'hears less of'} ${subject}`,
    cause: 'condition',
  },
  {
    condition: 'TaskGhost',
    title: ({ node, subject }) => `${subject} is said to run on ${node}, and does not`,
    cause: 'condition',
  },
  {
    condition: 'SchedulerUnreachable',
    title: ({ subject }) => `${subject} does not tell its tasks`,
    cause: 'condition',
  },
  {
    condition: 'DeliveryFailed',
    title: ({ subject }) => `${subject} does not take notifications`,
    cause: 'condition',
  },
];

export function kindOf(condition: ConditionType): ConditionKind {
  return conditionKinds.find((kind) => kind.condition === condition) ?? onNode(condition);
}
