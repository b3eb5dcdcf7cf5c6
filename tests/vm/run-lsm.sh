#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# AppArmor and SELinux on kernels that enforce them: tests/feature/test_lsm.py in tests/vm/uml.sh, once
# for each, with apparmor.profile or selinux.cil loaded. No module of this machine is touched.
#
#   RT=PATH tests/vm/run-lsm.sh [--lsm apparmor|selinux] [PYTEST ARGUMENTS]
#
# Needs: what uml.sh needs, apparmor_parser (apparmor), secilc (secilc).
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top" || exit 2
export RT=${RT:-$top/build/rt} PYTHONDONTWRITEBYTECODE=1 RT_TEST_TIMEOUT=${RT_TEST_TIMEOUT:-60}

# shellcheck disable=SC2317 # inside of the machine
load () { # apparmor|selinux
    if [ "$1" = apparmor ]; then
        apparmor_parser --replace --skip-cache tests/vm/apparmor.profile
    else
        secilc --mls true --policyvers 33 --output "$TMPDIR/policy" --filecontext /dev/null \
            tests/vm/selinux.cil && cat "$TMPDIR/policy" >/sys/fs/selinux/load &&
            echo 1 >/sys/fs/selinux/enforce
    fi
}
if [ "${1-}" = --inside ]; then
    load "$2" || exit 1
    shift 2
    exec /usr/bin/python3 -m pytest -q -p no:cacheprovider -rfE --tb=short tests/feature/test_lsm.py "$@"
fi

RT_PROBE=${RT_PROBE:-$(/usr/bin/python3 tests/feature/compiled.py)} || exit 125 # a compiler is slow there
export RT_PROBE
code=0 kinds=(apparmor selinux)
[ "${1-}" != --lsm ] || { kinds=("$2"); shift 2; }
for lsm in "${kinds[@]}"; do
    echo "$lsm:"
    tests/vm/uml.sh --lsm "$lsm" --timeout 600 -- tests/vm/run-lsm.sh --inside "$lsm" "$@" || code=1
done
exit "$code"
