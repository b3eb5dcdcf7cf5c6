#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Every test of rt, from a bare Debian 12 on: installs what is missing, builds, runs each runner, and
# ends with `N passed, N failed`. Needs root, and the network only for packages.
#
#   tests/run.sh                 all of it, half an hour on two cores
#   tests/run.sh --fast          lint, one build, unit tests, the container suite
#   tests/run.sh --only NAME     one stage (and the build that it needs); may be repeated
#   tests/run.sh --list          the stages
#   tests/run.sh --long ...      each system call fails with each errno, not a sample (tests/faults)
#
# Builds and logs are in build-test/ (RT_TEST_BUILD=DIR for another place).
set -u
top=$(cd "$(dirname "$0")/.." && pwd)
cd "$top" || exit 2
build=${RT_TEST_BUILD:-$top/build-test}
log=$build/log
python=/usr/bin/python3
jobs=$(nproc)
programs=$(mktemp -d /tmp/rt-programs.XXXXXX)
chmod 755 "$programs"
image=''
declare -A running=() # process group of a part: "STAGE PART"
finish () {
    local group
    for group in "${!running[@]}"; do kill -INT -- "-$group"; done 2>/dev/null
    wait "${!running[@]}" ${image:+"$image"}
    rm -rf "$programs"
}
trap finish EXIT
trap 'exit 130' INT TERM HUP
# shellcheck source=tests/stages.sh
. tests/stages.sh

within () { # WORD WORDS...
    local word
    for word in "${@:2}"; do
        [ "$word" != "$1" ] || return 0
    done
    return 1
}

only=()
stages=("${ALL_STAGES[@]}")
while [ $# -gt 0 ]; do
    case $1 in
    --fast) stages=("${FAST_STAGES[@]}"); shift ;;
    --only) only+=("${2:?--only needs a name}"); shift 2 ;;
    --long) export RT_TEST_LONG=1; shift ;;
    --list) printf '%s\n' "${ALL_STAGES[@]}"; exit 0 ;;
    *) sed -n '/^#   tests/s/^#   //p' "$0" >&2; exit 2 ;;
    esac
done
[ ${#only[@]} -eq 0 ] || stages=("${only[@]}")
for stage in "${stages[@]}"; do
    within "$stage" "${ALL_STAGES[@]}" || {
        echo "run.sh: no stage $stage; there are: ${ALL_STAGES[*]}" >&2
        exit 2
    }
done
[ "$(id -u)" -eq 0 ] || {
    echo "run.sh: containers are made here: run it as root" >&2
    exit 2
}

passed=0 failed=0 skipped=0
summaries=()

# The figures of the runners' own closing lines, added up. Each runner must have told some.
count () { # LOG
    "$python" - "$1" <<'PYTHON'
import re
import sys

passed = failed = skipped = 0
for line in open(sys.argv[1], encoding="utf-8", errors="replace"):
    line = re.sub(r"\x1b\[[0-9;]*m", "", line).rstrip()
    if match := re.match(r"\[  (PASSED|FAILED)  \] (\d+) test\(s\)", line):   # cmocka
        if match[1] == "PASSED":
            passed += int(match[2])
        else:
            failed += int(match[2])
    elif match := re.match(r"\[  SKIPPED \] (\d+) test\(s\)", line):
        skipped += int(match[1])
    elif re.match(r"=* ?\d+ (passed|failed|skipped|error|deselected|xfailed)s?\b.* in [\d.]+s", line):  # pytest
        for number, word in re.findall(r"(\d+) (passed|failed|skipped|error)", line):
            passed += int(number) * (word == "passed")
            failed += int(number) * (word in ("failed", "error"))
            skipped += int(number) * (word == "skipped")
    elif match := re.fullmatch(r"(\d+) passed, (\d+) failed", line):          # scripts
        passed += int(match[1])
        failed += int(match[2])
print(passed, failed, skipped)
PYTHON
}

# A runner that says nothing has not run.
silent () { # NAME LOG
    local good bad
    ! within "$1" "${PLAIN_STAGES[@]}" || return 1
    read -r good bad _ < <(count "$2")
    [ $((good + bad)) -eq 0 ]
}

# What a stage has come to: exit status, log and seconds.
judge () { # NAME CODE SECONDS
    local name=$1 code=$2 good bad out
    read -r good bad out < <(count "$log/$name.log")
    # A stage without tests of its own is one test, and one that fails has at least one failure.
    if [ "$code" -eq 0 ] && silent "$name" "$log/$name.log"; then code=1; fi
    if [ "$code" -ne 0 ] && [ "$bad" -eq 0 ]; then
        bad=1
    elif [ $((good + bad)) -eq 0 ]; then
        good=1
    fi
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + out))
    summaries+=("$(printf '%-14s %5d passed %4d failed %4d skipped %5d s' \
        "$name" "$good" "$bad" "$out" "$3")")
    [ "$code" -eq 0 ] && [ "$bad" -eq 0 ] || verdict[$name]=bad
}

run_stage () { # NAME
    local start=$SECONDS
    printf '\n==== %s\n' "$1"
    "stage_$1" </dev/null 2>&1 | tee "$log/$1.log"
    judge "$1" "${PIPESTATUS[0]}" $((SECONDS - start))
}

# ready NAME: what the stage stands on is there; a failure there fails it.
declare -A verdict
ready () {
    local need
    for need in ${NEEDS[$1]-}; do
        if ! ensure "$need"; then
            verdict[$1]=bad
            failed=$((failed + 1))
            summaries+=("$(printf '%-14s not run, since %s failed' "$1" "$need")")
            return 1
        fi
    done
    verdict[$1]=good
}

# ensure NAME: runs the stage once, after what it stands on.
ensure () {
    [ -n "${verdict[$1]-}" ] || ! ready "$1" || run_stage "$1"
    [ "${verdict[$1]}" = good ]
}

# beside NAME...: stages each of which would leave a processor idle. Their parts, `stage_NAME PART`, run
# as many at a time as there are processors, of the stages that have ENGINES one at a time. What a stage
# says follows when it has ended; its seconds are those of its parts, added up.
beside () {
    local name part engine='' queue=() pid code i
    local -A left=() code_of=() seconds=() started=()
    for name in "$@"; do
        [ -z "${verdict[$name]-}" ] || continue
        ready "$name" || continue
        left[$name]=0 code_of[$name]=0 seconds[$name]=0
        for part in ${PARTS[$name]-all}; do
            queue+=("$name $part")
            left[$name]=$((left[$name] + 1))
        done
    done
    printf '\n==== beside each other: %s\n' "$*"
    while [ ${#queue[@]} -gt 0 ] || [ ${#running[@]} -gt 0 ]; do
        for i in "${!queue[@]}"; do
            [ ${#running[@]} -lt "$jobs" ] || break
            read -r name part <<<"${queue[i]}"
            if within "$name" "${ENGINES[@]}"; then
                [ -z "$engine" ] || continue
                engine=$name
            fi
            unset "queue[i]"
            set -m # a process group of its own, which can be ended
            "stage_$name" "$part" </dev/null >"$log/$name-$part.log" 2>&1 &
            set +m
            running[$!]="$name $part" started[$!]=$SECONDS
        done
        wait -n -p pid "${!running[@]}"
        code=$?
        read -r name part <<<"${running[$pid]}"
        unset "running[$pid]"
        [ "$engine" != "$name" ] || engine=''
        if [ "$code" -eq 0 ] && silent "$name" "$log/$name-$part.log"; then code=1; fi
        [ "$code" -eq 0 ] || code_of[$name]=$code
        seconds[$name]=$((seconds[$name] + SECONDS - started[$pid]))
        left[$name]=$((left[$name] - 1))
        [ "${left[$name]}" -gt 0 ] || report "$name" "${code_of[$name]}" "${seconds[$name]}"
    done
}

report () { # NAME CODE SECONDS
    local part
    printf '\n==== %s\n' "$1"
    for part in ${PARTS[$1]-all}; do
        [ "$part" = all ] || echo "$part:"
        cat "$log/$1-$part.log"
    done | tee "$log/$1.log"
    judge "$@"
}

mkdir -p "$log"
! ensure packages || ! within systemd "${stages[@]}" || begin_image
group=()
run_group () {
    if [ ${#group[@]} -eq 1 ] && [ -z "${PARTS[${group[0]}]-}" ]; then
        ensure "${group[0]}"
    elif [ ${#group[@]} -gt 0 ]; then
        beside "${group[@]}"
    fi
    group=()
}
for stage in "${stages[@]}"; do
    for need in ${NEEDS[$stage]-}; do
        ! within "$need" "${group[@]}" || run_group
    done
    if within "$stage" "${BESIDE[@]}"; then
        group+=("$stage")
    else
        run_group
        ensure "$stage"
    fi
done
run_group

printf '\n==== summary (logs in %s)\n' "$log"
printf '%s\n' "${summaries[@]}"
[ "$skipped" -eq 0 ] || echo "$skipped tests were skipped: this host lacks what they need"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
