import type { Condition, Measurement } from './condition.ts';
import { type ProcessSubject, ruleSubjects, SELF } from './judged-processes.ts';
import { ratioLevel } from './settings.ts';
import { twice } from './severity.ts';
import { numberText, percentText } from './wording.ts';

/** CPU of any one process of a rule, or of our own process, over the last interval, in percent of one core. */
export const processHighCpu: Condition = {
  type: 'ProcessHighCPU',
  measure(reading, settings) {
    const cpuPercent = reading.sample.self.cpu_percent;
    const own = { pid: 0, name: 'own process', rssBytes: 0, cpuPercent };
    const subjects: ProcessSubject[] = [
      { subject: SELF, limits: settings.self, processes: [own] },
      ...ruleSubjects(reading, settings),
    ];
    return subjects.map(measurement).filter((found) => found !== null);
  },
};

function measurement({ subject, limits, processes }: ProcessSubject): Measurement | null {
  if (limits.highCpuPercent === null) return null;
  const level = ratioLevel({ threshold: limits.highCpuPercent, forMs: limits.forMs });
  const items = (processes ?? []).flatMap(({ name, pid, cpuPercent: value }) => {
    if (value === null) return [];
    const who = pid === 0 ? name : `${name} (pid ${pid})`;
    return [{ value, text: `${who} ${percentText(value, level.threshold)} CPU` }];
  });
  // A process seen for the first time has no rate yet: with others measured beside it that is no reason to doubt them.
  const isUnread = items.length === 0 && processes?.length !== 0;
  return {
    subject,
    level,
    criticalAbove: twice(level.threshold),
    items,
    missing: isUnread ? ['process CPU'] : [],
    absent: 'no process matches',
    limit: `threshold ${numberText(level.threshold)}%`,
  };
}
