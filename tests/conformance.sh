#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Runs the validation programs of a built OCI runtime-tools tree against rt (docs/conformance.md).
#
#   tests/conformance.sh [--rt PATH] [--limit SECONDS] [--log DIR] TREE [NAME...]
#
# Prints a line for each program (points passed, failed, skipped) and a sum; ends with 0 only where nothing failed. With
# NAMEs only those programs run. Their whole output is kept below --log (default: a directory that is named at the end).
set -u
top=$(cd "$(dirname "$0")/.." && pwd)

usage () {
    sed -n '/^#   tests/s/^#   //p' "$0" >&2
    exit 2
}

rt=${RT:-$top/build/rt} limit=60 log=
while [ $# -gt 0 ]; do
    case $1 in
    --rt) rt=${2:?--rt needs a path}; shift 2 ;;
    --limit) limit=${2:?--limit needs seconds}; shift 2 ;;
    --log) log=${2:?--log needs a directory}; shift 2 ;;
    -*) usage ;;
    *) break ;;
    esac
done
[ $# -ge 1 ] || usage
tree=$(cd "$1" 2>/dev/null && pwd) || { echo "conformance: no directory $1" >&2; exit 2; }
shift
rt=$(command -v -- "$rt") || { echo "conformance: no runtime there; give --rt PATH" >&2; exit 2; }
rt=$(realpath "$rt")
[ -n "$log" ] || log=$(mktemp -d)
mkdir -p "$log"

mapfile -t programs < <(find "$tree/validation" -name '*.t' -type f -perm /111 2>/dev/null | sort)
[ ${#programs[@]} -gt 0 ] || {
    echo "conformance: $tree/validation has no programs; build them there:" \
        "make runtimetest validation-executables" >&2
    exit 2
}

# Points of one program's TAP output: "passed failed skipped". Lines of subtests are indented and belong to their point;
# what was planned and never came has failed, as has a program that was cut off or said nothing.
points () { # FILE STATUS
    awk -v status="$2" '
        /^1\.\.[0-9]+/ { plan = substr ($1, 4) + 0; if (plan == 0) empty = 1 }
        /^ok([ \t]|$)/ && /#[ \t]*[Ss][Kk][Ii][Pp]/ { skipped++; next }
        /^not ok([ \t]|$)/ && /#[ \t]*[Tt][Oo][Dd][Oo]/ { skipped++; next }
        /^ok([ \t]|$)/ { passed++ }
        /^not ok([ \t]|$)/ { failed++ }
        END {
            told = passed + failed + skipped
            if (plan > told)
                failed += plan - told
            else if (!told && empty && status == 0)
                skipped++
            else if (!failed && (!told || status != 0))
                failed++
            print passed + 0, failed + 0, skipped + 0
        }' "$1"
}

# The word that goes behind a line, where the figures do not tell all.
remark () { # FILE STATUS
    if [ "$2" -eq 124 ] || [ "$2" -eq 137 ]; then
        echo "cut off after $limit s"
    elif grep -q '^Bail out!' "$1"; then
        grep -m 1 '^Bail out!' "$1"
    elif [ "$2" -ne 0 ]; then
        echo "exit status $2"
    fi
}

passed=0 failed=0 skipped=0
printf '%-44s %6s %6s %7s\n' program passed failed skipped
for program in "${programs[@]}"; do
    name=$(basename "$program" .t)
    [ $# -eq 0 ] || [[ " $* " == *" $name "* ]] || continue
    # They look for runtimetest where they are started.
    (cd "$tree" && RUNTIME=$rt exec timeout -k 5 "$limit" "$program") >"$log/$name.tap" 2>"$log/$name.err" </dev/null
    status=$?
    read -r good bad out < <(points "$log/$name.tap" "$status")
    printf '%-44s %6d %6d %7d  %s\n' "$name" "$good" "$bad" "$out" "$(remark "$log/$name.tap" "$status")"
    passed=$((passed + good)) failed=$((failed + bad)) skipped=$((skipped + out))
done
printf '%-44s %6d %6d %7d\n' sum "$passed" "$failed" "$skipped"
echo "output in $log"
[ $((passed + failed + skipped)) -gt 0 ] || { echo "conformance: no program ran" >&2; exit 2; }
[ "$failed" -eq 0 ]
