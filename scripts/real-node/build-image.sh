#!/usr/bin/env bash
# Builds, once per content of this folder, the Debian node that tests boot: a disk image, its kernel,
# and the same files as a plain folder for the namespace variant.
# Progress goes to standard error; the only line on standard output is the image's folder.
set -euo pipefail
exec 3>&1 1>&2
PATH=$PATH:/usr/sbin:/sbin

suite=${1:-bookworm}
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
cache=${RUNNERWATCH_NODE_CACHE:-$here/../../.cache/real-node}
started=$SECONDS

progress() { printf 'real-node: [%3ds] %s\n' "$((SECONDS - started))" "$*"; }
fail() { printf 'real-node: FAILED: %s\n' "$*"; exit 1; }

case $suite in
  bookworm) suite_packages=() ;;
  trixie) suite_packages=(docker-cli nftables) ;;
  *) fail "unknown suite '$suite': bookworm or trixie" ;;
esac
[[ $EUID == 0 ]] || fail 'only root can build (chroot) and boot (namespaces) a node'

node_binary=$(readlink -f "$(command -v node)") || fail 'no node binary on this machine'

image_key() {
  { cat "$here/build-image.sh"; cat "$here"/guest/*; echo "$suite"; "$node_binary" --version; } | sha256sum | cut -c1-12
}

install_tools() {
  local -A package_of=(
    [debootstrap]=debootstrap [qemu-system-x86_64]=qemu-system-x86 [qemu-img]=qemu-utils
    [mke2fs]=e2fsprogs [ssh]=openssh-client [ssh-keygen]=openssh-client [busybox]=busybox-static
    [unshare]=util-linux [setpriv]=util-linux [flock]=util-linux
  )
  local missing=() tool
  for tool in "${!package_of[@]}"; do
    command -v "$tool" >/dev/null || missing+=("${package_of[$tool]}")
  done
  [[ -r /usr/share/keyrings/debian-archive-keyring.gpg ]] || missing+=(debian-archive-keyring)
  # A dynamically linked busybox could not run alone in a container image.
  dpkg -s busybox-static >/dev/null 2>&1 || missing+=(busybox-static)
  [[ ${#missing[@]} -eq 0 ]] && return
  progress "installing ${missing[*]}"
  apt_install "${missing[@]}" || { apt-get update -qq; apt_install "${missing[@]}"; } ||
    fail "cannot install ${missing[*]}"
}

apt_install() {
  DEBIAN_FRONTEND=noninteractive apt-get install -qq -y --no-install-recommends "$@" </dev/null
}

# The machine's own apt sources name the mirror; the suite is ours to choose.
debian_mirror() {
  apt-get indextargets --format '$(ORIGIN) $(CODENAME) $(REPO_URI)' 'Created-By: Packages' |
    awk '$1 == "Debian" && $2 !~ /-/ { print $3; exit }'
}

in_root() {
  local root=$1
  shift
  unshare --mount sh -ec '
    mount -t proc proc "$0/proc"
    mount -t tmpfs tmpfs "$0/run"
    mkdir -p "$0/dev/pts" "$0/dev/shm"
    exec chroot "$0" /usr/bin/env -i PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C DEBIAN_FRONTEND=noninteractive "$@"
  ' "$root" "$@" </dev/null
}

build_root() {
  local root=$1 mirror
  mirror=$(debian_mirror)
  [[ -n "$mirror" ]] || { apt-get update -qq; mirror=$(debian_mirror); }
  [[ -n "$mirror" ]] || fail "no Debian mirror among this machine's apt sources"

  progress "debootstrap $suite"
  debootstrap --variant=minbase --keyring=/usr/share/keyrings/debian-archive-keyring.gpg \
    "$suite" "$root" "$mirror" >"$root.debootstrap.log" 2>&1 || { tail -20 "$root.debootstrap.log"; fail debootstrap; }

  # Nothing may start in the chroot; no manual pages; no flush per file.
  printf '#!/bin/sh\nexit 101\n' >"$root/usr/sbin/policy-rc.d"
  chmod 755 "$root/usr/sbin/policy-rc.d"
  printf 'force-unsafe-io\npath-exclude=/usr/share/man/*\npath-exclude=/usr/share/doc/*\npath-exclude=/usr/share/locale/*\n' \
    >"$root/etc/dpkg/dpkg.cfg.d/runnerwatch"
  # A short initrd: unpacking the full one takes seconds under emulation.
  mkdir -p "$root/etc/initramfs-tools/conf.d" "$root/usr/share/initramfs-tools/modules.d"
  printf 'MODULES=list\nCOMPRESS=gzip\nFSTYPE=ext4\n' >"$root/etc/initramfs-tools/conf.d/runnerwatch"
  printf 'virtio_pci\nvirtio_blk\next4\n' >"$root/usr/share/initramfs-tools/modules.d/runnerwatch"

  progress 'packages'
  cp /etc/resolv.conf "$root/etc/resolv.conf"
  in_root "$root" apt-get install -qq -y --no-install-recommends \
    systemd systemd-sysv dbus udev linux-image-cloud-amd64 openssh-server iproute2 iptables \
    docker.io apparmor podman crun conmon netavark procps curl ca-certificates libstdc++6 "${suite_packages[@]}" \
    >"$root.apt.log" 2>&1 || { tail -30 "$root.apt.log"; fail 'packages of the node'; }
  rm -f "$root/usr/sbin/policy-rc.d" "$root/etc/resolv.conf" "$root"/var/cache/apt/archives/*.deb
}

configure_root() {
  local root=$1 folder=$2
  progress 'configuration'
  install -m 755 "$node_binary" "$root/usr/local/bin/node"
  in_root "$root" node --version >/dev/null 2>&1 || fail "this machine's node does not run on $suite"

  ssh-keygen -q -t ed25519 -N '' -C runnerwatch-real-node -f "$folder/id_ed25519"
  install -d -m 700 "$root/root/.ssh"
  install -m 600 "$folder/id_ed25519.pub" "$root/root/.ssh/authorized_keys"

  # Many commands at once share one connection.
  echo 'MaxSessions 200' >"$root/etc/ssh/sshd_config.d/real-node.conf"

  echo node >"$root/etc/hostname"
  printf '127.0.0.1 localhost node\n::1 localhost\n10.0.2.2 collector\n' >"$root/etc/hosts"
  : >"$root/etc/fstab"
  mkdir -p "$root/var/log/journal"
  install -m 644 "$here/guest/eth0.network" "$root/etc/systemd/network/"
  install -m 644 "$here/guest/prime.service" "$root/etc/systemd/system/"
  install -d "$root/usr/local/lib/real-node"
  install -m 755 "$here/guest/prime.sh" "$root/usr/local/lib/real-node/"
  make_container_root "$folder/bb"
  tar -C "$folder/bb" -cf "$root/usr/local/lib/real-node/bb.tar" .
  rm -rf "$folder/bb"

  in_root "$root" systemctl --quiet enable systemd-networkd.service prime.service
  # Both cost seconds of every boot; a test that restarts podman containers enables the second itself.
  in_root "$root" systemctl --quiet disable podman-auto-update.service podman-auto-update.timer podman-restart.service
  # The network is static and there at once; nobody logs in at a terminal; timers would disturb measurements.
  in_root "$root" systemctl --quiet mask systemd-networkd-wait-online.service getty@tty1.service \
    serial-getty@ttyS0.service apt-daily.timer apt-daily-upgrade.timer fstrim.timer e2scrub_all.timer \
    e2scrub_reap.service dpkg-db-backup.timer logrotate.timer
}

make_container_root() {
  local folder=$1 applet
  install -d "$folder/bin" "$folder/tmp" "$folder/proc" "$folder/sys" "$folder/dev" "$folder/etc"
  install -m 755 "$(command -v busybox)" "$folder/bin/busybox"
  for applet in $(busybox --list); do
    [[ "$applet" == busybox ]] || ln -s busybox "$folder/bin/$applet"
  done
  echo 'root:x:0:0:root:/:/bin/sh' >"$folder/etc/passwd"
}

make_disk() {
  local root=$1 folder=$2
  progress 'disk'
  cp "$root"/boot/vmlinuz-* "$folder/vmlinuz"
  cp "$root"/boot/initrd.img-* "$folder/initrd"
  mke2fs -q -t ext4 -E lazy_itable_init=1,lazy_journal_init=1 -d "$root" "$folder/disk.img" 6G
}

# The first boot writes what a first boot writes, and loads the container image `bb`.
prime_disk() {
  local folder=$1 attempt
  for attempt in 1 2 3; do
    progress "first boot, attempt $attempt"
    cp --sparse=always "$folder/disk.img" "$folder/priming.img"
    timeout 420 "$here/start-qemu.sh" "$folder" "$folder/priming.img" raw 0 "$folder/first-boot.log" 2048 \
      runnerwatch.prime </dev/null || true
    if grep -q 'real-node: primed' "$folder/first-boot.log"; then
      mv "$folder/priming.img" "$folder/disk.img"
      return
    fi
    tail -30 "$folder/first-boot.log"
  done
  fail 'the node did not come up'
}

drop_stale_images() {
  find "$cache" -mindepth 1 -maxdepth 1 -type d -name '*-????????????' -mtime +3 -exec rm -rf {} +
  find "$cache" -mindepth 1 -maxdepth 1 -type d -name 'building.*' -mtime +0 -exec rm -rf {} +
}

mkdir -p "$cache"
cache=$(cd "$cache" && pwd)
folder=$cache/$suite-$(image_key)
exec 9>"$cache/lock"
flock 9
install_tools
if [[ ! -d "$folder" ]]; then
  progress "building $suite"
  building=$(mktemp -d "$cache/building.XXXXXX")
  chmod 755 "$building"
  trap 'rm -rf "$building"' EXIT
  build_root "$building/root"
  configure_root "$building/root" "$building"
  make_disk "$building/root" "$building"
  prime_disk "$building"
  mv "$building" "$folder"
  trap - EXIT
  progress "built $(du -sh "$folder" | cut -f1)"
fi
touch "$folder"
drop_stale_images
echo "$folder" >&3
