#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# What a machine can say about the source, without building it and without git. Each check prints its
# findings as FILE:LINE: TEXT. With names as arguments only these checks run.
# LINT_TREE=DIR looks at another tree (tests/lint/selftest.sh does).
set -u
here=$(cd "$(dirname "$0")" && pwd)
top=${LINT_TREE:-$(cd "$here/../.." && pwd)}
export LINT_TREE=$top PYTHONDONTWRITEBYTECODE=1
python=/usr/bin/python3
cd "$top" || exit 2

sources () { # the C files, the shell scripts
    find . \( -name .git -o -name build-aux -o -path './build*' \) -prune -o "$@" -type f -print |
        LC_ALL=C sort
}

headers () { # each header compiles alone, with both compilers
    local compiler list
    mapfile -t list < <(find src oci-spec -name '*.h' | LC_ALL=C sort)
    for compiler in ${LINT_COMPILERS:-gcc clang}; do
        "$compiler" -fsyntax-only -x c -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror \
            -Wno-unused-function -include src/base/banned.h -Isrc -I. "${list[@]}" || return 1
    done
}

templates () { # what people copy must be right
    local compiler file
    for compiler in ${LINT_COMPILERS:-gcc clang}; do
        for file in contrib/templates/*.c; do
            "$compiler" -fsyntax-only -std=c11 -D_GNU_SOURCE -Wall -Wextra -Werror -Wshadow \
                -Wmissing-prototypes -include src/base/banned.h -Isrc -I. -Isrc/commands \
                "$file" || return 1
        done
    done
}

format () {
    local list
    mapfile -t list < <(find src oci-spec tests contrib -name '*.[ch]' | LC_ALL=C sort)
    clang-format --dry-run -Werror "${list[@]}" 2>&1 | grep -E 'error:|warning:' | cut -d: -f1 |
        uniq -c | awk '{ print $2 ":1: not as clang-format writes it (" $1 " places)" }'
    return "${PIPESTATUS[0]}"
}

shell () {
    local list
    mapfile -t list < <(sources \( -name '*.sh' -o -path './.ci/run' \))
    shellcheck --severity=style "${list[@]}"
}

layers () { "$python" "$here/layers.py"; }
sizes () { "$python" "$here/sizes.py"; }
marks () { "$python" "$here/marks.py"; }
calls () { "$python" "$here/calls.py"; }
checklist () { "$python" "$here/checklist.py"; }
security () { "$python" "$here/security.py"; }

passed=0 failed=0
for check in "${@:-layers sizes marks calls checklist security headers templates format shell}"; do
    for name in $check; do
        if report=$("$name" 2>&1); then
            passed=$((passed + 1))
            echo "ok      $name${report:+: $report}"
        else
            failed=$((failed + 1))
            printf 'FAILED  %s\n%s\n' "$name" "$report"
        fi
    done
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
