import type { Lane } from '@runnerwatch/shared/model/event.ts';

/** What the spool found or did that a person should know; the assembly turns it into a log line, a gap or `SpoolOverflow`. */
export type SpoolProblem =
  /** Bytes that fail their checksum; set aside under `quarantine/`, null when even that failed. A gap event stands in for the records. */
  | {
      readonly kind: 'damaged';
      readonly lane: Lane;
      readonly file: string;
      readonly offset: number;
      readonly sizeBytes: number;
      /** Records lost at most; 0 when only a file's header was hit. */
      readonly records: number;
      readonly quarantine: string | null;
    }
  /** The end of a file was cut back to its last whole record; at 0 bytes, a file that was only begun was removed. */
  | { readonly kind: 'torn'; readonly lane: Lane; readonly file: string; readonly sizeBytes: number }
  /** Something in the folder that is not ours to read. `aside`: where it was moved; null when it was left alone. */
  | {
      readonly kind: 'odd_file';
      readonly file: string;
      readonly what: 'symbolic_link' | 'foreign' | 'unknown_version' | 'not_a_file';
      readonly aside: string | null;
    }
  /** Numbers that should be in the folder and are not. A gap event stands in for them. */
  | { readonly kind: 'missing'; readonly lane: Lane; readonly fromSeq: number; readonly toSeq: number }
  | { readonly kind: 'cursor'; readonly what: 'missing' | 'damaged' | 'ahead'; readonly lane: Lane | null }
  /** The collector has numbers that this spool never wrote (an older copy of the folder came back): a new stream begins. */
  | { readonly kind: 'stream_renewed'; readonly why: string }
  /** The collector has less than it once acknowledged (an older copy of its database came back): it is sent again. */
  | { readonly kind: 'rewound'; readonly lane: Lane; readonly fromSeq: number; readonly toSeq: number }
  | { readonly kind: 'stale_lock'; readonly pid: number | null }
  /** Given up for want of room or for age, never acknowledged. A gap event stands in for them. */
  | {
      readonly kind: 'evicted';
      readonly lane: Lane;
      readonly fromSeq: number;
      readonly toSeq: number;
      readonly why: 'size' | 'age' | 'disk_full';
    }
  /** No room on the file system: its bytes or its inodes. */
  | { readonly kind: 'full'; readonly what: 'space' | 'inodes' }
  /** Records (or, where the lane is null, the cursor) cannot be made durable for another reason; they wait in memory. */
  | { readonly kind: 'not_durable'; readonly lane: Lane | null; readonly reason: string }
  /** Writing works again; where the lane is null, the disk has room again. */
  | { readonly kind: 'recovered'; readonly lane: Lane | null }
  /** Log tails are being left out to save room. */
  | { readonly kind: 'shedding_log_tails' }
  | { readonly kind: 'record_cut'; readonly sizeBytes: number }
  | { readonly kind: 'lock_lost'; readonly file: string };

export type ReportProblem = (problem: SpoolProblem) => void;

/** One sentence for people. */
export function describeProblem(problem: SpoolProblem): string {
  switch (problem.kind) {
    case 'damaged':
      return `${problem.sizeBytes} bytes at ${problem.offset} of ${problem.file} are damaged; at most ${problem.records} records lost, ${problem.quarantine === null ? 'and not even set aside' : `kept aside in ${problem.quarantine}`}`;
    case 'torn':
      return problem.sizeBytes === 0
        ? `${problem.file} was begun and holds nothing; removed`
        : `${problem.file} ended inside a record; ${problem.sizeBytes} bytes cut back`;
    case 'odd_file':
      return `${problem.file} is not a segment of ours (${problem.what.replaceAll('_', ' ')}); ${problem.aside === null ? 'left alone' : `moved to ${problem.aside}`}`;
    case 'missing':
      return `records ${problem.fromSeq} to ${problem.toSeq} of lane ${problem.lane} are missing from the spool`;
    case 'cursor':
      return `the spool's cursor was ${problem.what}${problem.lane === null ? '' : ` in lane ${problem.lane}`}`;
    case 'stream_renewed':
      return `the spool began a new stream: ${problem.why}`;
    case 'rewound':
      return `the collector lost records ${problem.fromSeq} to ${problem.toSeq} of lane ${problem.lane}; they are sent again`;
    case 'stale_lock':
      return `took over the spool from a process that is gone (pid ${problem.pid ?? 'unreadable'})`;
    case 'evicted':
      return `records ${problem.fromSeq} to ${problem.toSeq} of lane ${problem.lane} were given up (${problem.why.replaceAll('_', ' ')})`;
    case 'full':
      return problem.what === 'inodes'
        ? "the spool's file system has no free inodes"
        : "the spool's file system has no free space";
    case 'not_durable':
      return `${problem.lane === null ? 'the cursor' : `lane ${problem.lane}`} cannot be written (${problem.reason}); it waits in memory`;
    case 'recovered':
      return problem.lane === null
        ? "the spool's file system has room again"
        : `lane ${problem.lane} is written to disk again`;
    case 'shedding_log_tails':
      return 'the spool is running full; task ends are kept without their log tails';
    case 'record_cut':
      return `a record of ${problem.sizeBytes} bytes was cut to fit`;
    case 'lock_lost':
      return `${problem.file} no longer names this process`;
  }
}
