# SPDX-License-Identifier: Apache-2.0
"""who: as whom the suite runs. tests/as/ has the programs that set RT_TEST_AS.

root        (nothing set) on the host itself
user        an ordinary user with subordinate ids and cgroups of his own
single-id   the same without subordinate ids
nested      root in a container that rt made
blocked     root; each rt has to do without the system calls that RT_TEST_BLOCKED names (blocked.py)
"""

import os

AS = os.environ.get("RT_TEST_AS") or ("blocked" if os.environ.get("RT_TEST_BLOCKED") else "root")
ROOTLESS = AS in ("user", "single-id")

# The host's ids of a container's, [first inside, first outside, count], in user namespaces of ours.
if AS == "user":
    RANGES = [[0, os.getuid(), 1], [1, 300000, 65535]]
elif AS == "single-id":
    RANGES = [[0, os.getuid(), 1]]
else:
    RANGES = [[0, 100000, 65536]]

# Where the host's root owns the files the kernel says so first.
READ_ONLY_SYSCTL = "EACCES" if ROOTLESS else "EROFS"


def words():
    """For @pytest.mark.needs (...). root: what only the host's root can do; ids: more ids than one;
    host-cgroups: the roots of the hierarchies are the host's;
    all-calls: rt below no filter of ours; once: the suite has not run on another kind of host before, so
    that also what is the same on each is looked at."""
    found = {f"as-{AS}"}
    if not ROOTLESS:
        found.add("root")
    if AS in ("root", "blocked"):
        found.add("host-cgroups")
    if AS != "single-id":
        found.add("ids")
    if AS != "blocked":
        found.add("all-calls")
    if not os.environ.get("RT_TEST_AGAIN"):
        found.add("once")
    return found


def mappings():
    return [dict(zip(("containerID", "hostID", "size"), each)) for each in RANGES]


def host_id(inside):
    """What the host sees of an id of a container in a user namespace of ours."""
    for first, outside, count in RANGES:
        if first <= inside < first + count:
            return outside + inside - first
    raise AssertionError(f"{inside} is nobody in {RANGES}")
