import { hostConditions, processConditions } from '@runnerwatch/shared/conditions/catalogue.ts';
import type { Now } from '@runnerwatch/shared/conditions/condition.ts';
import type { NodeReading } from '@runnerwatch/shared/conditions/reading.ts';
import { type ConditionMemory, judgeRound } from '@runnerwatch/shared/conditions/round.ts';
import type { ConditionSettings } from '@runnerwatch/shared/conditions/settings.ts';
import type { ConditionReport } from '@runnerwatch/shared/model/condition.ts';

/** Remembers the judgments of this node from reading to reading. */
export class Judge {
  readonly #settings: ConditionSettings;
  #memory: ConditionMemory = new Map();

  constructor(settings: ConditionSettings) {
    this.#settings = settings;
  }

  /** What is worth telling after this reading: at the first one every condition, then those that changed. */
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
    return round.changed;
  }

  /** Every condition as last judged, for whoever asks afresh. */
  current(): ConditionReport[] {
    return [...this.#memory.values()].map(({ reported }) => reported);
  }
}
