# SPDX-License-Identifier: Apache-2.0
"""Cgroups: where the container is placed, and its limits; on v1, hybrid and v2."""

import os
import subprocess

import pytest

import host
from bundle import label


def remove_parents(cgroups, name):
    """A runtime removes its container's cgroup, not what it had to make above it."""
    for top in cgroups.dirs(name):
        for path, _, _ in os.walk(top, topdown=False):
            os.rmdir(path)


@pytest.mark.rows("CGM-01", "CGM-04", "CGM-09", "CGM-12", "CGM-15", "CGM-03", "ENG-25",
                  "ENG-27", "ENG-28")
def test_placed_by_cgroups_path(new_box, cgroups):
    box = new_box("pause")
    own = cgroups.of("self")
    box.create()
    for name, path in cgroups.of(box.pid).items():
        if name in cgroups.controllers or name.startswith("name=") or (name == "" and cgroups.v2):
            assert path == f"/{box.cgroup}", name
    assert cgroups.of("self") == own


@pytest.mark.rows("CGM-04", "CGM-07", "CGM-23")
@pytest.mark.parametrize("shape", ["/{}//deep/./er/", "//{}"])
def test_unclean_paths(new_box, cgroups, shape):
    box = new_box("pause")
    box.linux["cgroupsPath"] = shape.format(box.cgroup)
    box.create()
    want = os.path.normpath("/" + shape.format(box.cgroup).lstrip("/"))
    assert cgroups.path(box.pid, "pids") == want
    box.delete("-f")
    box.wait()
    remove_parents(cgroups, box.cgroup)


@pytest.mark.rows("CGM-07", "CGM-32")
@pytest.mark.own
@pytest.mark.parametrize("path", ["/x/../y", "../../..", "/..", "a/../../b"])
def test_paths_that_lead_upwards(box, fails, path):
    box.linux["cgroupsPath"] = path
    fails(box.create(code=None), "..", at="/linux/cgroupsPath")


@pytest.mark.rows("CGM-05")
@pytest.mark.own
def test_relative_path_is_always_the_same(new_box, cgroups):
    paths = []
    for _ in range(2):
        box = new_box("pause")
        box.linux["cgroupsPath"] = f"rt-relative-{os.getpid()}"
        box.create(cwd=box.dir)
        paths.append(cgroups.of(box.pid))
        box.delete("-f")
        box.wait()
    assert paths[0] == paths[1]
    assert not cgroups.dirs(f"rt-relative-{os.getpid()}")


@pytest.mark.rows("CGM-06")
def test_no_cgroups_path(new_box, cgroups):
    box = new_box("pause")
    del box.linux["cgroupsPath"]
    box.create()
    assert box.id in cgroups.path(box.pid, "pids")


@pytest.mark.rows("CGM-23", "CGM-17", "VRB-26")
def test_sub_cgroups_are_removed(new_box, cgroups):
    box = new_box("pause")
    box.up()
    for root in {cgroups.dir(box.pid, "pids"), cgroups.dir(box.pid, "memory")}:
        os.makedirs(os.path.join(root, "one", "two"))
        os.makedirs(os.path.join(root, "three"))
    box.delete("-f")
    box.wait()
    assert cgroups.dirs(box.cgroup) == []


@pytest.mark.rows("CGM-24", "VRB-23")
def test_processes_in_sub_cgroups_are_killed(new_box, cgroups):
    box = new_box("children 2", "pause")
    box.up()
    root = cgroups.dir(box.pid, "pids")
    os.mkdir(os.path.join(root, "below"))
    with open(os.path.join(root, "cgroup.procs"), encoding="ascii") as file:
        child = [int(pid) for pid in file if int(pid) != box.pid][0]
    with open(os.path.join(root, "below", "cgroup.procs"), "w", encoding="ascii") as file:
        file.write(str(child))
    box.delete("-f")
    host.wait_dead(child)
    box.wait()


@pytest.mark.rows("CGM-23")
def test_cgroup_that_is_gone_already(new_box, cgroups):
    box = new_box("exit 0")
    box.create()
    box.start()
    box.wait()
    for path in cgroups.dirs(box.cgroup):
        os.rmdir(path)
    box.delete()


@pytest.mark.rows("CGM-28", "LCY-08")
def test_the_cgroup_is_remembered(new_box):
    box = new_box("pause")
    box.create()
    box.linux["cgroupsPath"] = "/elsewhere"
    box.save()
    box.delete("-f")
    box.wait()


@pytest.mark.rows("CGM-18", "CRT-44")
@pytest.mark.own
@pytest.mark.parametrize("place", ["below", "below/deep/down"])
def test_frozen_cgroup_is_refused(new_box, fails, cgroups, place):
    """The cgroup itself, or one above it: then the frozen one is named, and nothing is made."""
    first = new_box("pause")
    first.up()
    parent = cgroups.dir(first.pid, "freezer")
    if cgroups.is_v2("freezer"):
        inner, word, name = os.path.join(parent, "below"), "1", "cgroup.freeze"
    else:
        inner, word, name = os.path.join(parent, "below"), "FROZEN", "freezer.state"
    os.mkdir(inner)
    with open(os.path.join(inner, name), "w", encoding="ascii") as file:
        file.write(word)
    second = new_box("report")
    second.linux["cgroupsPath"] = f"/{first.cgroup}/{place}"
    second.linux["resources"] = {}
    second.cgroup = "nothing-of-that-name"
    fails(second.create(code=None), f"{inner}' ", "frozen", at="/linux/cgroupsPath")
    assert not os.path.exists(os.path.join(inner, "deep"))


@pytest.mark.rows("CGM-19", "CGM-20", "CGM-22")
@pytest.mark.needs("v2")
@pytest.mark.parametrize("writable, private, owner", [(True, True, 100000), (False, True, 0),
                                                      (True, False, 0)])
@pytest.mark.needs("root: chooses ids")
def test_ownership_of_the_cgroup(new_box, cgroups, writable, private, owner):
    box = new_box("pause")
    box.userns()
    if writable:
        box.config["mounts"][6]["options"].remove("ro")
    if not private:
        box.namespace("cgroup", absent=True)
    box.create()
    directory = cgroups.dir(box.pid, "")
    assert os.stat(directory).st_uid == owner
    for name in ("cgroup.procs", "cgroup.threads", "cgroup.subtree_control"):
        assert os.stat(os.path.join(directory, name)).st_uid == owner
    assert os.stat(os.path.join(directory, "memory.max")).st_uid == 0
    with open(os.path.join(directory, "cgroup.max.depth"), encoding="ascii") as file:
        assert file.read() == ("100\n" if owner else "max\n")


@pytest.mark.rows("CGM-14", "CGR-20")
@pytest.mark.needs("cpuset")
def test_cpuset(new_box, cgroups):
    box = new_box("report", "pause")
    box.linux["resources"]["cpu"] = {"cpus": "0", "mems": "0"}
    box.linux["cgroupsPath"] = f"/{box.cgroup}/a/b"
    assert box.up().report["cpus"] == 1
    assert cgroups.read(box.pid, "cpuset", "cpuset.cpus", "cpuset.cpus") == "0"
    box.delete("-f")
    box.wait()
    remove_parents(cgroups, box.cgroup)


def value(box, controller, v1_file, v2_file):
    return box.cgroups.read(box.pid, controller, v1_file, v2_file)


@pytest.mark.rows("CGR-01", "CGR-03", "CGR-40")
@pytest.mark.needs("memory")
def test_memory(new_box):
    box = new_box("pause")
    box.linux["resources"]["memory"] = {"limit": 64 << 20, "reservation": 32 << 20}
    box.create()
    assert value(box, "memory", "memory.limit_in_bytes", "memory.max") == str(64 << 20)
    assert value(box, "memory", "memory.soft_limit_in_bytes", "memory.low") == str(32 << 20)


@pytest.mark.rows("CGR-01")
@pytest.mark.needs("memory")
def test_unlimited_memory(new_box):
    box = new_box("pause")
    box.linux["resources"]["memory"] = {"limit": -1}
    box.create()
    assert value(box, "memory", "memory.limit_in_bytes", "memory.max") \
        in ("max", "9223372036854771712")


@pytest.mark.rows("CGR-04", "CGR-05", "CGR-08")
@pytest.mark.needs("memory")
@pytest.mark.parametrize("limit, swap, v1, v2", [
    (64 << 20, 96 << 20, 96 << 20, 32 << 20), (64 << 20, 64 << 20, 64 << 20, 0),
    (64 << 20, -1, None, None)])
def test_swap(new_box, cgroups, limit, swap, v1, v2):
    box = new_box("pause")
    box.linux["resources"]["memory"] = {"limit": limit, "swap": swap}
    box.create()
    name = "memory.swap.max" if cgroups.is_v2("memory") else "memory.memsw.limit_in_bytes"
    assert os.path.exists(os.path.join(cgroups.dir(box.pid, "memory"), name))
    got = value(box, "memory", "memory.memsw.limit_in_bytes", "memory.swap.max")
    want = v2 if cgroups.is_v2("memory") else v1
    assert got == str(want) if want is not None else got in ("max", "9223372036854771712")


@pytest.mark.rows("CGR-04")
@pytest.mark.needs("memory")
@pytest.mark.own
@pytest.mark.parametrize("memory", [{"limit": 64 << 20, "swap": 32 << 20}, {"swap": 64 << 20}],
                         ids=["below", "alone"])
def test_bad_swap(box, fails, memory):
    box.linux["resources"]["memory"] = memory
    fails(box.create(code=None), "swap", at="/linux/resources/memory/swap")


@pytest.mark.rows("CGR-35", "CGR-01", "CGM-27")
@pytest.mark.needs("memory")
@pytest.mark.own
def test_too_little_memory(box):
    box.linux["resources"]["memory"] = {"limit": 8192}
    told = box.run(code=None)
    assert told.code not in (0, None)


@pytest.mark.rows("CGR-14")
@pytest.mark.needs("cpu")
@pytest.mark.parametrize("shares, weight", [(1024, 100), (2, 1), (262144, 10000), (512, 59)])
def test_cpu_shares(new_box, cgroups, shares, weight):
    box = new_box("pause")
    box.linux["resources"]["cpu"] = {"shares": shares}
    box.create()
    assert value(box, "cpu", "cpu.shares", "cpu.weight") \
        == str(weight if cgroups.is_v2("cpu") else shares)


@pytest.mark.rows("CGR-15", "CGR-16")
@pytest.mark.needs("cpu")
@pytest.mark.parametrize("cpu, v1, v2", [
    ({"quota": 50000, "period": 200000}, ("50000", "200000"), "50000 200000"),
    ({"quota": 20000}, ("20000", "100000"), "20000 100000"),
    ({"period": 50000}, ("-1", "50000"), "max 50000"),
    ({"quota": -1, "period": 50000}, ("-1", "50000"), "max 50000")], ids=label)
def test_cpu_quota(new_box, cgroups, cpu, v1, v2):
    box = new_box("pause")
    box.linux["resources"]["cpu"] = cpu
    box.create()
    if cgroups.is_v2("cpu"):
        assert value(box, "cpu", "", "cpu.max") == v2
    else:
        assert (value(box, "cpu", "cpu.cfs_quota_us", ""),
                value(box, "cpu", "cpu.cfs_period_us", "")) == v1


@pytest.mark.rows("CGR-17", "CGR-18")
@pytest.mark.needs("cpu")
@pytest.mark.own
def test_cpu_burst_and_idle(new_box):
    box = new_box("pause")
    box.linux["resources"]["cpu"] = {"quota": 50000, "period": 100000, "burst": 20000, "idle": 1}
    box.create()
    assert value(box, "cpu", "cpu.cfs_burst_us", "cpu.max.burst") == "20000"
    assert value(box, "cpu", "cpu.idle", "cpu.idle") == "1"


@pytest.mark.rows("CGR-21", "CGR-22", "CGR-40")
@pytest.mark.needs("pids")
@pytest.mark.parametrize("pids, want", [
    ({"limit": 5}, "5"), ({"limit": -1}, "max"), ({}, "max"),
    pytest.param({"limit": 0}, "0", marks=pytest.mark.own)], ids=label)
def test_pids(new_box, pids, want):
    box = new_box("children 10", "pause")
    box.linux["resources"]["pids"] = pids
    made = box.up().line("children")["ret"]
    assert value(box, "pids", "pids.max", "pids.max") == want
    assert made == (10 if want == "max" else max(0, int(want) - 1))


def counter(path, word):
    """The number behind a word in one of the kernel's flat files."""
    with open(path, encoding="ascii") as file:
        lines = [line.split() for line in file]
    return sum(int(line[1]) for line in lines if line[0] == word)


@pytest.mark.rows("CGR-01", "CGR-05", "CGR-40")
@pytest.mark.needs("memory")
def test_too_much_memory_kills(new_box, cgroups):
    box = new_box("memory 1000000", "echo up", "memory 200000000", "echo survived")
    box.linux["resources"]["memory"] = {"limit": 48 << 20, "swap": 48 << 20}
    box.create()
    directory = cgroups.dir(box.pid, "memory")
    box.start()
    assert box.wait() == 128 + 9
    assert "up" in (printed := box.rest()) and "survived" not in printed
    name = "memory.events" if cgroups.is_v2("memory") else "memory.oom_control"
    assert counter(f"{directory}/{name}", "oom_kill") > 0


@pytest.mark.rows("CGR-15")
@pytest.mark.needs("cpu")
def test_too_much_cpu_waits(new_box, cgroups):
    """The quota is less than what it gets on a processor that others are busy on, too."""
    box = new_box("flood 1000000000000")
    box.linux["resources"]["cpu"] = {"quota": 2000, "period": 100000, "shares": 262144}
    box.run("-d", stdout=os.open(os.devnull, os.O_WRONLY))
    pid = box.state()["pid"]
    stat = f"{cgroups.dir(pid, 'cpu')}/cpu.stat"
    host.until(lambda: counter(stat, "nr_throttled") > 2, "throttled")
    box.delete("--force")


@pytest.mark.rows("CGR-01")
@pytest.mark.needs("memory")
@pytest.mark.own
def test_what_the_kernel_rounds_is_told(new_box):
    box = new_box("pause")
    box.linux["resources"]["memory"] = {"limit": (64 << 20) + 5000}
    box.save()
    told = box.rt.call("create", "-b", box.dir, box.id, globals=("--debug",))
    assert told.code == 0, told
    box.exists, box.pid = True, box.state()["pid"]
    assert f"the kernel made {(64 << 20) + 4096} of {(64 << 20) + 5000}" in told.err


@pytest.mark.rows("CGR-26")
@pytest.mark.needs("disk")
def test_block_io_throttle(new_box, cgroups):
    device = cgroups.disks()[0]
    major, minor = (int(number) for number in device.split(":"))
    box = new_box("pause")
    box.linux["resources"]["blockIO"] = {
        "throttleReadBpsDevice": [{"major": major, "minor": minor, "rate": 1048576}],
        "throttleWriteIOPSDevice": [{"major": major, "minor": minor, "rate": 100}]}
    box.create()
    if cgroups.is_v2("blkio"):
        line = value(box, "io", "", "io.max")
        assert line.startswith(device) and "rbps=1048576" in line and "wiops=100" in line
    else:
        assert value(box, "blkio", "blkio.throttle.read_bps_device", "") == f"{device} 1048576"
        assert value(box, "blkio", "blkio.throttle.write_iops_device", "") == f"{device} 100"


@pytest.mark.rows("CGR-23")
@pytest.mark.needs("v2:io")
@pytest.mark.own
def test_block_io_weight(new_box, fails):
    """io.weight is not in every kernel: then the wish is an error, never forgotten."""
    box = new_box("pause")
    box.linux["resources"]["blockIO"] = {"weight": 500}
    told = box.create(code=None)
    if told.code == 0:
        directory = box.cgroups.dir(box.pid, "")
        names = {"io.bfq.weight": "500", "io.weight": f"default {1 + (500 - 10) * 9999 // 990}"}
        [name] = [each for each in names if os.path.exists(f"{directory}/{each}")][:1]
        assert names[name].split()[-1] in value(box, "io", "", name)
    else:
        fails(told, "weight", at="/linux/resources/blockIO/weight")


@pytest.mark.rows("CGR-31", "CGR-33")
@pytest.mark.needs("v2:memory", "v2:pids")
def test_unified(new_box):
    box = new_box("pause")
    box.linux["resources"].update(memory={"limit": 64 << 20}, pids={"limit": 20},
                                  unified={"memory.high": "50331648", "pids.max": "30",
                                           "cgroup.max.depth": "5"})
    box.create()
    assert value(box, "memory", "", "memory.high") == "50331648"
    assert value(box, "memory", "", "memory.max") == str(64 << 20)
    assert value(box, "pids", "", "pids.max") == "30"


@pytest.mark.rows("CGR-31")
@pytest.mark.needs("v1")
def test_unified_on_v1(box, fails):
    box.linux["resources"]["unified"] = {"memory.high": "1000000"}
    fails(box.create(code=None), "unified", at="/linux/resources/unified")


@pytest.mark.rows("CGR-32", "CGR-35")
@pytest.mark.needs("v2")
@pytest.mark.own
@pytest.mark.parametrize("key, words", [
    ("nosuch.max", "nosuch"), ("memory.nosuch", "memory.nosuch"), ("plain", "plain"),
    ("../cgroup.procs", "../cgroup.procs"), ("a/b.c", "a/b.c")])
def test_bad_unified(box, fails, key, words):
    box.linux["resources"]["unified"] = {key: "1"}
    fails(box.create(code=None), words, at="/linux/resources/unified")


def cgroup_of(process):
    with open(f"/proc/{process.pid}/cgroup", encoding="ascii") as file:
        return file.read()


CORE = ("cgroup.procs", "cgroup.threads", "cgroup.kill", "cgroup.freeze", "cgroup.type",
        "cgroup.subtree_control")


@pytest.mark.rows("CGR-32", "CGR-35")
@pytest.mark.own
@pytest.mark.parametrize("key", CORE)
def test_unified_is_no_way_to_a_process_of_the_host(new_box, fails, key):
    """`cgroup.procs` moved a process of the host into the cgroup, and delete killed it."""
    with subprocess.Popen(["sleep", "100"]) as victim:
        try:
            where = cgroup_of(victim)
            box = new_box("exit 0")
            box.linux["resources"]["unified"] = {key: str(victim.pid)}
            fails(box.create(code=None), key, at=f"/linux/resources/unified/{key}")
            assert cgroup_of(victim) == where and victim.poll() is None
        finally:
            victim.kill()


@pytest.mark.rows("CGR-20", "CGR-35", "CRT-27")
@pytest.mark.own
@pytest.mark.parametrize("resources, at", [
    ({"cpu": {"cpus": "0-9999"}}, "/cpu/cpus"), ({"cpu": {"cpus": "x"}}, "/cpu/cpus"),
    ({"cpu": {"quota": 5}}, "/cpu/quota"), ({"memory": {"limit": -2}}, "/memory/limit"),
    ({"cpu": {"shares": -1}}, "/cpu/shares"), ({"pids": {"limit": "x"}}, "/pids/limit"),
    ({"hugepageLimits": [{"pageSize": "3MB", "limit": 1}]}, "/hugepageLimits/0"),
    ({"hugepageLimits": [{"pageSize": "../../x", "limit": 1}]}, "/hugepageLimits/0/pageSize"),
    ({"memory": {"swappiness": 101}}, "/memory/swappiness"),
    ({"rdma": {"mlx5_0": {}}}, "/rdma/mlx5_0"),
], ids=label)
def test_bad_resources(box, fails, resources, at):
    box.linux["resources"].update(resources)
    fails(box.create(code=None), at="/linux/resources" + at)


@pytest.mark.rows("CGR-12", "CGR-10", "CGR-11", "CGR-09")
@pytest.mark.needs("v1:memory")
def test_memory_of_v1(new_box, cgroups):
    box = new_box("pause")
    box.linux["resources"]["memory"] = {"limit": 64 << 20, "disableOOMKiller": True}
    box.create()
    assert "oom_kill_disable 1" in value(box, "memory", "memory.oom_control", "")


@pytest.mark.rows("CGR-10", "CGR-11")
@pytest.mark.needs("v1:memory")
def test_swappiness_and_the_oom_killer_of_v1(new_box):
    box = new_box("pause")
    box.linux["resources"]["memory"] = {"limit": 64 << 20, "swappiness": 33,
                                        "disableOOMKiller": False}
    box.create()
    assert value(box, "memory", "memory.swappiness", "") == "33"
    assert "oom_kill_disable 0" in value(box, "memory", "memory.oom_control", "")


@pytest.mark.rows("CGR-09", "CGR-40")
@pytest.mark.needs("v1:memory")
@pytest.mark.own
@pytest.mark.parametrize("name, file", [("kernel", "memory.kmem.limit_in_bytes"),
                                        ("kernelTCP", "memory.kmem.tcp.limit_in_bytes")])
def test_kernel_memory_of_v1(new_box, fails, name, file):
    """Newer kernels take the number and forget it: of kernel memory that is a warning. Without the
    file it is an error."""
    box = new_box("pause")
    box.linux["resources"]["memory"] = {"limit": 64 << 20, name: 32 << 20}
    told = box.create(code=None)
    if told.code == 0 and value(box, "memory", file, "") != str(32 << 20):
        assert name == "kernel"
        assert f"/linux/resources/memory/{name}" in told.err and "unlimited" in told.err
    elif told.code != 0:
        fails(told, file, at=f"/linux/resources/memory/{name}")


@pytest.mark.rows("CGR-19")
@pytest.mark.needs("v1:cpu")
@pytest.mark.own
@pytest.mark.needs("host-cgroups: a share of the host's realtime")
def test_realtime_of_v1(new_box, fails):
    box = new_box("pause")
    box.linux["resources"]["cpu"] = {"realtimeRuntime": 20000, "realtimePeriod": 500000}
    told = box.create(code=None)
    if os.path.exists(f"{box.cgroups.v1['cpu']}/cpu.rt_runtime_us"):
        assert told.code == 0, told
        assert value(box, "cpu", "cpu.rt_runtime_us", "") == "20000"
        assert value(box, "cpu", "cpu.rt_period_us", "") == "500000"
    else:
        fails(told, "cpu.rt_", "no file", at="/linux/resources/cpu/realtime")


@pytest.mark.rows("CGR-29")
@pytest.mark.needs("v1:net_cls")
def test_network_class_of_v1(new_box):
    box = new_box("pause")
    box.linux["resources"]["network"] = {"classID": 1048577}
    box.create()
    assert value(box, "net_cls", "net_cls.classid", "") == "1048577"


INEXPRESSIBLE = [
    ("memory", {"kernel": 1 << 20}, "kernel"), ("memory", {"kernelTCP": 1 << 20}, "kernelTCP"),
    ("memory", {"swappiness": 10}, "swappiness"),
    ("memory", {"disableOOMKiller": True}, "disableOOMKiller"),
    ("memory", {"useHierarchy": False}, "useHierarchy"),
    ("cpu", {"realtimeRuntime": 1000}, "realtimeRuntime"),
    ("cpu", {"realtimePeriod": 1000}, "realtimePeriod"),
    ("blockIO", {"leafWeight": 100}, "leafWeight"),
    ("blockIO", {"weightDevice": [{"major": 8, "minor": 0, "leafWeight": 100}]},
     "weightDevice/0/leafWeight"),
    ("network", {"classID": 5}, "classID"),
    ("network", {"priorities": [{"name": "lo", "priority": 1}]}, "priorities")]


@pytest.mark.rows("CGR-09", "CGR-10", "CGR-11", "CGR-12", "CGR-19", "CGR-24", "CGR-29")
@pytest.mark.needs("v2")
@pytest.mark.own
@pytest.mark.parametrize("section, values, at", INEXPRESSIBLE, ids=label)
def test_what_v2_has_not(box, fails, section, values, at):
    box.linux["resources"][section] = values
    fails(box.create(code=None), "cgroup v2 has no such setting",
          at=f"/linux/resources/{section}/{at}")


@pytest.mark.rows("CGR-27", "CGR-28")
@pytest.mark.needs("hugetlb")
def test_huge_pages(new_box, cgroups):
    box = new_box("pause")
    box.linux["resources"]["hugepageLimits"] = [{"pageSize": "2MB", "limit": 6 << 20}]
    box.create()
    suffix = "max" if cgroups.is_v2("hugetlb") else "limit_in_bytes"
    for kind in ("hugetlb.2MB", "hugetlb.2MB.rsvd"):
        if os.path.exists(f"{cgroups.dir(box.pid, 'hugetlb')}/{kind}.{suffix}"):
            assert value(box, "hugetlb", f"{kind}.{suffix}", f"{kind}.{suffix}") == str(6 << 20)


@pytest.mark.rows("CGR-23", "CGR-24", "CGR-25", "CGR-35")
@pytest.mark.needs("v1:blkio", "disk")
@pytest.mark.own
@pytest.mark.parametrize("values, files, at", [
    ({"weight": 500}, ("blkio.weight", "blkio.bfq.weight"), "weight"),
    ({"leafWeight": 300}, ("blkio.leaf_weight",), "leafWeight"),
    ({"weightDevice": [{"weight": 700}]}, ("blkio.weight_device", "blkio.bfq.weight_device"),
     "weightDevice/0/weight")], ids=label)
def test_block_io_weight_of_v1(new_box, fails, cgroups, values, files, at):
    """Schedulers come and go; what none of this kernel's can do is an error."""
    box, device = new_box("pause"), cgroups.disks()[0]
    for each in values.get("weightDevice", ()):
        each["major"], each["minor"] = (int(number) for number in device.split(":"))
    box.linux["resources"]["blockIO"] = values
    told = box.create(code=None)
    if told.code == 0:
        found = [name for name in files
                 if os.path.exists(f"{cgroups.dir(box.pid, 'blkio')}/{name}")]
        wanted = str(values.get(at) or f"{device} 700")
        assert wanted in value(box, "blkio", found[0], "").splitlines()
    else:
        fails(told, files[-1], at=f"/linux/resources/blockIO/{at}")
