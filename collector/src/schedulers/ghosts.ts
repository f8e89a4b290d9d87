import type { ConditionReport } from '@runnerwatch/shared/model/condition.ts';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';

/** What is there of a task that its scheduler calls running. Instants are milliseconds of the collector's clock. */
export type Presence =
  | { readonly kind: 'present' }
  /** Its node's agent is online and sees everything the task could run in, and there is no such task. */
  | { readonly kind: 'absent'; readonly nodeId: string; readonly nodeName: string; readonly endedAt: number | null }
  /** Nobody can say. */
  | { readonly kind: 'unseen' };

export interface GhostReport {
  readonly taskId: string;
  readonly nodeId: string;
  readonly report: ConditionReport;
}

interface Suspect {
  readonly nodeId: string;
  readonly since: number;
  looks: number;
  isFiring: boolean;
}

const ghostAfterMs = 5000;
/** Between two looks while something is suspected. */
const lookAgainMs = 1000;

/**
 * TaskGhost: a scheduler says that a task runs, its node says that it does not, for more than 5 s and in two looks. It is over
 * when either agrees: the task runs after all, or its scheduler does not say so any more. While nobody can say it stays.
 */
export class Ghosts {
  readonly #scheduler: string;
  readonly #suspects = new Map<string, Suspect>();

  constructor(scheduler: string) {
    this.#scheduler = scheduler;
  }

  /** What fired when the collector was last running. */
  restore(taskId: string, nodeId: string): void {
    this.#suspects.set(taskId, { nodeId, since: 0, looks: 2, isFiring: true });
  }

  /** What to report after one look. `running`: every task that its scheduler says runs. Say `told` when it is written down. */
  judge(running: ReadonlyMap<string, Presence>, now: number): GhostReport[] {
    const reports: GhostReport[] = [];
    for (const [taskId, suspect] of this.#suspects) {
      const presence = running.get(taskId);
      if (presence?.kind === 'absent' || presence?.kind === 'unseen') continue;
      const why = presence === undefined ? `${this.#scheduler} does not say so any more` : 'its node sees it run';
      if (suspect.isFiring) reports.push(this.#report(taskId, { ...suspect, status: 'false', reason: why, now }));
      else this.#suspects.delete(taskId);
    }
    for (const [taskId, presence] of running) {
      if (presence.kind !== 'absent') continue;
      const suspect = this.#suspects.get(taskId) ?? this.#suspect(taskId, presence, now);
      suspect.looks += 1;
      if (suspect.isFiring || suspect.looks < 2 || now - suspect.since <= ghostAfterMs) continue;
      const ended = presence.endedAt === null ? 'has no such task' : 'saw it end';
      const reason = `${this.#scheduler} says that task ${taskId} runs on ${presence.nodeName}; the agent there ${ended}`;
      reports.push(this.#report(taskId, { nodeId: suspect.nodeId, status: 'true', reason, now }));
    }
    return reports;
  }

  told({ taskId, report }: GhostReport): void {
    const suspect = this.#suspects.get(taskId);
    if (report.status === 'false') this.#suspects.delete(taskId);
    else if (suspect) suspect.isFiring = true;
  }

  /** When to look again for the sake of a suspicion; null without one. */
  nextLookMs(now: number): number | null {
    const open = [...this.#suspects.values()].filter(({ isFiring }) => !isFiring);
    if (open.length === 0) return null;
    const dueAt = Math.min(...open.map(({ since }) => since + ghostAfterMs + 1));
    return Math.max(lookAgainMs, dueAt - now);
  }

  #suspect(taskId: string, { nodeId, endedAt }: Extract<Presence, { kind: 'absent' }>, now: number): Suspect {
    const suspect = { nodeId, since: Math.min(now, endedAt ?? now), looks: 0, isFiring: false };
    this.#suspects.set(taskId, suspect);
    return suspect;
  }

  #report(
    taskId: string,
    { nodeId, status, reason, now }: { nodeId: string; status: 'true' | 'false'; reason: string; now: number },
  ): GhostReport {
    return {
      taskId,
      nodeId,
      report: {
        condition: 'TaskGhost',
        component: 'agent',
        subject: ghostSubject(this.#scheduler, taskId),
        status,
        severity: 'critical',
        reason,
        value: null,
        threshold: null,
        since: toInstant(now),
      },
    };
  }
}

export function ghostSubject(scheduler: string, taskId: string): string {
  return `${scheduler}/${taskId}`;
}
