import type { JudgedProcess, NodeReading } from './reading.ts';
import type { ConditionSettings, ProcessLimits } from './settings.ts';

/** Our own process as a subject. */
export const SELF = 'self';

/** One subject of the process conditions: its limits and the processes it stands for; null when they could not be read. */
export interface ProcessSubject {
  readonly subject: string;
  readonly limits: ProcessLimits;
  readonly processes: readonly JudgedProcess[] | null;
}

/** The processes that the settings speak of, each rule a subject. Our own process is not among them. */
export function ruleSubjects(reading: NodeReading, settings: ConditionSettings): ProcessSubject[] {
  return settings.processRules.map((rule) => ({
    subject: rule.match.text,
    limits: rule,
    processes: reading.ruleProcesses?.find((found) => found.match === rule.match.text)?.processes ?? null,
  }));
}
