import { hostConditions, processConditions } from '@runnerwatch/shared/conditions/catalogue.ts';
import type { Now } from '@runnerwatch/shared/conditions/condition.ts';
import type { NodeReading } from '@runnerwatch/shared/conditions/reading.ts';
import { type ConditionMemory, judgeRound } from '@runnerwatch/shared/conditions/round.ts';
import type { ConditionSettings } from '@runnerwatch/shared/conditions/settings.ts';
import type { ConditionReport } from '@runnerwatch/shared/model/condition.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';

/** Remembers the judgments of this node from reading to reading. */
export class Judge {
  readonly #settings: ConditionSettings;
  #memory: ConditionMemory = new Map();
  #firedBefore: readonly ConditionReport[];

  /** `firedBefore`: what fired when the life before this one ended. */
  constructor(settings: ConditionSettings, firedBefore: readonly ConditionReport[] = []) {
    this.#settings = settings;
    this.#firedBefore = firedBefore;
  }

  /** What is worth telling after this reading: at the first one every condition and what is not judged any more, then those that changed. */
  take(reading: NodeReading, now: Now): ConditionReport[] {
    const round = judgeRound({
      component: 'agent',
      conditions: [...hostConditions, ...processConditions],
      reading,
      settings: this.#settings,
      memory: this.#memory,
      now,
    });
    this.#memory = round.memory;
    const ended = this.#firedBefore.filter((before) => !round.changed.some((report) => isSame(report, before)));
    this.#firedBefore = [];
    return [...round.changed, ...ended.map((report) => noLongerJudged(report, now))];
  }

  /** What fires, as last told. */
  firing(): ConditionReport[] {
    return [...this.#memory.values()].filter(({ state }) => state.isFiring).map(({ reported }) => reported);
  }

  /** Every condition as last judged, for whoever asks afresh. */
  current(): ConditionReport[] {
    return [...this.#memory.values()].map(({ reported }) => reported);
  }
}

function isSame(one: ConditionReport, other: ConditionReport): boolean {
  return one.condition === other.condition && one.subject === other.subject;
}

function noLongerJudged(report: ConditionReport, now: Now): ConditionReport {
  const reason = 'not judged any more: the configuration was changed';
  return { ...report, status: 'false', reason, value: null, threshold: null, since: toInstant(now.wallMs) };
}
