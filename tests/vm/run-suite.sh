#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# The container suite on a host with cgroup v2 alone and all capabilities: tests/vm/uml.sh.
#
#   RT=PATH tests/vm/run-suite.sh [PYTEST ARGUMENTS]     (default: tests/feature)
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top" || exit 2
export RT=${RT:-$top/build/rt} PYTHONDONTWRITEBYTECODE=1 RT_TEST_TIMEOUT=${RT_TEST_TIMEOUT:-120}
[ $# -gt 0 ] || set -- tests/feature
exec tests/vm/uml.sh --timeout "${RT_VM_TIMEOUT:-900}" -- \
    /usr/bin/python3 -m pytest -q -p no:cacheprovider -rfE --tb=short "$@"
