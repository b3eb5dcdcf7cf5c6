# SPDX-License-Identifier: Apache-2.0
"""limits: what a container's cgroup files say, by the limit's name."""

MIB = 1 << 20
UNLIMITED = ("max", "9223372036854771712")


def value(box, controller, v1_file, v2_file):
    return box.cgroups.read(box.pid, controller, v1_file, v2_file)


def limit_of(box):
    return value(box, "memory", "memory.limit_in_bytes", "memory.max")


def swap_of(box):
    return value(box, "memory", "memory.memsw.limit_in_bytes", "memory.swap.max")


def pids_of(box):
    return value(box, "pids", "pids.max", "pids.max")


def shares_of(box):
    return value(box, "cpu", "cpu.shares", "cpu.weight")


def bandwidth_of(box):
    """(quota, period), -1 for none."""
    if box.cgroups.layout == "v2":
        quota, period = value(box, "cpu", "", "cpu.max").split()
        return ("-1" if quota == "max" else quota), period
    return (value(box, "cpu", "cpu.cfs_quota_us", ""), value(box, "cpu", "cpu.cfs_period_us", ""))


def all_of(box):
    return limit_of(box), swap_of(box), pids_of(box), shares_of(box), bandwidth_of(box)
