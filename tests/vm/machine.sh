# SPDX-License-Identifier: Apache-2.0
# shellcheck shell=bash
#
# One machine of User-Mode Linux and one job in it, bounded in time: what uml.sh and run-systemd.sh
# have in common. Sourced.
#
#   job COMMAND...                   makes $work, which the machine's init finds: the command, the
#                                    environment it is to have, and out/ for what comes back
#   boot SECONDS KERNEL-WORDS...     until the machine ends; what the job prints is seen live
#
# In the machine the job's standard output and error go to out/stdout and out/stderr, and its exit
# status, last of all, to out/status. `boot` returns that; 124: the time ran out; 125: the machine did
# not come up or ended before the job did.

kernel=$(command -v linux.uml) || {
    echo "${0##*/}: linux.uml not found: apt install user-mode-linux" >&2
    exit 125
}

job () {
    work=$(mktemp -d "${TMPDIR:-/tmp}/rt-uml.XXXXXX")
    trap 'rm -rf "$work"' EXIT
    mkdir "$work/out"
    touch "$work/out/stdout" "$work/out/stderr"
    export -p >"$work/environment"
    { printf 'cd %q || exit 125\n' "$PWD"; printf '%q ' "$@"; echo; } >"$work/command"
    truncate -s 64M "$work/disk" # a block device that limits can be set for
}

# Its kernel and its processes are processes here that take turns at each system call: to wake one on
# another processor takes longer than the call. Each machine has one that no other machine has.
keep_to_one_processor () {
    local place
    for place in /sys/devices/system/cpu/cpu[0-9]*; do
        exec {processor}<"$place"
        ! flock -n "$processor" || ! taskset -cp "${place##*cpu}" "$BASHPID" >/dev/null 2>&1 || return 0
        exec {processor}<&-
    done
}

boot () {
    local seconds=$1 machine out err clock status=125
    shift
    keep_to_one_processor
    # A pid namespace, so that nothing of it outlives the one process that is killed.
    unshare --pid --fork --kill-child "$kernel" "$@" con=null con0=fd:0,fd:1 \
        </dev/null >"$work/console" 2>&1 &
    machine=$!
    tail -q -c +1 -s 0.2 -f --pid "$machine" "$work/out/stdout" &
    out=$!
    tail -q -c +1 -s 0.2 -f --pid "$machine" "$work/out/stderr" >&2 &
    err=$!

    # `wait` for the machine or for the clock, whichever is first.
    sleep "$seconds" &
    clock=$!
    # shellcheck disable=SC2064 # these, now
    trap "kill -KILL $machine $clock 2>/dev/null; rm -rf '$work'" EXIT
    trap 'exit 130' INT TERM HUP
    wait -n "$machine" "$clock"
    if kill -0 "$machine" 2>/dev/null; then
        kill -KILL "$machine"
        echo "${0##*/}: $seconds seconds are over" >&2
        status=124
    fi
    kill "$clock" 2>/dev/null
    wait "$machine" "$out" "$err" "$clock" 2>/dev/null
    if [ "$status" -eq 125 ] && [ -s "$work/out/status" ]; then
        status=$(cat "$work/out/status")
    else
        [ "$status" -eq 124 ] || echo "${0##*/}: the machine ended before the command did:" >&2
        tail -n 20 "$work/console" >&2
    fi
    return "$status"
}
