import type { Notification } from '@runnerwatch/shared/model/notification.ts';
import type { Clock } from '@runnerwatch/shared/runtime/clock.ts';
import type { Logger } from 'pino';

/** Characters of a handle; a longer one is not kept. */
export const handleLengthMax = 256;

/** The answer to one attempt. Errors are for people and hold no secret: no URL, no header, of a body at most the service's own word for an error. */
export type DeliveryOutcome =
  /**
   * `note`: what is to be known all the same, such as a recipient who could not be reached. `handle` when this message begins a
   * thread: kept with the notification, and given back with later ones of its incident.
   */
  | { readonly outcome: 'delivered'; readonly httpStatus?: number; readonly note?: string; readonly handle?: string }
  /** Trying again may help; `afterMs` when the receiver said when. */
  | { readonly outcome: 'retry'; readonly afterMs?: number; readonly error: string; readonly httpStatus?: number }
  /** Trying again cannot help until a person changes something. */
  | { readonly outcome: 'refused'; readonly error: string; readonly httpStatus?: number };

export interface DeliverOptions {
  readonly signal: AbortSignal;
  /** The handle of the last message to this receiver that began a thread about the same incident. */
  readonly thread?: string | null;
}

/** Code that speaks to one kind of service, set up for one receiver. */
export interface Notifier extends AsyncDisposable {
  /** One attempt. Never rejects; ends within the notifier's own limits, and soon after the signal aborts. */
  deliver(notification: Notification, options: DeliverOptions): Promise<DeliveryOutcome>;
  /** What people would read, without sending it; unset where that is the public body as it stands. */
  preview?(notification: Notification): Promise<Preview>;
  /** Messages about one incident follow one another, so that the second can stand below the first. */
  readonly keepsThreads?: boolean;
  /**
   * Its service keeps an object of its own for each incident, or for each alert, and has to hear of every end, also of those
   * that people are not told. Of incidents it hears, too, that somebody is on them.
   */
  readonly mirrors?: 'incident' | 'alert';
}

export interface Preview {
  readonly subject: string | null;
  readonly text: string;
  readonly html?: string;
  /** Why it is not as its template would have it. */
  readonly note?: string;
}

/** At most `count` within any `perMs`. */
export interface Rate {
  readonly count: number;
  readonly perMs: number;
}

/** What a notifier is set up with, beside its settings. */
export interface NotifierDeps {
  /** Its name in the configuration. */
  readonly receiver: string;
  readonly log: Logger;
  readonly clock: Clock;
  /** This machine's name. */
  readonly hostname: string;
  /** This process and what it may do to others. */
  readonly system: {
    readonly env: Readonly<Record<string, string | undefined>>;
    /** kill(2); a negative pid is a process group. */
    readonly kill: (pid: number, signal: string) => unknown;
  };
}
