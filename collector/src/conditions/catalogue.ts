import type { ConditionType } from '@runnerwatch/shared/model/condition.ts';

/** What a title is made of. */
export interface TitleFacts {
  readonly node: string;
  readonly component: string;
  readonly subject: string;
}

/** One condition as the collector speaks of it. */
export interface ConditionKind {
  readonly condition: ConditionType;
  /** An incident's title. */
  readonly title: (facts: TitleFacts) => string;
  /** Which alerts are one cause: `node` for everything that a node's silence explains, `condition` for one condition on one component. */
  readonly cause: 'node' | 'condition' | 'task';
}

const onNode = (condition: ConditionType): ConditionKind => ({
  condition,
  title: ({ node, component, subject }) =>
    `${condition} on ${node}${component === 'agent' ? '' : ` (${component})`}${subject === '' ? '' : `: ${subject}`}`,
  cause: 'condition',
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
  onNode('UnitFailed'),
  onNode('RestartLoop'),
  { condition: 'TaskFailed', title: ({ node, subject }) => `${subject} failed on ${node}`, cause: 'task' },
  onNode('TaskStalled'),
  onNode('TaskOverrun'),
  onNode('MemoryExhaustionPredicted'),
  onNode('DiskFullPredicted'),
  onNode('GpuFault'),
  onNode('ClockSkew'),
  onNode('SpoolOverflow'),
];

export function kindOf(condition: ConditionType): ConditionKind {
  return conditionKinds.find((kind) => kind.condition === condition) ?? onNode(condition);
}
