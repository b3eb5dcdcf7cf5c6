#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0
#
# Docker's tests on a host of cgroup v2 alone that has all capabilities, for what this machine may not
# give: --privileged, and the limits of v2. All of them take ten minutes there; the default are those.
# tests/engines/test_docker_nested.py takes as long again: two daemons have to start.
#
#   RT=PATH tests/vm/run-docker.sh [PYTEST ARGUMENTS]
#
# Needs: user-mode-linux, what tests/engines/test_docker.py needs.
set -u
top=$(cd "$(dirname "$0")/../.." && pwd)
cd "$top" || exit 2
if [ "${1-}" = --inside ]; then
    shift
    modprobe -a -d /mnt/modules br_netfilter iptable_nat iptable_filter xt_conntrack xt_MASQUERADE \
        xt_addrtype xt_nat xt_tcpudp || exit 125
    # That kernel has no tables of nftables.
    mount --bind /usr/sbin/xtables-legacy-multi /usr/sbin/xtables-nft-multi || exit 125
    exec /usr/bin/python3 -m pytest -q -p no:cacheprovider -rfE --tb=short "$@"
fi
export RT=${RT:-$top/build/rt} PYTHONDONTWRITEBYTECODE=1
[ $# -gt 0 ] || set -- tests/engines/test_docker.py tests/engines/test_docker_verbs.py \
    -k 'privileged or memory or test_update'
exec tests/vm/uml.sh --cgroups v2 --timeout "${RT_VM_TIMEOUT:-1800}" --memory 3G -- \
    "$top/tests/vm/run-docker.sh" --inside "$@"
