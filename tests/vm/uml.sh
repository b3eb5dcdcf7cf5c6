#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs a command on another kin of host: User-Mode Linux, that is Linux 6.1 as a process, with all
# capabilities, and AppArmor or SELinux where asked for. Its cgroups are v2 alone, v1 alone (cpu and
# cpuacct mounted together, no cpuset), or both: memory, io and pids on the v2 side, the rest on v1's,
# each in a directory of its own. It sees this machine's files
# read-only; /tmp shows them too but keeps changes to itself, and $TMPDIR is a tmpfs, where the root
# file systems of containers belong (hostfs knows neither chown nor xattrs). /dev/ubda is an empty
# disk. Output, exit status, working directory and environment are the command's own.
#
#   tests/vm/uml.sh [--lsm apparmor|selinux] [--cgroups v2|v1|hybrid] [--timeout SECONDS] [--memory SIZE] -- COMMAND...
#
# Exit status 124: the time ran out; 125: the machine did not come up. Needs: user-mode-linux, root.
set -u

lsm='' cgroups=v2 seconds=300 memory=1536M
usage () {
    sed -n 's/^#   tests/usage: tests/p' "$0" >&2
    exit 2
}
while [ $# -gt 0 ]; do
    case $1 in
    --lsm) lsm=${2-}; shift 2 ;;
    --cgroups) cgroups=${2-}; shift 2 ;;
    --timeout) seconds=${2-}; shift 2 ;;
    --memory) memory=${2-}; shift 2 ;;
    --) shift; break ;;
    *) usage ;;
    esac
done
[ $# -gt 0 ] || usage
case $lsm in
'') words=(lsm=yama selinux=0 apparmor=0) ;;
apparmor) words=(lsm=apparmor apparmor=1) ;;
selinux) words=(lsm=selinux selinux=1 enforcing=0) ;;
*) usage ;;
esac
case $cgroups in
v2) hierarchies= ;;
v1) hierarchies='cpu,cpuacct memory devices freezer blkio pids net_cls name=systemd' ;;
hybrid) hierarchies='cpu cpuacct devices freezer name=systemd unified' ;;
*) usage ;;
esac
# shellcheck source=tests/vm/machine.sh
. "$(dirname "$0")/machine.sh"

job "$@"
cat >"$work/init" <<INIT
#!/bin/bash
work=$(printf %q "$work")
hierarchies='$hierarchies'
INIT
cat >>"$work/init" <<'INIT'
export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
finish () {
    umount /mnt/out 2>/dev/null
    echo o >/proc/sysrq-trigger
    sleep 60
}
mount -t proc proc /proc
mount -t tmpfs tmpfs /mnt
mkdir /mnt/out /mnt/tmp /mnt/changes /mnt/changes/upper /mnt/changes/work
mount -t hostfs -o "$work/out" none /mnt/out || finish
exec >/mnt/out/stdout 2>/mnt/out/stderr </dev/null
cp "$work/environment" "$work/command" /mnt/
mount -t sysfs sysfs /sys
if [ -z "$hierarchies" ]; then
    mount -t cgroup2 cgroup2 /sys/fs/cgroup
else
    mount -t tmpfs -o mode=755 tmpfs /sys/fs/cgroup
fi
for options in $hierarchies; do
    at=/sys/fs/cgroup/${options#name=}
    mkdir "$at"
    case $options in
    unified) mount -t cgroup2 cgroup2 "$at" ;;
    name=*) mount -t cgroup -o "none,$options" cgroup "$at" ;;
    *) mount -t cgroup -o "$options" cgroup "$at" ;;
    esac || finish
done
mount -t securityfs securityfs /sys/kernel/security 2>/dev/null
mount -t selinuxfs selinuxfs /sys/fs/selinux 2>/dev/null
mountpoint -q /dev || mount -t devtmpfs devtmpfs /dev
mkdir -p /dev/pts /dev/shm /dev/mqueue
mount -t devpts -o gid=5,mode=620,ptmxmode=666 devpts /dev/pts
mount -t tmpfs -o mode=1777 tmpfs /dev/shm
mount -t mqueue mqueue /dev/mqueue
for link in fd:/proc/self/fd stdin:/proc/self/fd/0 stdout:/proc/self/fd/1 stderr:/proc/self/fd/2; do
    [ -e "/dev/${link%%:*}" ] || ln -s "${link#*:}" "/dev/${link%%:*}"
done
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p /mnt/modules/lib && ln -s /usr/lib/uml/modules /mnt/modules/lib/
modprobe -a -d /mnt/modules overlay dummy veth ipv6 bridge
mount -t overlay -o lowerdir=/tmp,upperdir=/mnt/changes/upper,workdir=/mnt/changes/work overlay /tmp ||
    mount -t tmpfs -o mode=1777 tmpfs /tmp
chmod 1777 /mnt/tmp
hostname uml
ip link set lo up
# What was written reaches the host's files by write-back: push it, so that a reader sees it live.
while sleep 1; do sync -f /mnt/out/stdout; done &
setsid bash -c '. /mnt/environment; export TMPDIR=/mnt/tmp PATH HOME=/root; . /mnt/command'
echo $? >/mnt/out/status
kill %1
exec >/dev/null 2>&1
sync -f /mnt/out/status
finish
INIT
chmod +x "$work/init"

boot "$seconds" "mem=$memory" root=/dev/root rootfstype=hostfs rootflags=/ ro "ubd0=$work/disk" \
    "init=$work/init" "${words[@]}" quiet
