import { randomUUID } from 'node:crypto';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { toInstant } from '@runnerwatch/shared/model/instant.ts';
import { createRedact } from '@runnerwatch/shared/redact/redact.ts';
import { finishLog, finishText } from '../logs/finish.ts';
import { LineTail } from '../logs/line-tail.ts';
import { readBootId } from '../proc/boot-id.ts';
import { readPidCgroup, readPidStat } from '../proc/pid-stat.ts';
import { processTree } from '../proc/process-tree.ts';
import type { BegunFacts, EndedFacts, FactFile } from '../watchers/inbox/fact-file.ts';
import { helpText, parseArguments, type RunArguments } from './arguments.ts';
import { type CommandEnd, startCommand } from './command.ts';
import { createFactWriter, type InboxCandidate } from './fact-writer.ts';
import type { Host } from './host.ts';
import { largestPeakBytes, waitedCpuMs } from './process-tree.ts';
import { findAgents } from './rendezvous.ts';
import { showOutput } from './sign-of-life.ts';
import { relaySignals } from './signals.ts';
import { limitTime } from './time-limit.ts';

const LOG_LINES = 100;
const LOG_LINE_BYTES = 8192;
const LOG_TAIL_BYTES = 256 * 1024;
const COMMAND_LENGTH = 4096;

const NOT_FOUND = 127;
const NOT_EXECUTABLE = 126;
const WRONG_OPTIONS = 125;
const TIMED_OUT = 124;

/** `runnerwatch run`: the exit code to leave with. Nothing about the facts ever keeps the command from running. */
export async function run(words: readonly string[], host: Host): Promise<number> {
  const parsed = parseArguments(words);
  if (parsed.kind === 'help') {
    host.print(helpText);
    return 0;
  }
  if (parsed.kind === 'refused') {
    host.warn(`runnerwatch run: ${parsed.reason}; try: runnerwatch run --help\n`);
    return WRONG_OPTIONS;
  }
  return runCommand(parsed, host);
}

async function runCommand(options: RunArguments, host: Host): Promise<number> {
  const relay = relaySignals(host);
  const cpuBeforeMs = waitedCpuMs('/', host.pid) ?? 0;
  const tail = new LineTail({ maxLines: LOG_LINES, maxLineBytes: LOG_LINE_BYTES, maxBytes: LOG_TAIL_BYTES });
  const startedAt = Date.now();
  const command = startCommand(options.command, tail);
  // The agent's own setting by its name in the environment; its patterns are applied where it takes this over.
  const redact = createRedact({ isEnabled: host.env['RUNNERWATCH_REDACT_ENABLED'] !== 'false', patterns: [] });
  const begun = beginFacts(options, host, { pid: command.pid, startedAt });
  const facts = { ...begun, begun: { ...begun.begun, command: finishText(begun.begun.command, redact) } };
  if (command.pid !== undefined) relay.to(command.pid);
  const limit = limitTime(host, command.pid ?? host.pid, command.pid === undefined ? null : options.timeoutMs);
  const memory = watchMemory(command.pid);
  const writer = createFactWriter(inboxCandidates(options, host));
  const shown = command.isCaptured ? showOutput(tail, writer) : null;
  const isBegun = command.pid === undefined ? Promise.resolve(false) : writer.write(facts);

  const end = await command.ended;
  const endedAt = Date.now();
  limit.cancel();
  shown?.stop();
  const cpuAfterMs = waitedCpuMs('/', host.pid);
  if (end.startError !== null) host.warn(`runnerwatch run: ${end.startError.text}\n`);
  await command.outputDone;
  const ended: EndedFacts = {
    wait_status: end.waitStatus,
    timed_out: limit.isOver(),
    start_error: end.startError?.text ?? null,
    cpu_ms: cpuAfterMs === null || end.startError !== null ? null : Math.max(0, cpuAfterMs - cpuBeforeMs),
    memory_peak_bytes: memory.stop(),
    at: toInstant(endedAt),
    log_tail: command.isCaptured ? [...finishLog(tail.lines(), redact).tail] : null,
  };
  const wasBegun = await isBegun;
  const isKept = await writer.write({ ...facts, ended });
  if (!isKept && !wasBegun) {
    host.warn(
      `runnerwatch run: this run could not be recorded (${[...new Set(writer.refusals)].join('; ') || 'no data directory'})\n`,
    );
  }
  return exitCode(end, limit.isOver());
}

/** As a shell reports it; the codes of `timeout` and `env` for what they do. */
function exitCode({ waitStatus, startError }: CommandEnd, isTimedOut: boolean): number {
  if (startError !== null)
    return startError.code === 'ENOENT' || startError.code === 'ENOTDIR' ? NOT_FOUND : NOT_EXECUTABLE;
  if (isTimedOut) return TIMED_OUT;
  const status = waitStatus ?? 0;
  return (status & 0x7f) !== 0 ? 128 + (status & 0x7f) : status >> 8;
}

function beginFacts(
  options: RunArguments,
  host: Host,
  { pid, startedAt }: { pid: number | undefined; startedAt: number },
): FactFile {
  const subject = pid ?? host.pid;
  const begun: BegunFacts = {
    name: options.name,
    job: options.job,
    project: options.project,
    owner: options.owner,
    command: options.command.map(quote).join(' ').slice(0, COMMAND_LENGTH),
    pid: subject,
    start_ticks: readPidStat('/', subject)?.startTicks ?? null,
    cgroup: readPidCgroup('/', subject),
    timeout_ms: options.timeoutMs,
    started_at: toInstant(startedAt),
  };
  return {
    version: 1,
    run_id: randomUUID(),
    boot_id: readBootId('/'),
    wrapper_pid: host.pid,
    wrapper_start_ticks: readPidStat('/', host.pid)?.startTicks ?? null,
    begun,
    ended: null,
  };
}

/** Where the facts may go, best first. Named by the user: there or nowhere. */
function inboxCandidates({ dataDir }: RunArguments, { uid, env }: Host): InboxCandidate[] {
  const named = dataDir ?? env['RUNNERWATCH_DATA_DIR'];
  if (named !== undefined && named !== '') return [{ dataDir: named, mayCreate: true }];
  const agents = findAgents({ uid, xdgRuntimeDir: env['XDG_RUNTIME_DIR'] });
  const fallback = uid === 0 ? '/var/lib/runnerwatch' : userStateDir(env);
  return [
    ...agents.map((agent) => ({ dataDir: agent.dataDir, mayCreate: false })),
    ...(fallback === null ? [] : [{ dataDir: fallback, mayCreate: true }]),
  ];
}

/** Null for a user without a home, as containers have them. */
function userStateDir(env: Host['env']): string | null {
  if (env['XDG_STATE_HOME']?.startsWith('/')) return join(env['XDG_STATE_HOME'], 'runnerwatch');
  try {
    return join(homedir(), '.local', 'state', 'runnerwatch');
  } catch {
    return null;
  }
}

const MEMORY_LOOKS_MS = [20, 100, 500];
const MEMORY_EVERY_MS = 1000;

/**
 * The largest resident size any process of the command ever had, as far as was looked: the kernel keeps each process's
 * own maximum, so only what grew in the second before its end is missed. Null for a command too short to look at.
 */
function watchMemory(pid: number | undefined): { stop(): number | null } {
  let peakBytes: number | null = null;
  let looks = 0;
  let timer: NodeJS.Timeout | undefined;
  const look = () => {
    const seenBytes = largestPeakBytes('/', processTree('/', pid ?? 0));
    if (seenBytes !== null) peakBytes = Math.max(peakBytes ?? 0, seenBytes);
    arm();
  };
  const arm = () => {
    timer = setTimeout(look, MEMORY_LOOKS_MS[looks++] ?? MEMORY_EVERY_MS);
  };
  if (pid !== undefined) arm();
  return {
    stop: () => {
      clearTimeout(timer);
      return peakBytes;
    },
  };
}

function quote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
