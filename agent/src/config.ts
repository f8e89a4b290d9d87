import {
  type ConditionSettings,
  type Level,
  type ProcessMatch,
  type ProcessRule,
  parseProcessMatch,
  percentLevel,
  ratioLevel,
} from '@runnerwatch/shared/conditions/settings.ts';
import * as field from '@runnerwatch/shared/runtime/config-fields.ts';
import { type ConfigSource, loadConfig } from '@runnerwatch/shared/runtime/load-config.ts';
import { StartFailure } from '@runnerwatch/shared/runtime/start-failure.ts';
import * as z from 'zod/mini';
import { identifyRule } from './tasks/identify.ts';

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

const intervals = { sample_interval: 100, heartbeat_interval: 100 } as const;

/** @throws StartFailure with file, line, key and what was expected. */
export function readAgentConfig(source: ConfigSource): AgentConfig {
  const config = loadConfig(agentSchema, source);
  for (const [key, leastMs] of Object.entries(intervals)) {
    if (config[key as keyof typeof intervals] < leastMs)
      throw new StartFailure('config', `${key}: expected at least ${leastMs}ms`);
  }
  if (config.collector_urls.length === 0) throw new StartFailure('config', 'collector_urls: expected at least one URL');
  conditionSettings(config);
  return config;
}

/** The thresholds as the judgments take them. @throws StartFailure when a clear level lies above its threshold, or a match names nothing. */
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

function ordered(name: string, level: Level): Level {
  if (level.clear <= level.threshold) return level;
  throw new StartFailure(
    'config',
    `conditions.${name}_clear: expected at most the threshold (${level.threshold}), found ${level.clear}`,
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
  throw new StartFailure(
    'config',
    `process_conditions.${index}.match: expected exactly one of command, command_line, unit, cgroup, with a pattern`,
  );
}
