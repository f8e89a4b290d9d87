import type { EventBody } from '@runnerwatch/shared/model/event.ts';
import { failureStatuses, isBetterProven, replacesVerdict } from '@runnerwatch/shared/model/task.ts';
import { finishLog } from '../logs/finish.ts';
import type { ProcessExited } from '../watchers/watcher.ts';
import { EarlierEnds, type EarlierName } from './earlier-ends.ts';
import { handleOf } from './early-exits.ts';
import { type EndingContext, endingOf, type TaskEnded } from './ending.ts';
import { endInstantOf } from './facts-of-run.ts';
import type { LedgerOptions } from './ledger-options.ts';
import type { Run } from './run.ts';
import { type ToldEnd, ToldEnds } from './told-ends.ts';
import { memoryPointsOf, trendOf } from './verdict/trend.ts';

type Asked = 'nodeId' | 'onDisk' | 'clock' | 'redact' | 'tailOf' | 'diskOf' | 'takeRecording' | 'exitsBlindness';

export interface EndTellerOptions extends Pick<LedgerOptions, Asked> {
  /** Runs as the life before wrote them down. */
  readonly saved: readonly Run[];
  /** Another run of this name goes on. */
  readonly runsAnew: (handle: string) => boolean;
  /** What a run wrote into files of its own; null when there is none. */
  readonly linesOf: (run: Run) => readonly string[] | null;
  /** What was known around the end of a run at this instant. */
  readonly around: (
    run: Run,
    endedAt: number,
  ) => Pick<EndingContext, 'isShuttingDown' | 'engineStopping' | 'wasLost' | 'gpuFault'>;
  readonly write: (body: EventBody, after?: () => void) => void;
  /** The end of this run is on disk. */
  readonly over: (run: Run) => void;
}

/** Judges ends and writes them down: each once, and again when a later word says more of it. */
export class EndTeller {
  readonly told = new ToldEnds();
  readonly #options: EndTellerOptions;
  readonly #earlier: EarlierEnds;
  readonly #unsettled = new Set<Run>();

  constructor(options: EndTellerOptions) {
    this.#options = options;
    const { onDisk, clock } = options;
    this.#earlier = new EarlierEnds({ ...options, unproven: onDisk.unproven, nowMs: clock.monotonicMs() });
    for (const id of onDisk.ended) this.told.remember(id);
  }

  /** Ended, but not yet on disk: a later life must still ask about them. */
  unsettled(): Run[] {
    return [...this.#unsettled];
  }

  tell(run: Run): void {
    const { clock, exitsBlindness, takeRecording, write, over } = this.#options;
    const endedAt = endInstantOf(run, clock.wallMs());
    if (run.exit === null && run.isScope) run.blindness ??= exitsBlindness(endedAt);
    const recording = takeRecording(run, endedAt);
    run.memoryTrend = recording === null ? null : trendOf(memoryPointsOf(recording));
    const body = this.#ending(run);
    this.told.remember(run.identity.id);
    this.told.keep(run, body, clock.monotonicMs());
    if (this.#options.runsAnew(run.handle)) this.told.supersede(run.handle);
    this.#unsettled.add(run);
    write(body, () => {
      this.#unsettled.delete(run);
      over(run);
      // Not before: it would be on its way first, and the word of the end behind it.
      if (recording !== null && failureStatuses.includes(body.ending.status))
        write({ kind: 'task_recording', task_id: run.identity.id, recording });
    });
  }

  /** Tells an end again when what came after it says more. */
  amend({ run, body: before }: ToldEnd, take: (run: Run) => void, after?: () => void): void {
    take(run);
    const body = this.#ending(run);
    const [later, earlier] = [body.ending.verdict, before.ending.verdict];
    // What was seen in one life and what in another cannot be counted against each other.
    const isComparable = run.earlier === null || isBetterProven(later, earlier);
    if (!isComparable || !replacesVerdict(later, earlier)) return after?.();
    this.told.keep(run, body, this.#options.clock.monotonicMs());
    this.#options.write(body, after);
  }

  /** The kernel's word came after an end was told as unknown: the end is told again, proven. False when there is none such. */
  prove(exit: ProcessExited): boolean {
    const told = exit.waitStatus === null ? undefined : this.told.findUnseen(handleOf(exit.cgroup));
    if (!told) return false;
    this.amend(told, (run) => {
      run.exit = exit;
    });
    return true;
  }

  /** What is known around the ends told last has changed. */
  review(): void {
    for (const told of this.told.fresh(this.#options.clock.monotonicMs())) this.amend(told, () => {});
  }

  /** The ends by this name that the life before told and could not prove; each is found once, and is among {@link told} then. */
  recall(name: EarlierName): ToldEnd[] {
    const { clock, runsAnew } = this.#options;
    return this.#earlier.take(name).map((end) => {
      const told = this.told.recall(end, clock.monotonicMs());
      if (runsAnew(end.run.handle)) this.told.supersede(end.run.handle);
      return told;
    });
  }

  /** Once a second. */
  tick(): void {
    this.#earlier.tick(this.#options.clock.monotonicMs());
  }

  #ending(run: Run): TaskEnded {
    const { clock, tailOf, redact, diskOf, linesOf, around } = this.#options;
    const now = clock.wallMs();
    const unitTail = () => tailOf({ unit: run.handle, invocationId: run.key.slice(run.key.indexOf(':') + 1) });
    run.disk ??= diskOf(run);
    const lines = linesOf(run) ?? run.logTail ?? (run.source === 'systemd' ? unitTail() : null);
    const { tail, ...found } = finishLog(lines ?? [], redact);
    return endingOf(run, {
      now,
      logTail: lines === null ? null : tail,
      found,
      ...around(run, endInstantOf(run, now)),
    });
  }
}
