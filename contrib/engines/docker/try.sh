#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# A Docker of its own whose containers rt runs, for as long as one command runs: the daemon has its own
# mount, network and process namespaces, /run and /etc, so the machine's daemon, bridges, firewall and
# files are not touched, and nothing is left when the command ends.
#
#   contrib/engines/docker/try.sh [--data DIR] [--daemon-option WORD]... [COMMAND...]
#
# The command (default: a shell) finds `docker` and `docker-compose` set up for that daemon, and the
# ports that containers publish on its own 127.0.0.1. From outside, docker works too:
# DOCKER_HOST=unix://DIR/docker.sock. Images and volumes stay in DIR where one is named.
# RT=PATH for an rt that is not /usr/local/sbin/rt. Needs root, and Debian's docker.io and iptables.
set -eu
here=$(cd "$(dirname "$0")" && pwd)

start_daemon () { # DATA OPTIONS...: inside the namespaces
    local data=$1
    shift
    # Docker writes a key to /etc/docker, its users to /etc/passwd, and sockets all over /run.
    mkdir -p "$data/overlay/etc" "$data/overlay/work"
    mount -t overlay -o "lowerdir=/etc,upperdir=$data/overlay/etc,workdir=$data/overlay/work" \
        overlay /etc
    mount -t tmpfs -o mode=755 tmpfs /run
    ip link set lo up
    sed "s#/usr/local/sbin/rt#$RT#" "$here/daemon.json" >"$data/daemon.json"
    dockerd --config-file "$data/daemon.json" --host "$DOCKER_HOST" --pidfile /run/docker.pid \
        --data-root "$data/docker" --cgroup-parent "$RT_TRY_CGROUP" "$@" >"$data/dockerd.log" 2>&1 &
    daemon=$!
    until docker version >/dev/null 2>&1; do
        kill -0 "$daemon" 2>/dev/null || {
            echo "try.sh: dockerd did not start:" >&2
            tail -n 20 "$data/dockerd.log" >&2
            exit 1
        }
        sleep 0.1
    done
}

end_daemon () {
    # A container that does not hear SIGTERM would hold up the daemon for its grace period.
    docker ps --quiet | xargs --no-run-if-empty docker kill >/dev/null || true
    kill "$daemon" || return 0
    wait "$daemon" || true
}

if [ -n "${RT_TRY_INSIDE-}" ]; then
    data=$RT_TRY_INSIDE options=()
    unset RT_TRY_INSIDE
    while [ "$1" != -- ]; do
        options+=("$1")
        shift
    done
    shift
    start_daemon "$data" "${options[@]}"
    "$@" && code=0 || code=$?
    end_daemon
    exit "$code"
fi

data='' given='' options=()
while [ $# -gt 0 ]; do
    case $1 in
    --data) data=${2:?--data needs a folder} given=yes; shift 2 ;;
    --daemon-option) options+=("${2:?--daemon-option needs a word}"); shift 2 ;;
    --) shift; break ;;
    -*) sed -n 's/^#   contrib/usage: contrib/p' "$0" >&2; exit 2 ;;
    *) break ;;
    esac
done
[ $# -gt 0 ] || set -- "${SHELL:-/bin/sh}"
[ "$(id -u)" -eq 0 ] || {
    echo "try.sh: a daemon is started: run it as root" >&2
    exit 1
}
for program in dockerd docker iptables; do
    command -v "$program" >/dev/null || {
        echo "try.sh: $program is missing: apt install docker.io iptables" >&2
        exit 1
    }
done
RT=$(realpath "${RT:-/usr/local/sbin/rt}")
[ -x "$RT" ] || {
    echo "try.sh: no rt at $RT: install it (make install), or set RT=PATH" >&2
    exit 1
}
if [ -n "$given" ]; then
    mkdir -p "$data"
    data=$(realpath "$data")
else
    data=$(mktemp -d /var/tmp/rt-docker.XXXXXX)
    chmod 711 "$data" # --userns-remap: ids without privilege must pass
fi
RT_TRY_CGROUP=/rt-docker-$$

# Daemon, containers, mounts and networks end with the namespaces' first process; only the cgroups lie
# outside, and the files.
clean () {
    local children tries=100
    read -r -a children </proc/$$/task/$$/children || true
    [ ${#children[@]} -eq 0 ] || kill -KILL "${children[@]}"
    while [ -n "$(find /sys/fs/cgroup -depth -type d -path "*$RT_TRY_CGROUP*" ! -exec rmdir {} \; \
        -print 2>/dev/null)" ]; do
        [ $((tries -= 1)) -gt 0 ] || {
            echo "try.sh: these cgroups are still in use:" >&2
            find /sys/fs/cgroup -type d -path "*$RT_TRY_CGROUP*" >&2
            break
        }
        sleep 0.1
    done
    rm -rf "$data/overlay" "$data/docker.sock"
    [ -n "$given" ] || rm -rf "$data"
}
trap clean EXIT

export RT RT_TRY_CGROUP RT_TRY_INSIDE=$data DOCKER_HOST=unix://$data/docker.sock \
    DOCKER_CONFIG=$data/client
setpriv --pdeathsig KILL -- unshare --mount --net --pid --fork --kill-child --mount-proc -- \
    "$here/try.sh" "${options[@]}" -- "$@"
