/* Commented configuration files; a test feeds them, comments taken away, to the schemas they describe. */

export const collectorTemplate = `# Runnerwatch collector. Every key may also come from the environment:
# notifications.renotify_interval is RUNNERWATCH_NOTIFICATIONS_RENOTIFY_INTERVAL.
# Shown are the defaults; a line that begins with "#:" is an example. Durations: 250ms, 30s, 5m, 1h30m; 0 = off.

# Where the page, the API and the agents are served. Beyond this machine everybody needs a token.
listen: 127.0.0.1:4777

# How people reach it, for links in notifications.
#: public_url: https://runnerwatch.example.org

# State: tokens, and the embedded database unless database.url is set.
#: data_dir: /var/lib/runnerwatch

# A PostgreSQL server of yours (14 or newer). Unset: the embedded one, which survives a killed process but not a power cut.
#: database:
#:   url: postgres://runnerwatch@db/runnerwatch
#:   url_file: /etc/runnerwatch/database.url

# A node that is silent for this long is unreachable.
heartbeat_timeout: 30s

retention:
  samples_raw: 24h
  tasks: 90d
  incidents: 90d

notifications:
  enabled: true
  # Say again that a condition still holds, after this long. 0: once when it fires, once when it resolves.
  renotify_interval: 0
  # Who can be told, by name. With none, the log is.
  notifiers:
    log: { type: log }
    #: ops:
    #:   type: webhook
    #:   url: https://hooks.example.org/runnerwatch
    #:   secret_file: /etc/runnerwatch/ops.secret
  # Who hears what. With none, every notifier hears failures, time limits, conditions and lost nodes.
  subscriptions: []
    #: - receiver: ops
    #:   events: [fail, timeout, unreachable, condition]
    #:   matchers: { project: ml-*, node: gpu-* }

# From this machine itself no token is asked for, unless:
auth:
  require_token: false

# The collector judges itself too. 0 = off.
self:
  memory_pressure_bytes: 0
  high_cpu_percent: 0

log:
  level: info
  format: json
`;

export const agentTemplate = `# Runnerwatch agent. Every key may also come from the environment:
# conditions.disk_pressure_threshold is RUNNERWATCH_CONDITIONS_DISK_PRESSURE_THRESHOLD.
# Shown are the defaults; a line that begins with "#:" is an example. Durations: 250ms, 30s, 5m, 1h30m; 0 = off.

# Collectors, tried in turn.
collector_urls: [http://127.0.0.1:4777]

# What admits this agent: the collector writes it at its first start to <data_dir>/collector/agent.token.
#: token_file: /etc/runnerwatch/agent.token

# Authorities to trust beside the system's, for https.
#: ca_file: /etc/runnerwatch/ca.pem

node:
  #: name: gpu-07
  labels: {}

#: data_dir: /var/lib/runnerwatch
sample_interval: 1s
heartbeat_interval: 10s

# True above the threshold for <condition>_for; false again below <condition>_clear.
conditions:
  memory_pressure_threshold: 90
  high_load_multiplier: 2.0
  disk_pressure_threshold: 90
  inode_pressure_threshold: 90
  #: memory_pressure_clear: 85
  #: memory_pressure_for: 30s

# Processes to watch by command name, command line pattern, unit or cgroup.
process_conditions: []
  #: - match: { command: python3 }
  #:   memory_pressure_bytes: 32GiB
  #:   high_cpu_percent: 400
  #:   for: 1m

# The agent judges itself too. 0 = off.
self:
  memory_pressure_bytes: 0
  high_cpu_percent: 0

tasks:
  # Which units are tasks. The default leaves out the operating system's own; naming a list replaces it.
  #: systemd:
  #:   include: ["*.scope", "*.service"]
  #:   exclude: ["session-*.scope", "systemd-*"]
  # Docker's and Podman's sockets are found by themselves.
  #: containers:
  #:   sockets: [/run/docker.sock]
  #:   exclude: ["monitoring-*"]
  log_lines: 100

# Facts on disk until the collector has them.
spool:
  max_bytes: 256MiB
  max_age: 7d

log:
  level: info
  format: json
`;
