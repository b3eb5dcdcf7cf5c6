#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Every test of rt, from a bare Debian 12 on: installs what is missing, builds, runs each runner, and
# ends with `N passed, N failed`. Needs root, and the network only for packages.
#
#   tests/run.sh                 all of it, some 40 minutes on two cores
#   tests/run.sh --fast          lint, one build, unit tests, the container suite
#   tests/run.sh --only NAME     one stage (and the build that it needs); may be repeated
#   tests/run.sh --list          the stages
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
image=''
trap '[ -z "$image" ] || wait "$image"; rm -rf "$programs"' EXIT
chmod 755 "$programs"
# shellcheck source=tests/stages.sh
. tests/stages.sh

only=()
stages=("${ALL_STAGES[@]}")
while [ $# -gt 0 ]; do
    case $1 in
    --fast) stages=("${FAST_STAGES[@]}"); shift ;;
    --only) only+=("${2:?--only needs a name}"); shift 2 ;;
    --list) printf '%s\n' "${ALL_STAGES[@]}"; exit 0 ;;
    *) sed -n '/^#   tests/s/^#   //p' "$0" >&2; exit 2 ;;
    esac
done
[ ${#only[@]} -eq 0 ] || stages=("${only[@]}")
for stage in "${stages[@]}"; do
    [[ " ${ALL_STAGES[*]} " == *" $stage "* ]] || {
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

run_stage () { # NAME
    local name=$1 code good bad out start=$SECONDS file=$log/$1.log
    printf '\n==== %s\n' "$name"
    "stage_$name" </dev/null 2>&1 | tee "$file"
    code=${PIPESTATUS[0]}
    read -r good bad out < <(count "$file")
    # A stage without tests of its own is one test; one that fails has at least one failure; and a
    # runner that says nothing has not run.
    if [ "$code" -ne 0 ] && [ "$bad" -eq 0 ]; then
        bad=1
    elif [ "$code" -eq 0 ] && [ $((good + bad)) -eq 0 ]; then
        if [[ " ${PLAIN_STAGES[*]} " == *" $name "* ]]; then good=1; else bad=1; fi
    fi
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + out))
    summaries+=("$(printf '%-14s %5d passed %4d failed %4d skipped %5d s' \
        "$name" "$good" "$bad" "$out" $((SECONDS - start)))")
    [ "$code" -eq 0 ] && [ "$bad" -eq 0 ]
}

# Runs a stage once, after what it stands on; a failure there fails it.
declare -A verdict
ensure () { # NAME
    local name=$1 need
    [ -z "${verdict[$name]-}" ] || { [ "${verdict[$name]}" = good ]; return; }
    for need in ${NEEDS[$name]-}; do
        if ! ensure "$need"; then
            verdict[$name]=bad
            failed=$((failed + 1))
            summaries+=("$(printf '%-14s not run, since %s failed' "$name" "$need")")
            return 1
        fi
    done
    verdict[$name]=good
    run_stage "$name" || verdict[$name]=bad
    [ "${verdict[$name]}" = good ]
}

mkdir -p "$log"
! ensure packages || [[ " ${stages[*]} " != *" systemd "* ]] || begin_image
for stage in "${stages[@]}"; do
    ensure "$stage"
done

printf '\n==== summary (logs in %s)\n' "$log"
printf '%s\n' "${summaries[@]}"
[ "$skipped" -eq 0 ] || echo "$skipped tests were skipped: this host lacks what they need"
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
