import { matchesGlob } from '@runnerwatch/shared/model/glob.ts';

/** Units that are tasks unless the configuration says otherwise. */
export const defaultUnitInclude: readonly string[] = ['*.scope', '*.service'];

/**
 * Units that are no work of anybody's: the session and device plumbing of the operating system, the daemons a
 * distribution brings, and the scopes in which container engines keep what their own watcher tells better.
 */
export const defaultUnitExclude: readonly string[] = [
  // sessions and systemd's own
  'init.scope',
  'session-*.scope',
  'user@*.service',
  'user-runtime-dir@*.service',
  'systemd-*.service',
  'getty@*.service',
  'serial-getty@*.service',
  'container-getty@*.service',
  'console-getty.service',
  'autovt@*.service',
  'modprobe@*.service',
  'emergency.service',
  'rescue.service',
  'kmod-static-nodes.service',
  'ldconfig.service',
  'initrd-*.service',
  'quotaon.service',
  'rc-local.service',
  // containers are told by their engines; these scopes and daemons are the engines' own
  'docker-*.scope',
  'libpod-*.scope',
  'libpod-conmon-*.scope',
  'crio-*.scope',
  'cri-containerd-*.scope',
  'crun-*.scope',
  'conmon-*.scope',
  'buildkit-*.scope',
  'machine-*.scope',
  'docker.service',
  'containerd.service',
  'podman*.service',
  'crio.service',
  'kubelet.service',
  // what a distribution runs by itself
  'accounts-daemon.service',
  'acpid.service',
  'alsa-*.service',
  'anacron.service',
  'apparmor.service',
  'apport*.service',
  'apt-daily*.service',
  'apt-news.service',
  'atd.service',
  'auditd.service',
  'avahi-daemon.service',
  'blk-availability.service',
  'bluetooth.service',
  'chrony*.service',
  'cloud-*.service',
  'colord.service',
  'console-setup.service',
  'cron.service',
  'crond.service',
  'cups*.service',
  'dbus*.service',
  'display-manager.service',
  'dm-event.service',
  'dnf-*.service',
  'dpkg-db-backup.service',
  'dracut-*.service',
  'e2scrub*.service',
  'esm-cache.service',
  'exim4*.service',
  'finalrd.service',
  'firewalld.service',
  'fstrim.service',
  'fwupd*.service',
  'gdm*.service',
  'google-*.service',
  'gssproxy.service',
  'ifup@*.service',
  'ifupdown-*.service',
  'import-state.service',
  'irqbalance.service',
  'iscsi*.service',
  'kdump*.service',
  'keyboard-setup.service',
  'logrotate.service',
  'lvm2-*.service',
  'man-db*.service',
  'mdadm*.service',
  'mdmonitor*.service',
  'ModemManager.service',
  'motd-news.service',
  'multipathd.service',
  'networkd-dispatcher.service',
  'networking.service',
  'NetworkManager*.service',
  'nfs-*.service',
  'nss-*.service',
  'ntp*.service',
  'nvidia-persistenced.service',
  'openvpn*.service',
  'packagekit*.service',
  'phpsessionclean.service',
  'plymouth*.service',
  'polkit*.service',
  'postfix*.service',
  'procps.service',
  'qemu-guest-agent.service',
  'raid-check.service',
  'resolvconf*.service',
  'rpc*.service',
  'rpcbind.service',
  'rsyslog.service',
  'rtkit-daemon.service',
  'secureboot-db.service',
  'selinux-*.service',
  'setvtrgb.service',
  'smartd.service',
  'smartmontools.service',
  'snap.*.service',
  'snapd*.service',
  'ssh*.service',
  'sssd*.service',
  'sysstat*.service',
  'thermald.service',
  'ua-*.service',
  'ubuntu-*.service',
  'udisks2.service',
  'ufw.service',
  'unattended-upgrades.service',
  'update-notifier-*.service',
  'upower.service',
  'uuidd.service',
  'vboxadd*.service',
  'virtlogd.service',
  'vmtoolsd.service',
  'wpa_supplicant*.service',
  'xfs_scrub*.service',
  // ourselves
  'runnerwatch-*.service',
];

export interface UnitFilter {
  readonly include: readonly string[];
  readonly exclude: readonly string[];
}

/** Says whether a unit is one of ours to tell about. Answers are remembered, so a storm of signals costs a map look-up each. */
export function unitMatcher({ include, exclude }: UnitFilter): (unit: string) => boolean {
  const answers = new Map<string, boolean>();
  return (unit) => {
    const known = answers.get(unit);
    if (known !== undefined) return known;
    if (answers.size >= rememberedAnswers) answers.clear();
    const fits = (glob: string) => matchesGlob(unit, glob);
    const answer = include.some(fits) && !exclude.some(fits);
    answers.set(unit, answer);
    return answer;
  };
}

const rememberedAnswers = 20_000;
