#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The container suite on another kin of host, which has all capabilities: tests/vm/uml.sh.
#
#   RT=PATH tests/vm/run-suite.sh [--cgroups v2|v1|hybrid] [--as user|nested] [PYTEST ARGUMENTS]
#
# The default: v2, as root of that host, tests/feature. --as: by one of the programs of tests/as.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top" || exit 2
export RT=${RT:-$top/build/rt} PYTHONDONTWRITEBYTECODE=1 RT_TEST_TIMEOUT=${RT_TEST_TIMEOUT:-120}
RT_PROBE=${RT_PROBE:-$(/usr/bin/python3 tests/feature/compiled.py)} || exit 125 # a compiler is slow there
export RT_PROBE
cgroups=v2
[ "${1-}" != --cgroups ] || { cgroups=$2; shift 2; }
as=()
if [ "${1-}" = --as ]; then
    as=("tests/as/$2.py" --)
    shift 2
fi
[ $# -gt 0 ] || set -- tests/feature
exec tests/vm/uml.sh --cgroups "$cgroups" --timeout "${RT_VM_TIMEOUT:-1800}" -- \
    "${as[@]}" /usr/bin/python3 -m pytest -q -p no:cacheprovider -rfE --tb=short "$@"
