#!/usr/bin/env bash
# Boots systemd as process 1 of new namespaces over a copy-on-write view of the node's root folder.
# Stays until that systemd is gone, then removes its cgroups. WORK_FOLDER/pid holds its process id as seen from here.
set -euo pipefail

stage=$1
shift

outside() {
  local network=$3
  local cgroup_name inner=(--pid --uts --ipc --cgroup)
  [[ "$network" == host ]] || inner+=(--net)

  mount --make-rprivate /
  mkdir -p "$work/cgroup" "$work/upper" "$work/overlay" "$work/merged"
  mount -t cgroup2 cgroup2 "$work/cgroup"
  cgroup_name=$(basename "$work")
  mkdir -p "$work/cgroup/$cgroup_name"

  # The child is in the cgroup before it makes the namespace whose root that cgroup becomes.
  local code=0
  (
    echo 0 >"$work/cgroup/$cgroup_name/cgroup.procs"
    exec setpriv --pdeathsig KILL -- unshare --mount "${inner[@]}" --fork --kill-child=SIGKILL -- \
      "$0" inside "$@"
  ) || code=$?
  remove_cgroups "$work/cgroup/$cgroup_name"
  return "$code"
}

# A process that was killed leaves its cgroup a moment later.
remove_cgroups() {
  local attempt
  for attempt in {1..50}; do
    find "$1" -depth -type d -exec rmdir {} + 2>/dev/null && return
    sleep 0.1
  done
  echo "cgroups left behind in $1" >&2
}

inside() {
  local root=$1 network=$3 unit host_pid merged=$2/merged
  shift 3
  # This /proc is still the one outside, where process 1 has another number.
  read -r host_pid _ </proc/self/stat
  hostname node

  mount -t overlay overlay -o "lowerdir=$root,upperdir=$work/upper,workdir=$work/overlay" "$merged"
  mount_kernel_folders "$merged"
  for unit in "$@"; do ln -sf /dev/null "$merged/etc/systemd/system/$unit"; done
  [[ -s "$work/machine-id" ]] || tr -d - </proc/sys/kernel/random/uuid >"$work/machine-id"
  cp "$work/machine-id" "$merged/etc/machine-id"

  cd "$merged"
  mkdir -p mnt
  pivot_root . mnt
  echo "$host_pid" >"mnt$work/pid.new"
  mv "mnt$work/pid.new" "mnt$work/pid"
  umount -l mnt
  mount --make-rshared /
  exec /usr/bin/env -i container=runnerwatch PATH=/usr/sbin:/usr/bin:/sbin:/bin /sbin/init --log-target=journal --show-status=no
}

mount_kernel_folders() {
  local merged=$1 device
  mount -t proc -o nosuid,nodev,noexec proc "$merged/proc"
  # What systemd would set there is this machine's, not the node's.
  mount --bind "$merged/proc/sys" "$merged/proc/sys"
  mount -o remount,bind,ro "$merged/proc/sys"
  # Every boot has an identity of its own, as on a real node; the kernel's would never change.
  cat /proc/sys/kernel/random/uuid >"$work/boot-id"
  mount --bind "$work/boot-id" "$merged/proc/sys/kernel/random/boot_id"
  mount -o remount,bind,ro "$merged/proc/sys/kernel/random/boot_id"
  mount -t sysfs -o ro,nosuid,nodev,noexec sysfs "$merged/sys"
  mount -t cgroup2 -o rw,nosuid,nodev,noexec cgroup2 "$merged/sys/fs/cgroup"
  mount -t tmpfs -o mode=755,nosuid tmpfs "$merged/run"

  mount -t tmpfs -o mode=755,nosuid tmpfs "$merged/dev"
  mkdir "$merged/dev/pts" "$merged/dev/shm"
  mount -t devpts -o newinstance,ptmxmode=0666,mode=620,gid=5 devpts "$merged/dev/pts"
  mount -t tmpfs -o mode=1777,nosuid,nodev tmpfs "$merged/dev/shm"
  ln -s pts/ptmx "$merged/dev/ptmx"
  ln -s /proc/self/fd "$merged/dev/fd"
  for device in null:3 zero:5 full:7 random:8 urandom:9; do
    mknod -m 666 "$merged/dev/${device%:*}" c 1 "${device#*:}"
  done
  mknod -m 666 "$merged/dev/tty" c 5 0
  mknod -m 600 "$merged/dev/console" c 1 3
}

case $stage in
  start)
    if [[ $# -lt 3 ]]; then
      echo 'usage: start-namespaces.sh start ROOT_FOLDER WORK_FOLDER own|host [MASKED_UNIT...]' >&2
      exit 64
    fi
    exec unshare --mount -- "$0" outside "$@"
    ;;
  outside | inside)
    work=$2
    "$stage" "$@"
    ;;
  *) echo "unknown stage $stage" >&2; exit 64 ;;
esac
