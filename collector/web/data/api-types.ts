/* Written by `npm run openapi` from the schemas of the API. */

export type Alert = {
  readonly id: string;
  readonly condition: string;
  readonly component: string;
  readonly node: string | null;
  readonly node_id: string | null;
  readonly task_id: string | null;
  readonly subject: string;
  readonly status: 'firing' | 'resolved';
  readonly severity: 'info' | 'warning' | 'critical';
  readonly reason: string;
  readonly fired_at: string;
  readonly resolved_at: string | null;
  readonly renotified_at: string | null;
  readonly renotifications: number;
  readonly flapping: boolean;
  readonly calm_since: string | null;
};

export type AuditEntry = {
  readonly id: string;
  readonly at: string;
  readonly person: string | null;
  readonly role: 'viewer' | 'operator' | 'admin' | null;
  readonly address: string | null;
  readonly method: string;
  readonly route: string;
  readonly subject: string | null;
  readonly outcome: 'done' | 'invalid' | 'refused' | 'wrong_tokens' | 'failed';
  readonly status: number;
};

export type ConditionReport = {
  readonly condition: 'MemoryPressure' | 'HighLoad' | 'DiskPressure' | 'InodePressure' | 'ProcessMemoryPressure' | 'ProcessHighCPU' | 'ComponentUnreachable' | 'UnitFailed' | 'RestartLoop' | 'NodeFailsFast' | 'JobMissed' | 'JobOverlap' | 'TaskFailed' | 'TaskOomKill' | 'TaskStalled' | 'TaskOverrun' | 'TaskTooShort' | 'MemoryExhaustionPredicted' | 'DiskFullPredicted' | 'GpuFault' | 'ClockSkew' | 'AgentCloned' | 'SpoolOverflow' | 'TaskGhost' | 'SchedulerUnreachable' | 'SourceBlind' | 'DeliveryFailed';
  readonly component: 'agent' | 'collector' | 'database';
  readonly subject: string;
  readonly status: 'true' | 'false' | 'unknown';
  readonly severity: 'info' | 'warning' | 'critical';
  readonly reason: string;
  readonly value: number | null;
  readonly threshold: number | null;
  readonly since: string;
};

export type Delivery = {
  readonly id: string;
  readonly type: string;
  readonly transition: string;
  readonly state: 'pending' | 'delivered' | 'dead' | 'collapsed';
  readonly subscription: string;
  readonly receiver: string;
  readonly incident_id: string | null;
  readonly task_id: string | null;
  readonly created_at: string;
  readonly next_attempt_at: string | null;
  readonly settled_at: string | null;
  readonly last_error: string | null;
  readonly is_test: boolean;
  readonly collapsed_into: string | null;
  readonly attempts: readonly ({
    readonly attempt: number;
    readonly at: string;
    readonly duration_ms: number;
    readonly outcome: 'delivered' | 'retry' | 'refused';
    readonly http_status: number | null;
    readonly error: string | null;
  })[];
};

export type Expectation = {
  readonly job_id: string;
  readonly every: string | null;
  readonly schedule: string | null;
  readonly time_zone: string | null;
  readonly next_at: string | null;
  readonly grace: string;
  readonly max_run: string | null;
  readonly min_run: string | null;
  readonly max_concurrent: number | null;
  readonly set_at: string;
};

export type FailureGroup = {
  readonly key: string | null;
  readonly id: string | null;
  readonly ends: number;
  readonly failures: number;
  readonly failure_rate: number;
  readonly causes: Readonly<Record<string, number>>;
  readonly last_failed_at: string;
  readonly failures_before: number | null;
};

export type FleetNode = {
  readonly id: string;
  readonly name: string;
  readonly status: 'online' | 'offline' | 'draining' | 'stopped' | 'never_seen';
  readonly running_tasks: number;
  readonly sources: readonly ({
    readonly name: string;
    readonly state: 'seeing' | 'degraded' | 'blind' | 'off';
    readonly reason: string | null;
    readonly since: string;
  })[];
  readonly conditions: readonly (ConditionReport)[];
};

export type Gap = {
  readonly id: string;
  readonly at: string;
  readonly source: string;
  readonly cause: string;
  readonly lost: number | null;
  readonly at_most: number | null;
  readonly from: string | null;
  readonly to: string | null;
  readonly lane: 'ends' | 'facts' | null;
  readonly from_seq: number | null;
  readonly to_seq: number | null;
};

export type Incident = {
  readonly id: string;
  readonly status: 'open' | 'resolved';
  readonly title: string;
  readonly severity: 'info' | 'warning' | 'critical';
  readonly flapping: boolean;
  readonly finding: string | null;
  readonly failures: number;
  readonly opened_at: string;
  readonly resolved_at: string | null;
  readonly acknowledged_at: string | null;
  readonly acknowledged_by: string | null;
  readonly acknowledge_note: string | null;
  readonly acknowledged_until: string | null;
  readonly alerts: readonly (Alert)[];
  readonly alerts_total: number;
  readonly alerts_firing: number;
  readonly conditions: readonly (string)[];
  readonly nodes: readonly (string)[];
};

export type Job = {
  readonly id: string;
  readonly name: string;
  readonly project: string | null;
  readonly runs: number;
  readonly running: number;
  readonly failed: number;
  readonly failure_rate: number | null;
  readonly last_status: 'running' | 'completed' | 'failed' | 'killed' | 'killed_oom' | 'timed_out' | 'lost' | 'unknown' | null;
  readonly last_ended_at: string | null;
  readonly p50_ms: number | null;
  readonly last_runs: readonly ({
    readonly id: string;
    readonly status: 'running' | 'completed' | 'failed' | 'killed' | 'killed_oom' | 'timed_out' | 'lost' | 'unknown';
    readonly ended_at: string | null;
    readonly duration_ms: number | null;
  })[];
};

export type JobAlert = {
  readonly id: string;
  readonly job_id: string;
  readonly alert_type: 'webhook' | 'email';
  readonly target: string;
  readonly on_failure: boolean;
  readonly on_timeout: boolean;
  readonly created_at: string;
};

export type Node = {
  readonly id: string;
  readonly name: string;
  readonly status: 'online' | 'offline' | 'draining' | 'stopped' | 'never_seen';
  readonly draining: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly inventory: {
    readonly os: string | null;
    readonly kernel: string | null;
    readonly architecture: string | null;
    readonly cpu_model: string | null;
    readonly cpu_count: number | null;
    readonly memory_total_bytes: number | null;
    readonly virtualization: string | null;
  } | null;
  readonly sources: readonly ({
    readonly name: string;
    readonly state: 'seeing' | 'degraded' | 'blind' | 'off';
    readonly reason: string | null;
    readonly since: string;
  })[];
  readonly boot_id: string | null;
  readonly agent_version: string | null;
  readonly remote_address: string | null;
  readonly first_seen_at: string;
  readonly connected_at: string | null;
  readonly last_heard_at: string | null;
  readonly goodbye_reason: string | null;
  readonly clock_skew_ms: number | null;
  readonly conditions: readonly (NodeCondition)[];
  readonly running_tasks: number;
  readonly sample: NodeSample | null;
};

export type NodeCondition = {
  readonly condition: 'MemoryPressure' | 'HighLoad' | 'DiskPressure' | 'InodePressure' | 'ProcessMemoryPressure' | 'ProcessHighCPU' | 'ComponentUnreachable' | 'UnitFailed' | 'RestartLoop' | 'NodeFailsFast' | 'JobMissed' | 'JobOverlap' | 'TaskFailed' | 'TaskOomKill' | 'TaskStalled' | 'TaskOverrun' | 'TaskTooShort' | 'MemoryExhaustionPredicted' | 'DiskFullPredicted' | 'GpuFault' | 'ClockSkew' | 'AgentCloned' | 'SpoolOverflow' | 'TaskGhost' | 'SchedulerUnreachable' | 'SourceBlind' | 'DeliveryFailed';
  readonly component: 'agent' | 'collector' | 'database';
  readonly subject: string;
  readonly status: 'true' | 'false' | 'unknown';
  readonly severity: 'info' | 'warning' | 'critical';
  readonly reason: string;
  readonly value: number | null;
  readonly threshold: number | null;
  readonly since: string;
  readonly incident_id: string | null;
};

export type NodeDetail = {
  readonly id: string;
  readonly name: string;
  readonly status: 'online' | 'offline' | 'draining' | 'stopped' | 'never_seen';
  readonly draining: boolean;
  readonly labels: Readonly<Record<string, string>>;
  readonly inventory: {
    readonly os: string | null;
    readonly kernel: string | null;
    readonly architecture: string | null;
    readonly cpu_model: string | null;
    readonly cpu_count: number | null;
    readonly memory_total_bytes: number | null;
    readonly virtualization: string | null;
  } | null;
  readonly sources: readonly ({
    readonly name: string;
    readonly state: 'seeing' | 'degraded' | 'blind' | 'off';
    readonly reason: string | null;
    readonly since: string;
  })[];
  readonly boot_id: string | null;
  readonly agent_version: string | null;
  readonly remote_address: string | null;
  readonly first_seen_at: string;
  readonly connected_at: string | null;
  readonly last_heard_at: string | null;
  readonly goodbye_reason: string | null;
  readonly clock_skew_ms: number | null;
  readonly conditions: readonly (NodeCondition)[];
  readonly running_tasks: number;
  readonly sample: NodeSample | null;
  readonly thresholds: Readonly<Record<string, number>>;
};

export type NodeSample = {
  readonly at: string;
  readonly uptime_s: number | null;
  readonly cpu_count: number | null;
  readonly cpu_percent: number | null;
  readonly load1: number | null;
  readonly load5: number | null;
  readonly load15: number | null;
  readonly memory_total_bytes: number | null;
  readonly memory_available_bytes: number | null;
  readonly swap_total_bytes: number | null;
  readonly swap_free_bytes: number | null;
  readonly network_rx_bytes_per_s: number | null;
  readonly network_tx_bytes_per_s: number | null;
  readonly psi_cpu: {
    readonly some_avg10: number;
    readonly full_avg10: number | null;
  } | null;
  readonly psi_memory: {
    readonly some_avg10: number;
    readonly full_avg10: number | null;
  } | null;
  readonly psi_io: {
    readonly some_avg10: number;
    readonly full_avg10: number | null;
  } | null;
  readonly disks: readonly ({
    readonly mount: string;
    readonly device: string;
    readonly fstype: string;
    readonly total_bytes: number;
    readonly used_bytes: number;
    readonly available_bytes: number;
    readonly used_percent: number;
    readonly inodes_used_percent: number | null;
  })[] | null;
  readonly processes: readonly ({
    readonly pid: number;
    readonly start_ticks: number;
    readonly name: string;
    readonly rss_bytes: number;
    readonly cpu_percent: number | null;
  })[] | null;
  readonly self: {
    readonly rss_bytes: number | null;
    readonly cpu_percent: number | null;
  };
};

export type Person = {
  readonly id: string;
  readonly name: string;
  readonly role: 'viewer' | 'operator' | 'admin';
  readonly state: 'active' | 'expired';
  readonly created_at: string;
  readonly created_by: string;
  readonly last_used_at: string | null;
  readonly expires_at: string | null;
};

export type Silence = {
  readonly id: string;
  readonly origin: 'person' | 'drain';
  readonly state: 'active' | 'pending' | 'waiting' | 'expired';
  readonly author: string;
  readonly reason: string;
  readonly matchers: Readonly<Record<string, readonly (string)[]>>;
  readonly recurrence: {
    readonly time_zone: string;
    readonly from: string;
    readonly to: string;
    readonly days?: readonly (string)[];
  } | null;
  readonly starts_at: string;
  readonly ends_at: string | null;
  readonly until: string | null;
  readonly created_at: string;
};

export type Status = {
  readonly version: string;
  readonly started_at: string;
  readonly uptime_ms: number;
  readonly agents: {
    readonly connected: number | null;
  };
  readonly nodes_by_status: Readonly<Record<string, number>> | null;
  readonly incidents_open: number | null;
  readonly database: {
    readonly kind: 'embedded' | 'server';
    readonly healthy: boolean;
    readonly reason: string | null;
  };
  readonly queues: {
    readonly events_unjudged: number | null;
    readonly notifications_pending: number | null;
    readonly notifications_dead: number | null;
  };
  readonly notification_latency: {
    readonly count: number;
    readonly p50_ms: number | null;
    readonly p90_ms: number | null;
    readonly p99_ms: number | null;
    readonly promise_ms: number;
    readonly later_count: number;
  };
  readonly receivers: readonly ({
    readonly receiver: string;
    readonly state: 'working' | 'failing' | 'paused';
    readonly failures_in_row: number;
    readonly failing_since: string | null;
    readonly next_attempt_at: string | null;
    readonly last_error: string | null;
    readonly has_given_up: boolean;
  })[];
  readonly schedulers: readonly ({
    readonly name: string;
    readonly type: 'hakuriver' | 'kohakuriver';
    readonly state: 'starting' | 'reading' | 'unreachable';
    readonly reason: string | null;
    readonly last_read_at: string | null;
    readonly running: number | null;
  })[];
  readonly deputies: readonly ({
    readonly rank: number;
    readonly node_id: string;
    readonly node: string;
    readonly connected: boolean;
  })[];
};

export type Subscription = {
  readonly id: string;
  readonly name: string;
  readonly origin: 'file' | 'api' | 'job_alert' | 'watch';
  readonly matchers: Readonly<Record<string, readonly (string)[]>>;
  readonly events: readonly (string)[];
  readonly receiver: string;
  readonly target: string | null;
  readonly target_digest: string | null;
  readonly max_alerts_per_job: number | null;
  readonly renotify_interval: string;
  readonly group_window: string | null;
  readonly digest: string | null;
  readonly quiet_hours: {
    readonly time_zone: string;
    readonly from: string;
    readonly to: string;
    readonly days?: readonly (string)[];
  } | null;
  readonly escalate: readonly ({
    readonly after: string;
    readonly receiver: string;
  })[];
  readonly expires_at: string | null;
  readonly active: boolean;
  readonly created_by: string | null;
  readonly created_at: string | null;
};

export type Task = {
  readonly id: string;
  readonly task_id: string;
  readonly name: string;
  readonly job: string | null;
  readonly project: string | null;
  readonly owner: string | null;
  readonly node: string;
  readonly node_id: string;
  readonly source: 'systemd' | 'docker' | 'podman' | 'run' | 'hakuriver' | 'kohakuriver' | 'ping';
  readonly unit: string | null;
  readonly container_id: string | null;
  readonly command: string | null;
  readonly status: 'running' | 'completed' | 'failed' | 'killed' | 'killed_oom' | 'timed_out' | 'lost' | 'unknown';
  readonly exit_code: number | null;
  readonly signal: string | null;
  readonly started_at: string | null;
  readonly ended_at: string | null;
  readonly ended_at_approximate: boolean;
  readonly duration_ms: number | null;
  readonly cpu_ms: number | null;
  readonly memory_peak_bytes: number | null;
  readonly memory_limit_bytes: number | null;
  readonly error_message: string | null;
  readonly verdict: Verdict | null;
  readonly scheduler: {
    readonly name: string;
    readonly status: string;
    readonly exit_code: number | null;
    readonly message: string | null;
    readonly batch_id: string | null;
    readonly corrected: boolean;
    readonly note: string | null;
  } | null;
  readonly amendments: number;
};

export type Transition = {
  readonly id: string;
  readonly alert_id: string | null;
  readonly task_id: string | null;
  readonly kind: string;
  readonly at: string;
  readonly reason: string;
  readonly suppression: string | null;
  readonly decisions: readonly ({
    readonly subscription: string;
    readonly receiver: string;
    readonly notified: boolean;
    readonly reason: string;
    readonly detail: string | null;
    readonly silence_id: string | null;
  })[];
  readonly deliveries: readonly (Delivery)[];
};

export type Verdict = {
  readonly cause: 'success' | 'exit_code' | 'signal' | 'oom_limit' | 'oom_host' | 'oom_child' | 'timeout' | 'stopped_by_user' | 'stopped_by_system' | 'start_failed' | 'node_lost' | 'gpu_fault' | 'disk_full' | 'unknown';
  readonly confidence: 'proven' | 'likely' | 'unknown';
  readonly summary: string;
  readonly evidence: readonly ({
    readonly source: string;
    readonly at: string;
    readonly fact: string;
  })[];
  readonly advice: readonly (string)[];
};

export type Watch = {
  readonly id: string;
  readonly projects: readonly (string)[];
  readonly only_failed: boolean;
  readonly max_alerts_per_job: number | null;
  readonly receiver: string;
  readonly target: string | null;
  readonly started_at: string;
  readonly started_by: string | null;
  readonly ends_at: string | null;
  readonly active: boolean;
  readonly alerts_sent: number;
};

export type Error = {
  readonly error: {
    readonly code: 'bad_request' | 'unauthorized' | 'forbidden' | 'cross_site' | 'unknown_host' | 'not_found' | 'method_not_allowed' | 'timeout' | 'conflict' | 'too_large' | 'unsupported_media_type' | 'upgrade_required' | 'too_many_attempts' | 'internal' | 'unavailable';
    readonly message: string;
    readonly field?: string;
  };
};

export interface Routes {
  'GET /nodes': { query?: { limit?: number | undefined; cursor?: string | undefined; search?: string | undefined; status?: 'online' | 'offline' | 'stopped' | 'draining' | undefined; condition?: 'any' | 'MemoryPressure' | 'HighLoad' | 'DiskPressure' | 'InodePressure' | 'ProcessMemoryPressure' | 'ProcessHighCPU' | 'ComponentUnreachable' | 'UnitFailed' | 'RestartLoop' | 'NodeFailsFast' | 'JobMissed' | 'JobOverlap' | 'TaskFailed' | 'TaskOomKill' | 'TaskStalled' | 'TaskOverrun' | 'TaskTooShort' | 'MemoryExhaustionPredicted' | 'DiskFullPredicted' | 'GpuFault' | 'ClockSkew' | 'AgentCloned' | 'SpoolOverflow' | 'TaskGhost' | 'SchedulerUnreachable' | 'SourceBlind' | 'DeliveryFailed' | undefined; sort?: 'name' | 'health' | 'cpu' | 'memory' | 'load' | 'disk' | 'last_heard' | undefined; order?: 'asc' | 'desc' | undefined }; answer: {
    readonly items: readonly (Node)[];
    readonly next_cursor: string | null;
  } };
  'GET /nodes/{id}': { path: { id: string }; answer: NodeDetail };
  'DELETE /nodes/{id}': { path: { id: string }; answer: undefined };
  'GET /nodes/{id}/samples': { path: { id: string }; query?: { from?: string | undefined; to?: string | undefined; step?: string | undefined }; answer: {
    readonly items: readonly ({
      readonly at: string;
      readonly cpu_percent: number | null;
      readonly load1: number | null;
      readonly memory_used_percent: number | null;
      readonly memory_available_bytes: number | null;
      readonly disk_used_percent_max: number | null;
      readonly network_rx_bytes_per_s: number | null;
      readonly network_tx_bytes_per_s: number | null;
      readonly psi_memory_some: number | null;
      readonly psi_cpu_some: number | null;
      readonly psi_io_some: number | null;
    })[];
    readonly step_ms: number;
    readonly next_cursor: null;
  } };
  'POST /nodes/{id}/drain': { path: { id: string }; body: {
    readonly draining?: boolean;
    readonly by?: string;
    readonly reason?: string;
  } | null; answer: Node };
  'POST /nodes/{id}/undrain': { path: { id: string }; answer: Node };
  'GET /nodes/{id}/gaps': { path: { id: string }; query?: { limit?: number | undefined; cursor?: string | undefined }; answer: {
    readonly items: readonly (Gap)[];
    readonly next_cursor: string | null;
  } };
  'GET /fleet': { answer: {
    readonly items: readonly (FleetNode)[];
  } };
  'GET /search': { query: { q: string; limit?: number | undefined }; answer: {
    readonly items: readonly ({
      readonly kind: 'node' | 'incident' | 'job' | 'task';
      readonly id: string;
      readonly name: string;
      readonly status: string | null;
      readonly node: string | null;
    })[];
  } };
  'GET /tasks': { query?: { limit?: number | undefined; cursor?: string | undefined; status?: string | undefined; node?: string | undefined; job?: string | undefined; project?: string | undefined; owner?: string | undefined; cause?: 'success' | 'exit_code' | 'signal' | 'oom_limit' | 'oom_host' | 'oom_child' | 'timeout' | 'stopped_by_user' | 'stopped_by_system' | 'start_failed' | 'node_lost' | 'gpu_fault' | 'disk_full' | 'unknown' | undefined; since?: string | undefined; until?: string | undefined }; answer: {
    readonly items: readonly (Task)[];
    readonly next_cursor: string | null;
  } };
  'GET /tasks/{id}': { path: { id: string }; answer: {
    readonly id: string;
    readonly task_id: string;
    readonly name: string;
    readonly job: string | null;
    readonly project: string | null;
    readonly owner: string | null;
    readonly node: string;
    readonly node_id: string;
    readonly source: 'systemd' | 'docker' | 'podman' | 'run' | 'hakuriver' | 'kohakuriver' | 'ping';
    readonly unit: string | null;
    readonly container_id: string | null;
    readonly command: string | null;
    readonly status: 'running' | 'completed' | 'failed' | 'killed' | 'killed_oom' | 'timed_out' | 'lost' | 'unknown';
    readonly exit_code: number | null;
    readonly signal: string | null;
    readonly started_at: string | null;
    readonly ended_at: string | null;
    readonly ended_at_approximate: boolean;
    readonly duration_ms: number | null;
    readonly cpu_ms: number | null;
    readonly memory_peak_bytes: number | null;
    readonly memory_limit_bytes: number | null;
    readonly error_message: string | null;
    readonly verdict: Verdict | null;
    readonly scheduler: {
      readonly name: string;
      readonly status: string;
      readonly exit_code: number | null;
      readonly message: string | null;
      readonly batch_id: string | null;
      readonly corrected: boolean;
      readonly note: string | null;
    } | null;
    readonly amendments: number;
    readonly log_tail: readonly (string)[] | null;
    readonly error_excerpt: readonly (string)[] | null;
    readonly has_recording: boolean;
  } };
  'GET /tasks/{id}/recording': { path: { id: string }; answer: {
    readonly task_id: string;
    readonly interval_ms: number;
    readonly until: string;
    readonly complete_until: string;
    readonly task: Readonly<Record<string, readonly (number | null)[]>>;
    readonly node: Readonly<Record<string, readonly (number | null)[]>>;
  } };
  'GET /jobs': { query?: { limit?: number | undefined; cursor?: string | undefined; since?: string | undefined; search?: string | undefined }; answer: {
    readonly items: readonly (Job)[];
    readonly next_cursor: string | null;
  } };
  'GET /jobs/{id}': { path: { id: string }; query?: { since?: string | undefined }; answer: {
    readonly id: string;
    readonly name: string;
    readonly project: string | null;
    readonly runs: number;
    readonly running: number;
    readonly failed: number;
    readonly failure_rate: number | null;
    readonly last_status: 'running' | 'completed' | 'failed' | 'killed' | 'killed_oom' | 'timed_out' | 'lost' | 'unknown' | null;
    readonly last_ended_at: string | null;
    readonly causes: Readonly<Record<string, number>>;
    readonly durations: {
      readonly p50_ms: number | null;
      readonly p95_ms: number | null;
      readonly mean_ms: number | null;
      readonly max_ms: number | null;
    };
    readonly days: readonly ({
      readonly day: string;
      readonly ends: number;
      readonly failed: number;
    })[];
    readonly expectation: Expectation | null;
  } };
  'GET /jobs/{id}/expectation': { path: { id: string }; answer: Expectation };
  'PUT /jobs/{id}/expectation': { path: { id: string }; body: {
    readonly every?: string | null;
    readonly schedule?: string | null;
    readonly time_zone?: string | null;
    readonly grace?: string;
    readonly max_run?: string | null;
    readonly min_run?: string | null;
    readonly max_concurrent?: number | null;
  }; answer: Expectation };
  'DELETE /jobs/{id}/expectation': { path: { id: string }; answer: undefined };
  'GET /analytics/failures': { query?: { limit?: number | undefined; cursor?: string | undefined; by?: 'job' | 'node' | 'cause' | 'project' | 'hour' | 'day' | undefined; since?: string | undefined; before?: string | undefined; until?: string | undefined }; answer: {
    readonly items: readonly (FailureGroup)[];
    readonly next_cursor: string | null;
    readonly groups: number;
    readonly failures_before: number | null;
  } };
  'POST /ping/{job}': { path: { job: string }; query?: { rid?: string | undefined; owner?: string | undefined; node?: string | undefined }; answer: {
    readonly task_id: string;
    readonly status: 'running' | 'completed' | 'failed' | 'killed' | 'killed_oom' | 'timed_out' | 'lost' | 'unknown' | null;
    readonly is_new: boolean;
  } };
  'POST /ping/{job}/start': { path: { job: string }; query?: { rid?: string | undefined; owner?: string | undefined; node?: string | undefined }; answer: {
    readonly task_id: string;
    readonly status: 'running' | 'completed' | 'failed' | 'killed' | 'killed_oom' | 'timed_out' | 'lost' | 'unknown' | null;
    readonly is_new: boolean;
  } };
  'POST /ping/{job}/fail': { path: { job: string }; query?: { rid?: string | undefined; owner?: string | undefined; node?: string | undefined }; answer: {
    readonly task_id: string;
    readonly status: 'running' | 'completed' | 'failed' | 'killed' | 'killed_oom' | 'timed_out' | 'lost' | 'unknown' | null;
    readonly is_new: boolean;
  } };
  'POST /ping/{job}/{exit_code}': { path: { job: string; exit_code: string }; query?: { rid?: string | undefined; owner?: string | undefined; node?: string | undefined }; answer: {
    readonly task_id: string;
    readonly status: 'running' | 'completed' | 'failed' | 'killed' | 'killed_oom' | 'timed_out' | 'lost' | 'unknown' | null;
    readonly is_new: boolean;
  } };
  'GET /incidents': { query?: { limit?: number | undefined; cursor?: string | undefined; open?: '0' | '1' | '' | 'true' | 'false' | undefined; all?: '0' | '1' | '' | 'true' | 'false' | undefined; status?: 'open' | 'resolved' | undefined; severity?: 'info' | 'warning' | 'critical' | undefined; node?: string | undefined }; answer: {
    readonly items: readonly (Incident)[];
    readonly next_cursor: string | null;
  } };
  'GET /incidents/{id}': { path: { id: string }; answer: {
    readonly id: string;
    readonly status: 'open' | 'resolved';
    readonly title: string;
    readonly severity: 'info' | 'warning' | 'critical';
    readonly flapping: boolean;
    readonly finding: string | null;
    readonly failures: number;
    readonly opened_at: string;
    readonly resolved_at: string | null;
    readonly acknowledged_at: string | null;
    readonly acknowledged_by: string | null;
    readonly acknowledge_note: string | null;
    readonly acknowledged_until: string | null;
    readonly alerts: readonly (Alert)[];
    readonly alerts_total: number;
    readonly alerts_firing: number;
    readonly conditions: readonly (string)[];
    readonly nodes: readonly (string)[];
    readonly conclusion: string;
    readonly notifications_pending: number;
    readonly timeline_total: number;
  } };
  'POST /incidents/{id}/ack': { path: { id: string }; body: {
    readonly note?: string;
    readonly by?: string;
    readonly expires_at?: string;
    readonly for?: string;
  }; answer: Incident };
  'GET /incidents/{id}/alerts': { path: { id: string }; query?: { limit?: number | undefined; cursor?: string | undefined }; answer: {
    readonly items: readonly (Alert)[];
    readonly next_cursor: string | null;
  } };
  'GET /incidents/{id}/timeline': { path: { id: string }; query?: { limit?: number | undefined; cursor?: string | undefined }; answer: {
    readonly items: readonly (Transition)[];
    readonly next_cursor: string | null;
  } };
  'GET /explain/incidents/{id}': { path: { id: string }; answer: {
    readonly incident: Incident;
    readonly transitions: readonly (Transition)[];
    readonly transitions_total: number;
    readonly conclusion: string;
  } };
  'GET /explain/tasks/{id}': { path: { id: string }; answer: {
    readonly task: {
      readonly id: string;
      readonly task_id: string;
      readonly name: string;
      readonly node: string;
      readonly status: string;
      readonly cause: string | null;
      readonly summary: string | null;
      readonly ended_at: string | null;
    };
    readonly alerts: readonly (Alert)[];
    readonly transitions: readonly (Transition)[];
    readonly conclusion: string;
  } };
  'GET /subscriptions': { answer: {
    readonly enabled: boolean;
    readonly items: readonly (Subscription)[];
    readonly next_cursor: null;
  } };
  'POST /subscriptions': { body: {
    readonly name?: string;
    readonly max_alerts_per_job?: number | null;
    readonly expires_at?: string | null;
    readonly for?: string;
    readonly group_window?: string | null;
    readonly digest?: string | null;
    readonly quiet_hours?: {
      readonly time_zone: string;
      readonly from: string;
      readonly to: string;
      readonly days?: readonly ('mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun')[];
    } | null;
    readonly escalate?: readonly ({
      readonly after: string;
      readonly receiver: string;
    })[] | null;
    readonly matchers?: Readonly<Record<string, string | readonly (string)[]>>;
    readonly events?: readonly ('begin' | 'end' | 'fail' | 'timeout' | 'success' | 'time_limit_80' | 'condition' | 'unreachable' | 'all')[];
    readonly receiver?: string;
    readonly target?: {
      readonly type: 'webhook' | 'email';
      readonly address: string;
    };
    readonly renotify_interval?: string;
    readonly created_by?: string;
  }; answer: Subscription };
  'GET /subscriptions/{id}': { path: { id: string }; answer: Subscription };
  'PATCH /subscriptions/{id}': { path: { id: string }; body: {
    readonly name?: string;
    readonly max_alerts_per_job?: number | null;
    readonly expires_at?: string | null;
    readonly for?: string;
    readonly group_window?: string | null;
    readonly digest?: string | null;
    readonly quiet_hours?: {
      readonly time_zone: string;
      readonly from: string;
      readonly to: string;
      readonly days?: readonly ('mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun')[];
    } | null;
    readonly escalate?: readonly ({
      readonly after: string;
      readonly receiver: string;
    })[] | null;
    readonly matchers?: Readonly<Record<string, string | readonly (string)[]>>;
    readonly events?: readonly ('begin' | 'end' | 'fail' | 'timeout' | 'success' | 'time_limit_80' | 'condition' | 'unreachable' | 'all')[];
    readonly receiver?: string;
    readonly renotify_interval?: string;
  }; answer: Subscription };
  'DELETE /subscriptions/{id}': { path: { id: string }; answer: undefined };
  'POST /subscriptions/test': { body: {
    readonly matchers?: Readonly<Record<string, string | readonly (string)[]>>;
    readonly events?: readonly ('begin' | 'end' | 'fail' | 'timeout' | 'success' | 'time_limit_80' | 'condition' | 'unreachable' | 'all')[];
    readonly since?: string;
  }; answer: {
    readonly since: string;
    readonly looked_at: number;
    readonly matched: number;
    readonly reasons: Readonly<Record<string, number>>;
    readonly complete: boolean;
    readonly items: readonly ({
      readonly transition_id: string;
      readonly at: string;
      readonly kind: string;
      readonly reason: string;
      readonly condition: string | null;
      readonly node: string | null;
      readonly task_id: string | null;
      readonly task: string | null;
    })[];
  } };
  'GET /jobs/{id}/alerts': { path: { id: string }; answer: {
    readonly items: readonly (JobAlert)[];
    readonly next_cursor: null;
  } };
  'POST /jobs/{id}/alerts': { path: { id: string }; body: {
    readonly alert_type: 'webhook' | 'email';
    readonly target: string;
    readonly on_failure?: boolean;
    readonly on_timeout?: boolean;
  }; answer: JobAlert };
  'DELETE /alerts/{id}': { path: { id: string }; answer: undefined };
  'GET /watches': { answer: {
    readonly items: readonly (Watch)[];
    readonly next_cursor: null;
  } };
  'POST /watches': { body: {
    readonly projects?: readonly (string)[];
    readonly only_failed?: boolean;
    readonly for?: string;
    readonly max_alerts_per_job?: number | null;
    readonly receiver?: string;
    readonly target?: {
      readonly type: 'webhook' | 'email';
      readonly address: string;
    };
    readonly started_by?: string;
  }; answer: Watch };
  'GET /watches/{id}': { path: { id: string }; answer: Watch };
  'DELETE /watches/{id}': { path: { id: string }; answer: undefined };
  'GET /silences': { query?: { all?: '0' | '1' | '' | 'true' | 'false' | undefined; node?: string | undefined }; answer: {
    readonly items: readonly (Silence)[];
    readonly next_cursor: null;
  } };
  'POST /silences': { query?: { dry_run?: '0' | '1' | '' | 'true' | 'false' | undefined }; body: {
    readonly matchers: Readonly<Record<string, string | readonly (string)[]>>;
    readonly author?: string;
    readonly reason: string;
    readonly starts_at?: string;
    readonly ends_at?: string | null;
    readonly for?: string;
    readonly recurrence?: {
      readonly time_zone: string;
      readonly from: string;
      readonly to: string;
      readonly days?: readonly ('mon' | 'tue' | 'wed' | 'thu' | 'fri' | 'sat' | 'sun')[];
    };
  }; answer: {
    readonly id: string;
    readonly origin: 'person' | 'drain';
    readonly state: 'active' | 'pending' | 'waiting' | 'expired';
    readonly author: string;
    readonly reason: string;
    readonly matchers: Readonly<Record<string, readonly (string)[]>>;
    readonly recurrence: {
      readonly time_zone: string;
      readonly from: string;
      readonly to: string;
      readonly days?: readonly (string)[];
    } | null;
    readonly starts_at: string;
    readonly ends_at: string | null;
    readonly until: string | null;
    readonly created_at: string;
    readonly hides: {
      readonly count: number;
      readonly items: readonly ({
        readonly alert_id: string;
        readonly incident_id: string;
        readonly condition: string;
        readonly node: string | null;
        readonly task_id: string | null;
        readonly severity: string;
        readonly reason: string;
      })[];
    };
  } };
  'GET /silences/{id}': { path: { id: string }; answer: Silence };
  'DELETE /silences/{id}': { path: { id: string }; answer: undefined };
  'POST /silences/preview': { body: {
    readonly matchers: Readonly<Record<string, string | readonly (string)[]>>;
  }; answer: {
    readonly count: number;
    readonly items: readonly ({
      readonly alert_id: string;
      readonly incident_id: string;
      readonly condition: string;
      readonly node: string | null;
      readonly task_id: string | null;
      readonly severity: string;
      readonly reason: string;
    })[];
  } };
  'GET /deliveries': { query?: { limit?: number | undefined; cursor?: string | undefined; state?: 'pending' | 'delivered' | 'dead' | 'collapsed' | undefined }; answer: {
    readonly items: readonly (Delivery)[];
    readonly next_cursor: string | null;
  } };
  'POST /deliveries/{id}/retry': { path: { id: string }; answer: Delivery };
  'POST /notifiers/{name}/test': { path: { name: string }; answer: {
    readonly notification_id: string;
    readonly receiver: string;
    readonly outcome: 'delivered' | 'failed' | 'pending';
    readonly http_status: number | null;
    readonly error: string | null;
    readonly note: string | null;
    readonly duration_ms: number;
  } };
  'POST /notifiers/{name}/preview': { path: { name: string }; body: {
    readonly notification_id?: string;
  } | null; answer: {
    readonly notification_id: string;
    readonly subject: string | null;
    readonly text: string;
    readonly html: string | null;
    readonly note: string | null;
  } };
  'GET /enrollments': { answer: {
    readonly items: readonly ({
      readonly id: string;
      readonly state: 'active' | 'used_up' | 'expired' | 'revoked';
      readonly note: string | null;
      readonly labels: Readonly<Record<string, string>>;
      readonly uses: number;
      readonly uses_max: number;
      readonly created_at: string;
      readonly created_by: string | null;
      readonly expires_at: string;
      readonly revoked_at: string | null;
    })[];
    readonly next_cursor: null;
  } };
  'POST /enrollments': { body: {
    readonly uses?: number;
    readonly expires_in?: string;
    readonly labels?: Readonly<Record<string, string>>;
    readonly note?: string;
  }; answer: {
    readonly id: string;
    readonly state: 'active' | 'used_up' | 'expired' | 'revoked';
    readonly note: string | null;
    readonly labels: Readonly<Record<string, string>>;
    readonly uses: number;
    readonly uses_max: number;
    readonly created_at: string;
    readonly created_by: string | null;
    readonly expires_at: string;
    readonly revoked_at: string | null;
    readonly token: string;
  } };
  'GET /enrollments/{id}': { path: { id: string }; answer: {
    readonly id: string;
    readonly state: 'active' | 'used_up' | 'expired' | 'revoked';
    readonly note: string | null;
    readonly labels: Readonly<Record<string, string>>;
    readonly uses: number;
    readonly uses_max: number;
    readonly created_at: string;
    readonly created_by: string | null;
    readonly expires_at: string;
    readonly revoked_at: string | null;
  } };
  'DELETE /enrollments/{id}': { path: { id: string }; answer: undefined };
  'GET /agents': { answer: {
    readonly items: readonly ({
      readonly id: string;
      readonly node: string;
      readonly version: string | null;
      readonly connected: boolean;
      readonly remote_address: string | null;
      readonly last_heard_at: string;
      readonly clock_skew_ms: number | null;
      readonly admitted_by: 'enrollment' | 'shared_token';
      readonly enrollment_id: string | null;
      readonly admitted_at: string | null;
      readonly revoked_at: string | null;
    })[];
    readonly next_cursor: null;
  } };
  'POST /agents/{id}/revoke': { path: { id: string }; answer: {
    readonly id: string;
    readonly node: string;
    readonly version: string | null;
    readonly connected: boolean;
    readonly remote_address: string | null;
    readonly last_heard_at: string;
    readonly clock_skew_ms: number | null;
    readonly admitted_by: 'enrollment' | 'shared_token';
    readonly enrollment_id: string | null;
    readonly admitted_at: string | null;
    readonly revoked_at: string | null;
  } };
  'POST /agents/{id}/approve': { path: { id: string }; answer: {
    readonly id: string;
    readonly node: string;
    readonly version: string | null;
    readonly connected: boolean;
    readonly remote_address: string | null;
    readonly last_heard_at: string;
    readonly clock_skew_ms: number | null;
    readonly admitted_by: 'enrollment' | 'shared_token';
    readonly enrollment_id: string | null;
    readonly admitted_at: string | null;
    readonly revoked_at: string | null;
  } };
  'GET /me': { answer: {
    readonly name: string | null;
    readonly role: 'viewer' | 'operator' | 'admin';
    readonly kind: 'local' | 'collector_token' | 'person';
  } };
  'GET /people': { answer: {
    readonly items: readonly (Person)[];
    readonly next_cursor: null;
  } };
  'POST /people': { body: {
    readonly name: string;
    readonly role: 'viewer' | 'operator' | 'admin';
    readonly expires_in?: string;
  }; answer: {
    readonly id: string;
    readonly name: string;
    readonly role: 'viewer' | 'operator' | 'admin';
    readonly state: 'active' | 'expired';
    readonly created_at: string;
    readonly created_by: string;
    readonly last_used_at: string | null;
    readonly expires_at: string | null;
    readonly token: string;
  } };
  'PATCH /people/{id}': { path: { id: string }; body: {
    readonly role: 'viewer' | 'operator' | 'admin';
  }; answer: Person };
  'DELETE /people/{id}': { path: { id: string }; answer: undefined };
  'GET /audit': { query?: { limit?: number | undefined; cursor?: string | undefined; person?: string | undefined; since?: string | undefined }; answer: {
    readonly items: readonly (AuditEntry)[];
    readonly next_cursor: string | null;
  } };
  'GET /status': { answer: Status };
  'GET /stream': { answer: undefined };
}

/** Routes that are not listed take no more than a viewer. */
export const leastRoles: { readonly [R in keyof Routes]?: 'operator' | 'admin' } = {
  'DELETE /nodes/{id}': 'admin',
  'POST /nodes/{id}/drain': 'operator',
  'POST /nodes/{id}/undrain': 'operator',
  'PUT /jobs/{id}/expectation': 'operator',
  'DELETE /jobs/{id}/expectation': 'operator',
  'POST /ping/{job}': 'operator',
  'POST /ping/{job}/start': 'operator',
  'POST /ping/{job}/fail': 'operator',
  'POST /ping/{job}/{exit_code}': 'operator',
  'POST /incidents/{id}/ack': 'operator',
  'POST /subscriptions': 'operator',
  'PATCH /subscriptions/{id}': 'operator',
  'DELETE /subscriptions/{id}': 'operator',
  'POST /jobs/{id}/alerts': 'operator',
  'DELETE /alerts/{id}': 'operator',
  'POST /watches': 'operator',
  'DELETE /watches/{id}': 'operator',
  'POST /silences': 'operator',
  'DELETE /silences/{id}': 'operator',
  'POST /deliveries/{id}/retry': 'operator',
  'POST /notifiers/{name}/test': 'operator',
  'POST /enrollments': 'admin',
  'DELETE /enrollments/{id}': 'admin',
  'POST /agents/{id}/revoke': 'admin',
  'POST /agents/{id}/approve': 'admin',
  'GET /people': 'admin',
  'POST /people': 'admin',
  'PATCH /people/{id}': 'admin',
  'DELETE /people/{id}': 'admin',
  'GET /audit': 'admin',
};
