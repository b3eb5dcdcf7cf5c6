#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Tests on a host whose first process is systemd, with cgroup v2 alone and a user who has a session: the
# image of image.sh in User-Mode Linux. The source tree is seen read-only at its own path, rt is
# /usr/local/bin/rt, /tmp is a tmpfs, and what is written to the image ends with the run.
#
#   RT=PATH tests/vm/run-systemd.sh [--with PACKAGE]... [PYTEST ARGUMENTS]  (default: tests/systemd)
#   RT=PATH tests/vm/run-systemd.sh [--with PACKAGE]... -- COMMAND...
#
# RT_VM_TIMEOUT=SECONDS for all of it (1800). Exit status: that of the command; 124: the time ran out;
# 125: the machine did not come up. Needs: what image.sh needs, user-mode-linux, a compiler for the probe.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top" || exit 2
rt=$(realpath "${RT:-$top/build/rt}")
with=()
while [ "${1-}" = --with ]; do
    with+=("${2:?--with needs a package}")
    shift 2
done
image=$(tests/vm/image.sh "${with[@]}") || exit 125

# shellcheck source=tests/vm/machine.sh
. tests/vm/machine.sh
export RT=/usr/local/bin/rt RT_PROBE=/usr/local/bin/rt-probe RT_TEST_TIMEOUT=${RT_TEST_TIMEOUT:-60} \
    PYTHONDONTWRITEBYTECODE=1
case ${1-} in
--) shift ;;
'') set -- tests/systemd ;&
*) set -- /usr/bin/python3 -m pytest -q -p no:cacheprovider -rfE --tb=short "$@" ;;
esac
job "$@"
cp "$rt" "$work/rt" && cp "$(/usr/bin/python3 tests/feature/compiled.py)" "$work/rt-probe" || exit 125

{ printf 'top=%q\n' "$top"; cat <<'INIT'; } >"$work/init"
mount -t tmpfs -o mode=1777 tmpfs /tmp
mkdir -p "$top"
mount -t hostfs -o "ro,$top" none "$top"
mkdir -p /lib/modules
mount -t hostfs -o ro,/usr/lib/uml/modules none /lib/modules
modprobe -a overlay dummy veth ipv6 bridge
install -m 755 /mnt/rt /mnt/rt-probe /usr/local/bin/
systemctl start user@1000.service
while sleep 1; do sync -f /mnt/out/stdout; done &
pusher=$!
setsid --wait bash -c '. /mnt/environment
    unset XDG_RUNTIME_DIR DBUS_SESSION_BUS_ADDRESS
    export TMPDIR=/tmp HOME=/root LANG=C.UTF-8
    export PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
    . /mnt/command'
echo $? >/mnt/out/status
kill "$pusher"
exec >/dev/null 2>&1
sync -f /mnt/out/status
INIT

boot "${RT_VM_TIMEOUT:-1800}" "mem=${RT_VM_MEMORY:-1536M}" root=/dev/ubda rw \
    "ubd0=$work/changes,$image" "ubd1=$work/disk" lsm=yama selinux=0 apparmor=0 \
    systemd.show_status=0 systemd.journald.forward_to_console=0 loglevel=3 "rt.job=$work"
