/** What a generated unit depends on; everything is absolute and already checked. */
export interface UnitOptions {
  /** The Node.js binary. */
  readonly node: string;
  /** The folder of the built programs. */
  readonly programs: string;
  readonly config: string;
  readonly user: string;
  readonly group: string;
  /** Groups of this machine that widen what a user other than root sees: journal, containers. */
  readonly extraGroups: readonly string[];
  readonly path: string;
  /** A second one on the same node; part of the unit's name and of its state directory. */
  readonly instance: string | undefined;
  /** Units to start when it fails, as `OnFailure=` takes them. */
  readonly onFailure: string | undefined;
}

export interface UnitFile {
  readonly name: string;
  readonly content: string;
}

/** `runnerwatch-collector.service`, see systemd.service(5) and systemd.exec(5). */
export function collectorService(options: UnitOptions & { readonly socket: boolean }): UnitFile {
  const name = unitName('collector', options.instance);
  const lines = [
    '[Unit]',
    `Description=Runnerwatch collector${described(options.instance)}`,
    'After=network.target',
    ...onFailure(options),
    ...(options.socket ? [`Requires=${name}.socket`, `After=${name}.socket`] : []),
    '',
    '[Service]',
    'Type=simple',
    ...identity(options),
    `ExecStart=${quote(options.node)} ${quote(`${options.programs}/collector.mjs`)} --config ${quote(options.config)}`,
    ...always(options, 'collector'),
    'MemoryMax=2G',
    ...collectorHardening,
    '',
    '[Install]',
    'WantedBy=multi-user.target',
  ];
  return { name: `${name}.service`, content: text(lines) };
}

/** `runnerwatch-collector.socket`: systemd holds the port, so that a restart refuses nobody (systemd.socket(5)). */
export function collectorSocket(listen: string, instance: string | undefined): UnitFile {
  const lines = [
    '[Unit]',
    `Description=Runnerwatch collector socket${described(instance)}`,
    '',
    '[Socket]',
    `ListenStream=${listen}`,
    'Accept=no',
    '',
    '[Install]',
    'WantedBy=sockets.target',
  ];
  return { name: `${unitName('collector', instance)}.socket`, content: text(lines) };
}

/** `runnerwatch-agent.service`. It waits for no container engine: one that hangs in its start must not keep the node silent, and is found when it answers. */
export function agentService(options: UnitOptions): UnitFile {
  const root = options.user === 'root';
  const lines = [
    '[Unit]',
    `Description=Runnerwatch agent${described(options.instance)}`,
    'After=network.target dbus.service',
    ...onFailure(options),
    '',
    '[Service]',
    'Type=simple',
    ...identity(options),
    // A light heap: see docs/decisions on the agent's memory.
    `ExecStart=${quote(options.node)} --lite-mode --single-threaded --no-expose-wasm --max-semi-space-size=1 ${quote(`${options.programs}/agent.cjs`)} --config ${quote(options.config)}`,
    ...always(options, 'agent'),
    'MemoryMax=512M',
    'LimitNOFILE=65536',
    // It looks at other people's processes, logs and containers, and its hooks are the user's own programs.
    'ProtectSystem=full',
    // Kernel process events: a netlink socket, and before Linux 6.6 this capability.
    ...(root ? [] : ['AmbientCapabilities=CAP_NET_ADMIN', 'CapabilityBoundingSet=CAP_NET_ADMIN']),
    '',
    '[Install]',
    'WantedBy=multi-user.target',
  ];
  return { name: `${unitName('agent', options.instance)}.service`, content: text(lines) };
}

function unitName(program: 'agent' | 'collector', instance: string | undefined): string {
  return instance === undefined ? `runnerwatch-${program}` : `runnerwatch-${program}-${instance}`;
}

function described(instance: string | undefined): string {
  return instance === undefined ? '' : ` (${instance})`;
}

function onFailure({ onFailure: units }: UnitOptions): string[] {
  return units === undefined ? [] : [`OnFailure=${units}`];
}

function identity({ user, group, extraGroups }: UnitOptions): string[] {
  return [
    `User=${user}`,
    `Group=${group}`,
    ...(extraGroups.length > 0 ? [`SupplementaryGroups=${extraGroups.join(' ')}`] : []),
  ];
}

/** What both services share: restart, secrets from a file, accounting, and a file system they may write only where their state is. */
function always({ instance, path }: UnitOptions, program: 'agent' | 'collector'): string[] {
  const state = instance === undefined ? 'runnerwatch' : `runnerwatch-${instance}`;
  return [
    `Environment=${quote(`PATH=${path}`)}`,
    `Environment=RUNNERWATCH_DATA_DIR=/var/lib/${state}`,
    `EnvironmentFile=-/etc/runnerwatch/${program}.env`,
    `WorkingDirectory=/var/lib/${state}`,
    `StateDirectory=${state}`,
    'StateDirectoryMode=0755',
    'RuntimeDirectory=runnerwatch',
    'RuntimeDirectoryMode=0755',
    'RuntimeDirectoryPreserve=yes',
    'Restart=always',
    'RestartSec=2',
    // A fault only a person can cure: configuration, data of a newer version.
    'RestartPreventExitStatus=64 65 78',
    // A child that took too much memory, a hook or a notifier's program, is no reason to stop the rest.
    'OOMPolicy=continue',
    'TimeoutStopSec=15',
    'CPUAccounting=yes',
    'MemoryAccounting=yes',
    ...hardening,
  ];
}

/** What neither needs, see systemd.exec(5); `systemd-analyze security` counts it. */
const hardening = [
  'NoNewPrivileges=yes',
  'LockPersonality=yes',
  'ProtectKernelLogs=yes',
  'ProtectKernelModules=yes',
  'RestrictRealtime=yes',
  'RestrictSUIDSGID=yes',
  'SystemCallArchitectures=native',
];

/**
 * It speaks over the network and to its database, and writes below its state directory alone. Not for the agent: with
 * ProtectControlGroups= or ProtectKernelTunables= it had no last lines (measured), and ProtectClock= would shut a hook out from a GPU.
 */
const collectorHardening = [
  'ProtectSystem=strict',
  'ProtectHome=read-only',
  'PrivateTmp=yes',
  'PrivateDevices=yes',
  'ProtectClock=yes',
  'ProtectKernelTunables=yes',
  'ProtectControlGroups=yes',
  'ProtectHostname=yes',
  'RestrictNamespaces=yes',
  'RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK',
  'CapabilityBoundingSet=CAP_NET_BIND_SERVICE',
  'RemoveIPC=yes',
  'UMask=0077',
];

/** systemd.syntax(7): double quotes around what has blanks; `%` and `$` mean something to systemd. */
function quote(value: string): string {
  const escaped = value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('%', '%%').replaceAll('$', '$$$$');
  return /[\s'";]/.test(value) ? `"${escaped}"` : escaped;
}

function text(lines: readonly string[]): string {
  return `${lines.join('\n')}\n`;
}
