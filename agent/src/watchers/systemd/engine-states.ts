import { isEngineUnit } from '../engine-units.ts';
import type { Report } from '../watcher.ts';
import { type Properties, readStateChange } from './properties.ts';

/** Whether the services of container engines are being stopped, by systemd's own instants. */
export class EngineStates {
  readonly #report: Report;
  readonly #stopping = new Set<string>();

  constructor(report: Report) {
    this.#report = report;
  }

  /** PropertiesChanged on `.Unit`. */
  unitChanged(unit: string, properties: Properties, now: number): void {
    const { activeState, changedAt } = readStateChange(properties);
    if (activeState !== null && isEngineUnit(unit)) this.#see(unit, activeState === 'deactivating', changedAt ?? now);
  }

  /** The connection is new: the end of a stop may have gone unheard. */
  forget(now: number): void {
    for (const unit of this.#stopping) this.#see(unit, false, now);
  }

  #see(unit: string, isStopping: boolean, at: number): void {
    if (this.#stopping.has(unit) === isStopping) return;
    if (isStopping) this.#stopping.add(unit);
    else this.#stopping.delete(unit);
    this.#report({ kind: 'engine_stopping', unit, isStopping, at });
  }
}
