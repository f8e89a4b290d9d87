import { readFileSync } from 'node:fs';
import {
  type ConditionSettings,
  type Level,
  type ProcessMatch,
  type ProcessRule,
  parseProcessMatch,
  percentLevel,
  ratioLevel,
} from '@runnerwatch/shared/conditions/settings.ts';
import { type LinearPattern, PatternError, readLinearPattern } from '@runnerwatch/shared/redact/linear-pattern.ts';
import { createRedact, type Redact } from '@runnerwatch/shared/redact/redact.ts';
import * as field from '@runnerwatch/shared/runtime/config-fields.ts';
import { ConfigFault, type ConfigSource, loadConfig } from '@runnerwatch/shared/runtime/load-config.ts';
import * as z from 'zod/mini';
import { hookConfig } from './hooks/config.ts';
import { identifyRule } from './tasks/identify.ts';
import type { PredictionSettings, WarningSettings } from './warnings/settings.ts';
import { defaultUnitExclude, defaultUnitInclude, unitMatcher } from './watchers/systemd/unit-globs.ts';

export const defaultConfigFile = '/etc/runnerwatch/agent.yaml';

const globs = z.optional(field.listOf(field.text));

const match = z.union(
  [
    field.text,
    z.strictObject({
      command: z.optional(field.text),
      command_line: z.optional(field.text),
      unit: z.optional(field.text),
      cgroup: z.optional(field.text),
    }),
  ],
  { error: 'expected a command name, or one of command, command_line, unit, cgroup with a pattern' },
);

const redactPattern = z.union([field.text, z.strictObject({ name: field.text, pattern: field.text })], {
  error: 'expected a pattern, or a name and a pattern',
});

/** agent.yaml, as in docs and `runnerwatch init config --runner`. Durations arrive as milliseconds, sizes as bytes. */
export const agentSchema = z.strictObject({
  collector_urls: z._default(field.listOf(field.httpUrl), ['http://127.0.0.1:4777']),
  token: z.optional(field.text),
  token_file: z.optional(field.path),
  ca_file: z.optional(field.path),
  node: z.prefault(
    z.strictObject({ name: z.optional(field.text), labels: z._default(z.record(z.string(), z.string()), {}) }),
    {},
  ),
  data_dir: z.optional(field.path),
  sample_interval: z._default(field.duration, 1000),
  heartbeat_interval: z._default(field.duration, 10_000),
  conditions: z.prefault(
    z.strictObject({
      memory_pressure_threshold: z._default(field.percent, 90),
      memory_pressure_clear: z.optional(field.percent),
      memory_pressure_for: z._default(field.duration, 0),
      high_load_multiplier: z._default(field.positive, 2),
      high_load_clear: z.optional(field.positive),
      high_load_for: z._default(field.duration, 0),
      disk_pressure_threshold: z._default(field.percent, 90),
      disk_pressure_clear: z.optional(field.percent),
      disk_pressure_for: z._default(field.duration, 0),
      inode_pressure_threshold: z._default(field.percent, 90),
      inode_pressure_clear: z.optional(field.percent),
      inode_pressure_for: z._default(field.duration, 0),
      memory_exhaustion_predicted_within: z._default(field.duration, 10 * 60_000),
      memory_exhaustion_predicted_clear: z.optional(field.duration),
      memory_exhaustion_predicted_for: z._default(field.duration, 30_000),
      disk_full_predicted_within: z._default(field.duration, 3_600_000),
      disk_full_predicted_clear: z.optional(field.duration),
      disk_full_predicted_for: z._default(field.duration, 5 * 60_000),
      task_stalled_for: z._default(field.duration, 30 * 60_000),
      task_stalled_include: globs,
      task_overrun_threshold: z._default(field.count, 80),
      unit_failed_include: z._default(field.listOf(field.text), ['*.mount', '*.swap']),
    }),
    {},
  ),
  process_conditions: z._default(
    z.array(
      z.strictObject({
        match,
        memory_pressure_bytes: z._default(field.size, 0),
        high_cpu_percent: z._default(field.count, 0),
        for: z._default(field.duration, 0),
      }),
      { error: 'expected a list of rules' },
    ),
    [],
  ),
  self: z.prefault(
    z.strictObject({ memory_pressure_bytes: z._default(field.size, 0), high_cpu_percent: z._default(field.count, 0) }),
    {},
  ),
  tasks: z.prefault(
    z.strictObject({
      systemd: z.prefault(z.strictObject({ include: globs, exclude: globs }), {}),
      containers: z.prefault(
        z.strictObject({ sockets: z.optional(field.listOf(field.path)), include: globs, exclude: globs }),
        {},
      ),
      identify: z._default(z.array(identifyRule, { error: 'expected a list of rules' }), []),
      log_lines: z._default(field.count, 100),
      log_files: z._default(field.listOf(field.path), []),
    }),
    {},
  ),
  redact: z.prefault(
    z.strictObject({ enabled: z._default(field.boolean, true), patterns: z._default(z.array(redactPattern), []) }),
    {},
  ),
  hooks: z._default(z.array(hookConfig, { error: 'expected a list of hooks' }), []),
  fallback: z.prefault(
    z.strictObject({
      webhook: z.optional(field.httpUrl),
      webhook_file: z.optional(field.path),
      secret: z.optional(field.text),
      secret_file: z.optional(field.path),
      after: z._default(field.duration, 15 * 60_000),
    }),
    {},
  ),
  recorder: z.prefault(
    z.strictObject({
      window: z._default(field.duration, 300_000),
      interval: z._default(field.duration, 1000),
    }),
    {},
  ),
  spool: z.prefault(
    z.strictObject({
      max_bytes: z._default(field.size, 256 * 1024 * 1024),
      max_age: z._default(field.duration, 7 * 86_400_000),
    }),
    {},
  ),
  log: z.prefault(
    z.strictObject({
      level: z._default(z.enum(['debug', 'info', 'warn', 'error']), 'info'),
      format: z._default(z.enum(['json', 'text']), 'json'),
    }),
    {},
  ),
});

export type AgentConfig = z.output<typeof agentSchema>;

/** A few hundred records: with less, a collector's short absence would lose ends. */
const spoolBytesMin = 1024 * 1024;

const intervals = { sample_interval: 100, heartbeat_interval: 100 } as const;

/** @throws StartFailure with file, line, key and what was expected. */
export function readAgentConfig(source: ConfigSource): AgentConfig {
  return loadConfig(agentSchema, source, (config) => {
    for (const [key, leastMs] of Object.entries(intervals)) {
      if (config[key as keyof typeof intervals] < leastMs) throw new ConfigFault(key, `expected at least ${leastMs}ms`);
    }
    if (config.collector_urls.length === 0) throw new ConfigFault('collector_urls', 'expected at least one URL');
    if (config.spool.max_bytes < spoolBytesMin) throw new ConfigFault('spool.max_bytes', 'expected at least 1MiB');
    checkRecorder(config.recorder);
    checkFallback(config.fallback);
    redactOf(config);
    conditionSettings(config);
    warningSettings(config);
    authoritiesOf(config);
  });
}

/** The text of `ca_file`. @throws ConfigFault when it cannot be read. */
export function authoritiesOf({ ca_file: path }: AgentConfig): string | undefined {
  try {
    return path === undefined ? undefined : readFileSync(path, 'utf8');
  } catch (error) {
    const { code = 'unknown reason' } = error as NodeJS.ErrnoException;
    throw new ConfigFault('ca_file', `cannot read ${path} (${code})`, { cause: error });
  }
}

/** What takes secrets out. @throws ConfigFault when a pattern is none, or cannot be matched in linear time. */
export function redactOf({ redact: { enabled, patterns } }: AgentConfig): Redact {
  return createRedact({ isEnabled: enabled, patterns: patterns.map(readPattern) });
}

function readPattern(written: AgentConfig['redact']['patterns'][number], index: number): LinearPattern {
  const { name, pattern } = typeof written === 'string' ? { name: undefined, pattern: written } : written;
  try {
    return readLinearPattern(pattern, name);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    throw new ConfigFault(`redact.patterns.${index}`, error.message, { cause: error });
  }
}

/** A reading of a task takes 40 bytes, so that even the longest window stays below 150 KB a task. */
const readingsMax = 3600;

function checkRecorder({ window, interval }: AgentConfig['recorder']): void {
  if (interval < 100) throw new ConfigFault('recorder.interval', 'expected at least 100ms');
  if (window > interval * readingsMax)
    throw new ConfigFault('recorder.window', `expected at most ${readingsMax} times recorder.interval`);
}

function checkFallback({ webhook, after }: AgentConfig['fallback']): void {
  // One from a file has not been looked at yet; what is in there is not repeated.
  if (webhook !== undefined && !field.httpUrl.safeParse(webhook).success)
    throw new ConfigFault('fallback.webhook', 'expected a URL such as https://hooks.example.org/…');
  if (after < 1000) throw new ConfigFault('fallback.after', 'expected at least 1s');
}

/** The thresholds as the judgments take them. @throws ConfigFault when a clear level lies above its threshold, or a match names nothing. */
export function conditionSettings({ conditions: c, process_conditions, self }: AgentConfig): ConditionSettings {
  return {
    memory: ordered(
      'memory_pressure',
      percentLevel({
        threshold: c.memory_pressure_threshold,
        clear: c.memory_pressure_clear,
        forMs: c.memory_pressure_for,
      }),
    ),
    load: ordered(
      'high_load',
      ratioLevel({ threshold: c.high_load_multiplier, clear: c.high_load_clear, forMs: c.high_load_for }),
    ),
    disk: ordered(
      'disk_pressure',
      percentLevel({ threshold: c.disk_pressure_threshold, clear: c.disk_pressure_clear, forMs: c.disk_pressure_for }),
    ),
    inode: ordered(
      'inode_pressure',
      percentLevel({
        threshold: c.inode_pressure_threshold,
        clear: c.inode_pressure_clear,
        forMs: c.inode_pressure_for,
      }),
    ),
    processRules: process_conditions.map((rule, index) => processRule(rule, index)),
    self: {
      memoryPressureBytes: self.memory_pressure_bytes || null,
      highCpuPercent: self.high_cpu_percent || null,
      forMs: 0,
    },
  };
}

/** The same for the early warnings. @throws ConfigFault when one would end at a nearer end than it begins, or begin past the whole limit. */
export function warningSettings({ conditions: c, tasks: { systemd } }: AgentConfig): WarningSettings {
  if (c.task_overrun_threshold >= 100)
    throw new ConfigFault('conditions.task_overrun_threshold', 'expected a percentage below 100, or 0 for off');
  return {
    memoryExhaustion: prediction('memory_exhaustion_predicted', {
      withinMs: c.memory_exhaustion_predicted_within,
      clearMs: c.memory_exhaustion_predicted_clear,
      forMs: c.memory_exhaustion_predicted_for,
    }),
    diskFull: prediction('disk_full_predicted', {
      withinMs: c.disk_full_predicted_within,
      clearMs: c.disk_full_predicted_clear,
      forMs: c.disk_full_predicted_for,
    }),
    stalled: c.task_stalled_for === 0 ? null : { forMs: c.task_stalled_for, include: c.task_stalled_include ?? null },
    overrun: c.task_overrun_threshold === 0 ? null : { threshold: c.task_overrun_threshold },
    unitFailed: {
      isTask: unitMatcher({
        include: systemd.include ?? defaultUnitInclude,
        // A failed scope is a task that ended, kept by systemd until somebody looks.
        exclude: [...(systemd.exclude ?? defaultUnitExclude), '*.scope'],
      }),
      isWatched: unitMatcher({ include: c.unit_failed_include, exclude: [] }),
    },
  };
}

function prediction(
  name: string,
  { withinMs, clearMs = withinMs * 2, forMs }: { withinMs: number; clearMs: number | undefined; forMs: number },
): PredictionSettings | null {
  if (withinMs === 0) return null;
  if (clearMs >= withinMs) return { withinMs, clearMs, forMs };
  throw new ConfigFault(`conditions.${name}_clear`, `expected at least ${name}_within`);
}

function ordered(name: string, level: Level): Level {
  if (level.clear <= level.threshold) return level;
  throw new ConfigFault(
    `conditions.${name}_clear`,
    `expected at most the threshold (${level.threshold}), found ${level.clear}`,
  );
}

function processRule(rule: AgentConfig['process_conditions'][number], index: number): ProcessRule {
  return {
    match: processMatch(rule.match, index),
    memoryPressureBytes: rule.memory_pressure_bytes || null,
    highCpuPercent: rule.high_cpu_percent || null,
    forMs: rule.for,
  };
}

function processMatch(written: AgentConfig['process_conditions'][number]['match'], index: number): ProcessMatch {
  const chosen =
    typeof written === 'string'
      ? [written]
      : Object.entries(written).map(([kind, pattern]) => `${kind}:${String(pattern)}`);
  const parsed = chosen.length === 1 && chosen[0] !== undefined ? parseProcessMatch(chosen[0]) : null;
  if (parsed) return parsed;
  throw new ConfigFault(
    `process_conditions.${index}.match`,
    'expected exactly one of command, command_line, unit, cgroup, with a pattern',
  );
}
