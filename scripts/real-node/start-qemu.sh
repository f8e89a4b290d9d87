#!/usr/bin/env bash
# Becomes the QEMU process of one machine: whoever started this script holds the machine's process id.
set -euo pipefail

if [[ $# -lt 6 ]]; then
  echo "usage: start-qemu.sh IMAGE_FOLDER DISK DISK_FORMAT SSH_PORT CONSOLE_LOG MEMORY_MIB [KERNEL_ARGUMENT...]" >&2
  exit 64
fi

image_folder=$1 disk=$2 disk_format=$3 ssh_port=$4 console_log=$5 memory_mib=$6
shift 6

network='user,id=n0'
[[ "$ssh_port" == 0 ]] || network+=",hostfwd=tcp:127.0.0.1:${ssh_port}-:22"

# -cx16: QEMU 7.2 sometimes leaves rubbish in the flags after that instruction, and newer kernels then panic.
# panic=-1 with -no-reboot: a panic ends the process, so that it is seen at once and tried again.
# cache=writeback: what the guest flushed survives a SIGKILL of this process, what it did not may be lost.
exec qemu-system-x86_64 \
  -name runnerwatch-real-node \
  -accel tcg,thread=multi -cpu max,-cx16 -smp 2 -m "$memory_mib" \
  -kernel "$image_folder/vmlinuz" -initrd "$image_folder/initrd" \
  -append "root=/dev/vda rw console=ttyS0 net.ifnames=0 psi=1 panic=-1 quiet systemd.show_status=0 $*" \
  -drive "file=$disk,if=virtio,format=$disk_format,cache=writeback" \
  -netdev "$network" -device virtio-net-pci,netdev=n0 \
  -device virtio-rng-pci \
  -display none -monitor none -no-reboot \
  -serial "file:$console_log"
