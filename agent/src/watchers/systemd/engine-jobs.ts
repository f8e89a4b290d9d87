import { isEngineUnit } from '../engine-units.ts';
import type { Report } from '../watcher.ts';
import { endingJobs } from './unit-track.ts';

export interface EngineJobsOptions {
  readonly report: Report;
  /** Ask for a job's type and answer with {@link EngineJobs.jobTypeKnown}. */
  readonly askJobType: (jobId: number, unit: string) => void;
}

interface EngineJob {
  readonly unit: string;
  readonly at: number;
  isStop: boolean;
}

/** Jobs of container engines' services: for as long as one that stops such a service runs, what ends there ends for it. */
export class EngineJobs {
  readonly #options: EngineJobsOptions;
  readonly #jobs = new Map<number, EngineJob>();

  constructor(options: EngineJobsOptions) {
    this.#options = options;
  }

  jobNew(jobId: number, unit: string, now: number): void {
    if (!isEngineUnit(unit)) return;
    this.#jobs.set(jobId, { unit, at: now, isStop: false });
    this.#options.askJobType(jobId, unit);
  }

  jobTypeKnown(jobId: number, type: string): void {
    const job = this.#jobs.get(jobId);
    if (job === undefined) return;
    job.isStop = endingJobs.has(type);
    if (job.isStop) this.#say(job, true, job.at);
  }

  jobRemoved(jobId: number, now: number): void {
    const job = this.#jobs.get(jobId);
    this.#jobs.delete(jobId);
    if (job?.isStop) this.#say(job, false, now);
  }

  /** The end of a job may have gone unheard: none is under way that is not said to begin. */
  forget(now: number): void {
    for (const jobId of [...this.#jobs.keys()]) this.jobRemoved(jobId, now);
  }

  #say({ unit }: EngineJob, isStopping: boolean, at: number): void {
    this.#options.report({ kind: 'engine_stopping', unit, isStopping, at });
  }
}
