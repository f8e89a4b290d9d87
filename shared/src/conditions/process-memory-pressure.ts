import type { Condition, Measurement } from './condition.ts';
import { type ProcessSubject, ruleSubjects, SELF } from './judged-processes.ts';
import { ratioLevel } from './settings.ts';
import { twice } from './severity.ts';
import { bytesText } from './wording.ts';

/** Resident memory of any one process of a rule, or of our own process. */
export const processMemoryPressure: Condition = {
  type: 'ProcessMemoryPressure',
  measure(reading, settings) {
    const ownBytes = reading.sample.self.rss_bytes;
    const own = measurement(
      { subject: SELF, limits: settings.self, processes: null },
      ownBytes === null ? [] : [{ value: ownBytes, text: `own process ${bytesText(ownBytes)}` }],
    );
    const rules = ruleSubjects(reading, settings).map((subject) =>
      measurement(
        subject,
        (subject.processes ?? []).map(({ name, pid, rssBytes }) => ({
          value: rssBytes,
          text: `${name} (pid ${pid}) ${bytesText(rssBytes)}`,
        })),
      ),
    );
    return [own, ...rules].filter((found) => found !== null);
  },
};

function measurement({ subject, limits, processes }: ProcessSubject, items: Measurement['items']): Measurement | null {
  if (limits.memoryPressureBytes === null) return null;
  const level = ratioLevel({ threshold: limits.memoryPressureBytes, forMs: limits.forMs });
  return {
    subject,
    level,
    criticalAbove: twice(level.threshold),
    items,
    missing: items.length === 0 && processes === null ? ['process memory'] : [],
    absent: 'no process matches',
    limit: `threshold ${bytesText(level.threshold)}`,
  };
}
