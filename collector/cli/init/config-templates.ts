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

# Who watches the watcher: a POST once a minute (or a GET, where POST gets 404 or 405), for as long as this collector writes,
# judges and is heard by a receiver. healthchecks.io, Uptime Kuma (push), another Runnerwatch's /ping/:job; docs/heartbeat.md.
#: heartbeat_url: https://hc-ping.com/00000000-0000-4000-8000-000000000000
#: heartbeat_token_file: /etc/runnerwatch/heartbeat.token

retention:
  samples_raw: 24h
  tasks: 90d
  incidents: 90d
  audit: 90d

notifications:
  enabled: true
  # Say again that a condition still holds, after this long. 0: once when it fires, once when it resolves.
  renotify_interval: 0
  # Failures of one kind: the first is told at once, those that follow within this time in one message. 0: each for itself.
  group_window: 5s
  # Who can be told, by name. With none, the log is.
  notifiers:
    log: { type: log }
    #: ops:
    #:   type: webhook
    #:   url: https://hooks.example.org/runnerwatch
    #:   secret_file: /etc/runnerwatch/ops.secret
    #:   # At most so many; more wait for their turn. Unset: 500/s.
    #:   rate_limit: 30/m
    #:   # Without log lines, proof and advice.
    #:   brief: true
    #: team:
    #:   type: email
    #:   to: [ops@example.org]
    #: script: { type: exec, command: [/usr/local/bin/page-someone] }
    #: alertmanager: { type: alertmanager, urls: [http://alertmanager:9093] }
    #: everywhere: { type: apprise, url: https://apprise.example.org/notify/ops }
    #: chat:
    #:   type: slack
    #:   bot_token_file: /etc/runnerwatch/slack.token
    #:   channel: C0123456789
    #: pager: { type: pagerduty, routing_key_file: /etc/runnerwatch/pagerduty.key }
    # Also mattermost, discord, teams, telegram, ntfy, opsgenie, gotify: docs/notifiers-chat.md.
  # The mail server of email notifiers. tls: starttls (required), implicit, off; off only of a server on this machine, or
  # without a password.
  #: smtp:
  #:   host: mail.example.org
  #:   username: runnerwatch
  #:   password_file: /etc/runnerwatch/smtp.password
  #:   from: Runnerwatch <runnerwatch@example.org>
  # Who hears what. With none, every notifier hears failures, time limits, conditions and lost nodes.
  # Events: begin, end, success, fail, timeout, time_limit_80, condition, unreachable, all.
  subscriptions: []
    #: - receiver: ops
    #:   events: [fail, timeout, unreachable, condition]
    #:   matchers: { project: ml-*, node: gpu-* }
    #:   # At most so many messages about one job, until a run of it ends well.
    #:   max_alerts_per_job: 3
    #:   # Or all failures of four hours in one message.
    #:   digest: 4h
    #:   # What matches within is told afterwards, if it is still true.
    #:   quiet_hours: { time_zone: Europe/Berlin, from: "22:00", to: "07:00", days: [mon, tue, wed, thu, fri] }
    #:   # Who else is told while nobody acknowledges it, and after how long.
    #:   escalate: [{ after: 15m, receiver: team }]
  # Networks that addresses typed by people (subscribe --webhook, alerts of jobs) may lie in, beside public ones.
  allowed_cidrs: []
    #: - 10.20.0.0/16

# Schedulers to read beside what the agents see: owner, job and command of their tasks, their word on each end, tasks on
# nodes without an agent, and ghosts: said to run, and not there. The token of KohakuRiver is of someone with the role viewer.
schedulers: []
  #: - type: kohakuriver
  #:   name: cluster
  #:   url: http://river-host:8000
  #:   token_file: /etc/runnerwatch/river.token
  #:   poll_interval: 5s

# So many failures of one service or container within that time are a loop, told once in their place. So many different jobs
# that fail one after the other, each in less than a minute, are the fault of their node. 0 = off.
conditions:
  restart_loop_count: 5
  restart_loop_within: 10m
  node_fails_fast_count: 5
  node_fails_fast_within: 10m

# From this machine itself no token is asked for, unless:
auth:
  require_token: false
  # What who comes from here without a token may do: viewer, operator or admin (docs/people.md).
  local_role: admin

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

# What admits this agent: a token of "runnerwatch enroll create", good for coming in once; the agent keeps a key of its own.
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
  # Early warnings, at the present slope: memory (of a task's limit, or of the node) used up, a disk full. 0 = off.
  memory_exhaustion_predicted_within: 10m
  memory_exhaustion_predicted_for: 30s
  disk_full_predicted_within: 1h
  disk_full_predicted_for: 5m
  # A task without CPU, IO or log lines for this long: scopes, "runnerwatch run" and what a scheduler started, or the
  # tasks and units that are named. Services sleep on purpose. 0 = off.
  task_stalled_for: 30m
  #: task_stalled_include: [train-*]
  # Percent of a task's own time limit; it is a warning from 90 on. 0 = off.
  task_overrun_threshold: 80
  # Units that are no tasks and whose state "failed" is told (a failed task is told when it ends).
  unit_failed_include: ["*.mount", "*.swap"]

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
  # Whose a task is: each rule that fits sets what those before it left open; HakuRiver, KohakuRiver, Slurm, GitHub, GitLab
  # and Compose are known. Of a task's environment only the variables that rules name are read.
  identify: []
    #: - match: { unit: "train-*.scope", env: { TEAM: "*" } }
    #:   set: { job: "$1", project: "$2", owner: "\${user}" }
  log_lines: 100
  # Where a scheduler has its tasks write their output, for those too short to be seen writing there.
  #: log_files: ["/shared/task_outputs/\${task_id}.out", "/shared/task_errors/\${task_id}.err"]

# Told on this node when a task ends, once its end is on disk: the task as JSON on the program's standard input, without a
# shell and with the agent's rights, or in a POST. Events: end, success, fail, timeout.
hooks: []
  #: - events: [fail]
  #:   exec: [/usr/local/bin/on-task-failed, --quiet]
  #:   timeout: 10s

# Told by agents themselves when their collector is silent for so long: three of the fleet are chosen for it, so give it to all.
# A POST of JSON whose "text" Slack and others like it show; docs/heartbeat.md. Without webhook it is off.
fallback:
  # Or webhook_file, since whoever knows the address can write there.
  #: webhook: https://hooks.slack.com/services/T000/B000/example
  #: secret_file: /etc/runnerwatch/fallback.secret
  after: 15m

# The last minutes of every task and of the node, in memory; they are kept with a task that fails. window: 0 turns it off.
recorder:
  window: 5m
  interval: 1s

# Secrets are taken out before anything leaves the node: passwords, tokens and keys of known shape, and yours. A pattern is a
# regular expression without look-around and references. runnerwatch run reads only RUNNERWATCH_REDACT_ENABLED.
redact:
  enabled: true
  patterns: []
    #: - CORP-[0-9]{8}
    #: - { name: patient number, pattern: 'PAT-[0-9]{6}' }

# Facts on disk until the collector has them.
spool:
  max_bytes: 256MiB
  max_age: 7d

log:
  level: info
  format: json
`;
