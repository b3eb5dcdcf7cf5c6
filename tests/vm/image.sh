#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# An ext4 image of a small Debian with Podman and with systemd as its first process, of this machine's
# own release and from the mirror, the keys and the proxy that this machine's apt is set up with. Prints
# the image's path. It is made once for each content: its name is the digest of all that goes in, and a run never
# writes to it. Who asks while another makes it waits.
#
#   tests/vm/image.sh [PACKAGE...]      (packages beyond those that every image has)
#
# RT_TEST_BUILD=DIR: where it is kept (build-test/ below the top of the source tree).
# Needs: mmdebstrap, e2fsprogs, root, the network.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
keep=${RT_TEST_BUILD:-$top/build-test}/images
packages=(systemd-sysv dbus dbus-user-session libpam-systemd python3-pytest busybox-static uidmap kmod
    iproute2 procps podman "$@")

# shellcheck source=contrib/debian_tree.sh
. "$top/contrib/debian_tree.sh"

fill () { # TREE
    local tree=$1
    rm -f "$tree"/etc/resolv.conf "$tree/etc/fstab"
    echo uml >"$tree/etc/hostname"
    echo '127.0.0.1 localhost uml' >"$tree/etc/hosts"
    echo 00000000000000000000000000000001 >"$tree/etc/machine-id"
    ln -s /dev/null "$tree/etc/systemd/system/console-getty.service"
    ln -s /dev/null "$tree/etc/systemd/system/getty@.service"
    ln -s /dev/null "$tree/etc/systemd/system/systemd-update-utmp.service"

    # A user whose service manager runs from the beginning, with the controllers that can be had.
    chroot "$tree" useradd --uid 1000 --user-group --create-home --shell /bin/bash user
    echo user:100000:65536 | tee "$tree/etc/subuid" >"$tree/etc/subgid"
    mkdir -p "$tree/var/lib/systemd/linger" "$tree/etc/systemd/system/user@.service.d"
    touch "$tree/var/lib/systemd/linger/user"
    printf '[Service]\nDelegate=cpu cpuset io memory pids\n' \
        >"$tree/etc/systemd/system/user@.service.d/delegate.conf"

    install -m 755 tests/vm/systemd-job "$tree/usr/local/sbin/systemd-job"
    install -m 644 tests/vm/systemd-job.service "$tree/etc/systemd/system/"
    ln -s /etc/systemd/system/systemd-job.service \
        "$tree/etc/systemd/system/multi-user.target.wants/"
}

cd "$top" || exit 2
list=$(debian_sources)
if [ -z "$list" ]; then # nothing has been asked of the mirror yet
    apt-get update -qq >&2 || exit 1
    list=$(debian_sources)
fi
[ -n "$list" ] || {
    echo "image.sh: apt knows no mirror of Debian" >&2
    exit 1
}
digest=$({ cat tests/vm/image.sh tests/vm/systemd-job tests/vm/systemd-job.service
    debian_settings; echo "$list" "${packages[@]}"; } | sha256sum | cut -c1-16)
image=$keep/systemd-$digest.ext4
mkdir -p "$keep"
exec 9>"$keep/lock"
flock 9
if [ ! -e "$image" ]; then
    work=$(mktemp -d "$keep/new.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    debian_settings >"$work/apt.conf"
    if ! { debian_tree "$work/tree" "$work/apt.conf" "$list" "${packages[@]}" &&
        fill "$work/tree" && truncate -s 2G "$work/image" &&
        mkfs.ext4 -q -F -U clear -E hash_seed=00000000-0000-0000-0000-000000000001 \
            -d "$work/tree" "$work/image"; } >"$work/log" 2>&1 9>&-; then
        cat "$work/log" >&2
        exit 1
    fi
    mv "$work/image" "$image"
fi
echo "$image"
