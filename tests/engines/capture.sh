#!/bin/bash
# SPDX-License-Identifier: Apache-2.0
#
# capture: has podman, docker and containerd write the config files that tests/engines/captured holds.
#
#     tests/engines/capture.sh [OUTPUT-DIRECTORY]
#
# Needs root and the packages podman docker.io containerd runc catatonit tini busybox-static
# containernetworking-plugins. The engines run in namespaces of their own (mount, network, pid, ipc,
# uts) with their state on a tmpfs: the host's daemons, bridges and firewall are not touched, and all
# processes end with this script. Only the cgroups lie on the host; they are removed at the end.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
if [ -z "${CAPTURE_INSIDE:-}" ]; then
    CAPTURE_INSIDE=1 exec unshare --mount --net --pid --ipc --uts --fork --kill-child --mount-proc \
        -- "$here/capture.sh" "$(realpath "${1:-$here/captured}")"
fi

out=$1
work=/run/capture
engine=

# The container's own command tells what the test wants to know, so that no argument need be replaced.
probe=(/bin/sh -c 'cat /proc/self/status /proc/self/mountinfo')

mount -t tmpfs tmpfs /run
mount -t tmpfs tmpfs /var/lib
mkdir -p "$work"/{raw,volume/sub,podman,docker,containerd} /var/lib/cni /run/netns
mount --bind "$work/volume" "$work/volume"
mount --make-shared "$work/volume"
command -v runc >"$work/runc"
ip link set lo up
hostname capturehost

remove_cgroups () {
    local tries=3
    while ((tries-- > 0)); do
        find /sys/fs/cgroup -mindepth 2 -depth -type d \
            \( -path '*/libpod_parent*' -o -path '*/docker/*' -o -path '*/docker' -o -path '*/capture-*' \) \
            -exec rmdir {} + 2>"$work/rmdir" && return
        sleep 1
    done
    cat "$work/rmdir" >&2
}
trap remove_cgroups EXIT

# --- the image ---------------------------------------------------------------------------------

mkdir -p "$work"/image/{bin,etc,tmp,proc,sys,dev,data}
cp "$(command -v busybox)" "$work/image/bin/busybox"
for applet in sh cat true sleep id; do ln -s busybox "$work/image/bin/$applet"; done
printf 'root:x:0:0:root:/:/bin/sh\nworker:x:1000:1000::/:/bin/sh\n' >"$work/image/etc/passwd"
printf 'root:x:0:\nworker:x:1000:\nextra:x:2000:worker\n' >"$work/image/etc/group"
tar -C "$work/image" -cf "$work/image.tar" .

# --- one case ----------------------------------------------------------------------------------

# case_ NAME: what the engines write from now on belongs to ENGINE-NAME.
case_ () {
    echo "$engine-$1" >"$work/case"
    echo "== $engine-$1" >&2
}

# The engine's own word for what went wrong; some cases cannot run on every host, and the config file
# was written before that.
attempt () {
    timeout -k 5 60 "$@" </dev/null >"$work/stdout" 2>"$work/stderr" || {
        echo "   (exit $?: $(grep -v -- --help "$work/stderr" | tail -n 1 | cut -c 1-300))" >&2
    }
}

# With a terminal.
attempt_tty () {
    timeout -k 5 60 script -qefc "$(printf '%q ' "$@")" /dev/null </dev/null >"$work/stdout" 2>&1 || {
        echo "   (exit $?: $(tail -n 1 "$work/stdout"))" >&2
    }
}

# Options that podman and docker share.
podman_and_docker () {
    case_ plain; run "${probe[@]}"
    case_ network-none; run --network none "${probe[@]}"
    case_ tty; run_tty "${probe[@]}"
    case_ volumes; run -v "$work/volume:/data" -v "$work/volume/sub:/sub:ro" --tmpfs /scratch:size=1m,mode=1777 "${probe[@]}"
    case_ volume-shared; run -v "$work/volume:/data:rshared" "${probe[@]}"
    case_ read-only; run --read-only --tmpfs /tmp "${probe[@]}"
    case_ user; run --user 1000:1000 --group-add 2000 "${probe[@]}"
    case_ user-name; run --user worker "${probe[@]}"
    case_ cap-drop-all; run --cap-drop ALL --cap-add NET_BIND_SERVICE "${probe[@]}"
    case_ cap-add-all; run --cap-add ALL "${probe[@]}"
    case_ cap-add-user; run --user 1000 --cap-add NET_ADMIN "${probe[@]}"
    case_ privileged; run --privileged "${probe[@]}"
    case_ no-new-privileges; run --security-opt no-new-privileges "${probe[@]}"
    case_ seccomp-unconfined; run --security-opt seccomp=unconfined "${probe[@]}"
    case_ limits; run --memory 64m --memory-reservation 32m --cpus 0.5 --pids-limit 64 --cpu-shares 512 --cpuset-cpus 0 "${probe[@]}"
    case_ memory-swap; run --memory 64m --memory-swap 128m --oom-score-adj 500 "${probe[@]}"
    case_ blkio; run --blkio-weight 500 "${probe[@]}"
    case_ device; run --device /dev/full:/dev/fuller:rw --device-cgroup-rule 'c 42:* rmw' "${probe[@]}"
    case_ ulimit; run --ulimit nofile=512:1024 --ulimit nproc=512:1024 --ulimit core=0:0 "${probe[@]}"
    case_ init; run --init "${probe[@]}"
    case_ pid-host; run --pid host "${probe[@]}"
    case_ ipc-host; run --ipc host "${probe[@]}"
    case_ network-host; run --network host "${probe[@]}"
    case_ uts-host; run --uts host "${probe[@]}"
    case_ cgroupns-private; run --cgroupns private "${probe[@]}"
    case_ sysctl; run --sysctl net.ipv4.ip_forward=1 --sysctl kernel.msgmax=9000 "${probe[@]}"
    case_ environment; run --env COLOUR=green --env 'SPACED=a b' --workdir /data --hostname inner --label a=b "${probe[@]}"
    case_ cgroup-parent; run --cgroup-parent /capture-parent "${probe[@]}"
    case_ shm-size; run --shm-size 1m "${probe[@]}"
}

# Processes that join a running container.
exec_cases () {
    case_ exec-target; start_sleeper target
    case_ exec; attempt "${cli[@]}" exec target "${probe[@]}"
    case_ exec-user; attempt "${cli[@]}" exec --user 1000:1000 --env COLOUR=red --workdir /tmp target "${probe[@]}"
    case_ exec-privileged; attempt "${cli[@]}" exec --privileged target "${probe[@]}"
    case_ exec-tty; attempt_tty "${cli[@]}" exec -it target "${probe[@]}"
    case_ join-namespaces; run --pid container:target --ipc container:target --network container:target "${probe[@]}"
    case_ pause; attempt "${cli[@]}" pause target
    attempt "${cli[@]}" unpause target
    case_ stop; attempt "${cli[@]}" stop -t 1 target
    attempt "${cli[@]}" rm -f target
}

# --- podman ------------------------------------------------------------------------------------

podman_cases () {
    engine=podman
    cli=(podman --root "$work/podman/data" --runroot "$work/podman/run" --tmpdir "$work/podman/tmp"
        --cgroup-manager cgroupfs --storage-driver vfs --events-backend file
        --runtime "$here/capture_runtime.sh")
    # Without CAP_SYS_RESOURCE podman's own defaults cannot be set.
    local ulimits=(--ulimit nofile=1024:1024 --ulimit nproc=1024:1024)
    run () {
        local options=()
        while [ "$1" != "${probe[0]}" ]; do options+=("$1"); shift; done
        case " ${options[*]} " in *' --ulimit '*) ;; *) options+=("${ulimits[@]}") ;; esac
        attempt "${cli[@]}" run --rm "${options[@]}" capture "$@"
    }
    run_tty () { attempt_tty "${cli[@]}" run --rm -it "${ulimits[@]}" capture "$@"; }
    start_sleeper () { attempt "${cli[@]}" run -d --name "$1" "${ulimits[@]}" capture /bin/sleep 600; }

    attempt "${cli[@]}" import "$work/image.tar" capture
    "${cli[@]}" save --format oci-archive -o "$work/oci.tar" capture >/dev/null 2>&1
    podman_and_docker
    exec_cases
    case_ userns; run --uidmap 0:100000:65536 --gidmap 0:100000:65536 "${probe[@]}"
    case_ userns-keep-caps; run --uidmap 0:100000:65536 --user 1000 --cap-add SYS_ADMIN "${probe[@]}"
    case_ systemd; run --systemd always "${probe[@]}"
    case_ unmask; run --security-opt unmask=ALL --security-opt mask=/etc/passwd "${probe[@]}"
    case_ umask; run --umask 0077 --annotation run.oci.keep_original_groups=1 "${probe[@]}"
    case_ mounts; run --mount type=tmpfs,dst=/scratch,tmpfs-size=64k,tmpcopyup \
        --mount "type=bind,src=$work/volume,dst=/data,bind-nonrecursive,ro" \
        --mount type=devpts,dst=/pts "${probe[@]}"
    case_ idmap; run -v "$work/volume:/data:idmap" --uidmap 0:100000:65536 "${probe[@]}"
    case_ pod-infra; attempt "${cli[@]}" pod create --name pod
    attempt "${cli[@]}" pod start pod
    case_ pod-member; run --pod pod "${probe[@]}"
    case_ pod-remove; attempt "${cli[@]}" pod rm -f pod
    local v2=(unshare --mount --propagation private -- sh -c
        'mount -t cgroup2 cgroup2 /sys/fs/cgroup && exec "$@"' sh)
    cli=("${v2[@]}" "${cli[@]}" --log-level error)
    case_ v2-plain; run --pids-limit 0 "${probe[@]}"
    case_ v2-limits; run --memory 64m --cpus 0.5 --cpu-shares 512 "${probe[@]}"
}

# --- docker ------------------------------------------------------------------------------------

docker_cases () {
    engine=docker
    local socket=unix://$work/docker/socket
    cli=(docker -H "$socket")
    dockerd -H "$socket" --data-root "$work/docker/data" --exec-root "$work/docker/run" \
        --pidfile "$work/docker/pid" --storage-driver vfs \
        --add-runtime "capture=$here/capture_runtime.sh" --default-runtime capture \
        >"$work/docker/log" 2>&1 &
    timeout 30 sh -c "until docker -H $socket version; do sleep 0.2; done" >/dev/null 2>&1

    run () {
        local options=()
        while [ "$1" != "${probe[0]}" ]; do options+=("$1"); shift; done
        attempt "${cli[@]}" run --rm "${options[@]}" capture "$@"
    }
    run_tty () { attempt_tty "${cli[@]}" run --rm -it capture "$@"; }
    start_sleeper () { attempt "${cli[@]}" run -d --name "$1" capture /bin/sleep 600; }

    attempt "${cli[@]}" import "$work/image.tar" capture
    podman_and_docker
    exec_cases
    case_ restart; attempt "${cli[@]}" run -d --name again capture /bin/sleep 600
    attempt "${cli[@]}" update --memory 32m --memory-swap 64m again
    attempt "${cli[@]}" top again
    attempt "${cli[@]}" rm -f again
    kill "$(cat "$work/docker/pid")"
    wait %1 || true
}

# --- containerd --------------------------------------------------------------------------------

containerd_cases () {
    engine=containerd
    local serial=0
    cat >"$work/containerd/config.toml" <<TOML
version = 2
root = "$work/containerd/data"
state = "$work/containerd/run"
disabled_plugins = ["io.containerd.grpc.v1.cri"]
[grpc]
  address = "$work/containerd/socket"
TOML
    # ctr forgets --runc-binary where it has other options for the shim: be the first runc that is found.
    mkdir "$work/bin"
    ln -s "$here/capture_runtime.sh" "$work/bin/runc"
    PATH=$work/bin:$PATH containerd -c "$work/containerd/config.toml" >"$work/containerd/log" 2>&1 &
    local pid=$!
    cli=(ctr -a "$work/containerd/socket")
    timeout 30 sh -c "until ${cli[*]} version; do sleep 0.2; done" >/dev/null 2>&1

    run () {
        local options=()
        while [ "$1" != "${probe[0]}" ]; do options+=("$1"); shift; done
        serial=$((serial + 1))
        attempt "${cli[@]}" run --rm --snapshotter native --runc-binary "$here/capture_runtime.sh" \
            "${options[@]}" docker.io/library/capture:latest "capture-$serial" "$@"
    }
    "${cli[@]}" images import --snapshotter native --index-name docker.io/library/capture:latest "$work/oci.tar" >"$work/stdout" 2>&1 ||
        cat "$work/stdout" >&2
    case_ plain; run "${probe[@]}"
    case_ seccomp; run --seccomp "${probe[@]}"
    case_ network-host; run --net-host "${probe[@]}"
    case_ privileged; run --privileged "${probe[@]}"
    case_ allow-new-privileges; run --allow-new-privs "${probe[@]}"
    case_ cap-add; run --cap-add CAP_NET_ADMIN --cap-drop CAP_MKNOD "${probe[@]}"
    case_ mounts; run --mount "type=bind,src=$work/volume,dst=/data,options=rbind:ro" "${probe[@]}"
    case_ read-only; run --read-only --cwd /tmp --env COLOUR=green "${probe[@]}"
    case_ limits; run --memory-limit 67108864 --cpus 0.5 "${probe[@]}"
    case_ device; run --device /dev/full "${probe[@]}"
    case_ propagation; run --rootfs-propagation rslave --annotation org.example.key=value "${probe[@]}"
    case_ with-namespace; run --with-ns "network:/proc/$$/ns/net" "${probe[@]}"
    case_ cgroup; run --cgroup /capture-parent/ctr "${probe[@]}"
    case_ userns; run --uidmap 0:100000:65536 --gidmap 0:100000:65536 "${probe[@]}"
    case_ no-pivot; run --no-pivot "${probe[@]}"
    case_ tty; attempt_tty "${cli[@]}" run --rm -t --snapshotter native \
        --runc-binary "$here/capture_runtime.sh" docker.io/library/capture:latest capture-tty "${probe[@]}"
    case_ exec-target
    attempt "${cli[@]}" run -d --snapshotter native --runc-binary "$here/capture_runtime.sh" \
        docker.io/library/capture:latest target /bin/sleep 600
    case_ exec; attempt "${cli[@]}" tasks exec --exec-id one target "${probe[@]}"
    case_ exec-user; attempt "${cli[@]}" tasks exec --exec-id two --user 1000:1000 --cwd /tmp target "${probe[@]}"
    case_ tasks; attempt "${cli[@]}" tasks pause target
    attempt "${cli[@]}" tasks resume target
    attempt "${cli[@]}" tasks ps target
    attempt "${cli[@]}" tasks metrics target
    attempt "${cli[@]}" tasks kill --signal SIGKILL target
    attempt "${cli[@]}" tasks delete target
    kill "$pid"
    wait "$pid" || true
}

podman_cases
docker_cases
containerd_cases
/usr/bin/python3 "$here/placeholders.py" "$work" "$out"
