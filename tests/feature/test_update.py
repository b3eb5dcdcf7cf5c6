# SPDX-License-Identifier: Apache-2.0
"""update: what the files of the cgroup say afterwards, and what the container feels of it."""

import json
import os

import pytest

import host
from bundle import label
from limits import MIB, UNLIMITED, bandwidth_of, limit_of, pids_of, shares_of, swap_of, value

OWN = pytest.mark.own


# ---- each limit


@pytest.mark.rows("UPD-02", "UPD-03", "UPD-23")
@pytest.mark.needs("memory")
def test_memory(new_box, update):
    box = new_box("pause")
    box.linux["resources"]["memory"] = {"limit": 64 * MIB, "reservation": 32 * MIB}
    box.up()
    for given, limit in ((str(96 * MIB), 96), ("50M", 50), ("51m", 51), ("52MiB", 52),
                         ("53248k", 52), ("1g", 1024)):
        update(box, "--memory", given)
        assert limit_of(box) == str(limit * MIB)
        assert value(box, "memory", "memory.soft_limit_in_bytes", "memory.low") == str(32 * MIB)
    update(box, "--memory-reservation=24M")
    assert value(box, "memory", "memory.soft_limit_in_bytes", "memory.low") == str(24 * MIB)
    assert limit_of(box) == str(1024 * MIB)
    assert box.status() == "running"


@pytest.mark.rows("UPD-05", "UPD-03", "UPD-23")
@pytest.mark.needs("memory")
def test_memory_and_swap_up_and_down(new_box, update, cgroups):
    """v1 wants limit <= limit plus swap after each write; v2 counts the one from the other."""
    box = new_box("pause")
    box.linux["resources"]["memory"] = {"limit": 64 * MIB, "swap": 96 * MIB}
    box.up()
    for limit, both in ((128, 256), (32, 48), (48, 48), (64, 512)):
        update(box, "--memory", f"{limit}M", "--memory-swap", f"{both}M")
        assert limit_of(box) == str(limit * MIB)
        assert swap_of(box) == str((both - (limit if cgroups.is_v2("memory") else 0)) * MIB)
    update(box, "--memory-swap", "128M")
    assert swap_of(box) == str((64 if cgroups.is_v2("memory") else 128) * MIB)
    update(box, "--memory", "32M")      # the sum stays what it is
    assert swap_of(box) == str((96 if cgroups.is_v2("memory") else 128) * MIB)
    update(box, "--memory-swap", "-1")
    assert swap_of(box) in UNLIMITED and limit_of(box) == str(32 * MIB)


@pytest.mark.rows("UPD-04")
@pytest.mark.needs("memory")
def test_no_limit_of_memory_is_none_of_swap(new_box, update):
    box = new_box("pause")
    box.linux["resources"]["memory"] = {"limit": 64 * MIB, "swap": 96 * MIB}
    box.up()
    update(box, "--memory", "-1")
    assert limit_of(box) in UNLIMITED and swap_of(box) in UNLIMITED


@pytest.mark.rows("UPD-03")
@pytest.mark.needs("memory")
@OWN
@pytest.mark.parametrize("flags", [("--memory", "128M"), ("--memory-swap", "32M")], ids=label)
def test_memory_above_memory_plus_swap(new_box, update, fails, flags):
    box = new_box("pause")
    box.linux["resources"]["memory"] = {"limit": 64 * MIB, "swap": 96 * MIB}
    box.up()
    told = fails(update(box, *flags, code=None), "limit of memory plus swap", "is less than")
    assert "config.json" not in told.err    # it may hold since another update
    assert ("change both in one update" in told.err) == (flags[0] == "--memory")
    assert limit_of(box) == str(64 * MIB)


@pytest.mark.rows("UPD-06", "UPD-02", "UPD-23")
@pytest.mark.needs("cpu")
def test_cpu_quota_and_period(new_box, update):
    box = new_box("pause")
    box.linux["resources"]["cpu"] = {"quota": 50000, "period": 200000}
    box.up()
    for flags, want in ((("--cpu-quota", "60000"), ("60000", "200000")),
                        (("--cpu-period", "100000"), ("60000", "100000")),
                        (("--cpu-quota", "-1"), ("-1", "100000")),
                        (("--cpu-period", "50000"), ("-1", "50000")),
                        (("--cpu-quota=20000", "--cpu-period=80000"), ("20000", "80000"))):
        update(box, *flags)
        assert bandwidth_of(box) == want


@pytest.mark.rows("UPD-07", "UPD-08", "UPD-02")
@pytest.mark.needs("cpu")
@OWN
def test_cpu_shares_burst_and_idle(new_box, update, cgroups, fails):
    box = new_box("pause")
    box.linux["resources"]["cpu"] = {"shares": 1024, "quota": 50000, "period": 100000}
    box.up()
    update(box, "--cpu-share", "512")
    want = "59" if cgroups.is_v2("cpu") else "512"
    assert shares_of(box) == want
    update(box, "--cpu-burst", "20000")
    assert value(box, "cpu", "cpu.cfs_burst_us", "cpu.max.burst") == "20000"
    update(box, "--cpu-idle", "1")
    assert value(box, "cpu", "cpu.idle", "cpu.idle") == "1"
    fails(update(box, "--cpu-share", "256", code=None), "--cpu-share", "idle")
    update(box, "--cpu-idle", "0")      # the kernel has forgotten the shares, rt has not
    assert value(box, "cpu", "cpu.idle", "cpu.idle") == "0" and shares_of(box) == want
    fails(update(box, "--cpu-idle", "2", code=None), "--cpu-idle", "0", "1")
    fails(update(box, "--cpu-burst", "60000", code=None), "--cpu-burst", "quota")


@pytest.mark.rows("UPD-09")
@OWN
def test_realtime(new_box, update, fails, cgroups):
    box = new_box("pause")
    box.up()
    told = update(box, "--cpu-rt-period", "900000", "--cpu-rt-runtime", "0", code=None)
    if not cgroups.is_v2("cpu") and "cpu.rt_period_us" in os.listdir(cgroups.dir(box.pid, "cpu")):
        assert told.code == 0
        assert value(box, "cpu", "cpu.rt_period_us", "") == "900000"
    else:
        fails(told, "--cpu-rt-period",
              "cgroup v2 has no such setting" if cgroups.is_v2("cpu") else "cpu.rt_period_us")


@pytest.mark.rows("UPD-10")
@pytest.mark.needs("cpuset")
def test_cpuset(new_box, update):
    box = new_box("pause")
    box.up()
    update(box, "--cpuset-cpus", "0", "--cpuset-mems", "0")
    assert value(box, "cpuset", "cpuset.cpus", "cpuset.cpus") == "0"
    assert value(box, "cpuset", "cpuset.mems", "cpuset.mems") == "0"
    assert json.loads(box.exec(ops=("report",)).out.splitlines()[0])["cpus"] == 1


@pytest.mark.rows("UPD-11", "UPD-19")
@pytest.mark.needs("pids")
@pytest.mark.parametrize("paused", [False, True], ids=["running", "paused"])
def test_pids_limit_refuses_a_fork(new_box, rt, update, paused):
    box = new_box("pause")
    box.linux["resources"]["pids"] = {"limit": 100}
    box.up()
    if paused:
        rt.call("pause", box.id)
    update(box, "--pids-limit", "5")
    assert pids_of(box) == "5"
    if paused:
        assert box.status() == "paused"
        rt.call("resume", box.id)
    told = box.exec(ops=("children 10",))
    assert told.line("children")["ret"] == 3
    update(box, "--pids-limit", "-1")
    assert pids_of(box) == "max"


@pytest.mark.rows("UPD-12")
@OWN
def test_block_io_weight(new_box, update, fails, cgroups):
    box = new_box("pause")
    box.up()
    fails(update(box, "--blkio-weight", "5", code=None), "--blkio-weight", "10", "1000")
    told = update(box, "--blkio-weight", "500", code=None)
    names = {"blkio.weight": "500", "blkio.bfq.weight": "500", "io.bfq.weight": "500",
             "io.weight": str(1 + (500 - 10) * 9999 // 990)}
    present = [name for root in {cgroups.dir(box.pid, each) for each in ("blkio", "")
                                 if each in cgroups.of(box.pid)}
               for name in names if os.path.exists(f"{root}/{name}")]
    if told.code == 0:
        got = value(box, "blkio" if cgroups.v1 else "io", present[0], present[0])
        assert got.split()[-1] == names[present[0]]
    else:
        fails(told, "--blkio-weight", "weight")
        assert not present


@pytest.mark.rows("UPD-13")
@OWN
def test_kernel_memory(new_box, update, fails, cgroups):
    box = new_box("pause")
    box.up()
    told = update(box, "--kernel-memory", "64M", code=None)
    if cgroups.is_v2("memory"):
        fails(told, "--kernel-memory", "cgroup v2 has no such setting")
        update(box, "--kernel-memory=-1", "--kernel-memory-tcp=-1")
    elif told.code != 0:
        fails(told, "--kernel-memory", "memory.kmem.limit_in_bytes")


@pytest.mark.rows("UPD-15", "UPD-02", "UPD-23")
@pytest.mark.needs("disk")
def test_block_devices(new_box, resources, cgroups):
    device = cgroups.disks()[0]
    major, minor = (int(number) for number in device.split(":"))

    def rate(number):
        return [{"major": major, "minor": minor, "rate": number}]

    def rates():
        if cgroups.is_v2("blkio"):
            line = value(box, "io", "", "io.max")
            return dict(word.split("=") for word in line.split()[1:])
        return {key: (value(box, "blkio", f"blkio.throttle.{name}_device", "").split() or ["max"])[-1]
                for key, name in (("rbps", "read_bps"), ("wiops", "write_iops"))}
    box = new_box("pause")
    box.linux["resources"]["blockIO"] = {"throttleReadBpsDevice": rate(1 * MIB)}
    box.up()
    resources(box, {"blockIO": {"throttleWriteIOPSDevice": rate(100)}})
    assert rates()["rbps"] == str(MIB) and rates()["wiops"] == "100"
    resources(box, {"blockIO": {"throttleReadBpsDevice": rate(3 * MIB) + rate(2 * MIB)}})
    assert rates()["rbps"] == str(2 * MIB) and rates()["wiops"] == "100"


@pytest.mark.rows("UPD-16")
@OWN
def test_unified(new_box, resources, fails, cgroups):
    box = new_box("pause")
    box.up()
    document = {"pids": {"limit": 20}, "unified": {"pids.max": "30", "memory.high": str(48 * MIB)}}
    if cgroups.is_v2("memory"):
        resources(box, document)
        assert pids_of(box) == "30"     # the last word
        assert value(box, "memory", "", "memory.high") == str(48 * MIB)
    else:
        fails(resources(box, document, code=None), at="stdin:1:")
        assert pids_of(box) == "max"


@pytest.mark.rows("UPD-14")
@OWN
@pytest.mark.parametrize("flags", [("--l3-cache-schema", "L3:0=f"), ("--mem-bw-schema", "MB:0=50"),
                                   ("--mem-bw-schema", "L3:0=f")], ids=label)
def test_class_of_service(new_box, update, fails, flags):
    box = new_box("pause")
    box.linux["resources"]["pids"] = {"limit": 100}
    box.up()
    told = update(box, "--pids-limit", "20", *flags, code=None)
    fails(told, *(["no class of service"] if flags[1][:2] in ("L3", "MB") and
                  flags != ("--mem-bw-schema", "L3:0=f") else ["--mem-bw-schema", "MB:"]))
    assert pids_of(box) == "100"


@pytest.mark.rows("UPD-10", "UPD-24")
@pytest.mark.needs("cpuset")
@OWN
@pytest.mark.parametrize("flag", ["--cpuset-cpus", "--cpuset-mems"])
def test_cpus_that_there_are_not(new_box, update, fails, flag):
    box = new_box("pause")
    box.up()
    fails(update(box, flag, "900", code=None), flag, "the cgroup above has 0")


# ---- effects


@pytest.mark.rows("UPD-06")
@pytest.mark.needs("cpu")
@OWN
def test_a_quota_throttles(new_box, update, cgroups):
    box = new_box("flood 1000000000000")
    box.run("-d", stdout=os.open(os.devnull, os.O_WRONLY))
    box.pid = box.state()["pid"]

    def throttled():
        words = value(box, "cpu", "cpu.stat", "cpu.stat").split()
        return int(words[words.index("nr_throttled") + 1])
    assert throttled() == 0
    # Less than what it gets on a processor that others are busy on, too.
    update(box, "--cpu-quota", "1000", "--cpu-period", "100000")
    host.until(lambda: throttled() > 2, "throttled")
    box.delete("--force")


@pytest.mark.rows("UPD-03", "CGR-02")
@pytest.mark.needs("memory")
@OWN
def test_less_memory_than_is_used(new_box, update, cgroups, fails):
    """v1 refuses what it cannot take back; v2 kills, and rt says so."""
    box = new_box(f"memory {48 * MIB}", "pause")
    box.linux["resources"]["memory"] = {"limit": 128 * MIB, "swap": 128 * MIB}
    box.up()
    told = update(box, "--memory", "16M", "--memory-swap", "16M", code=None)
    if cgroups.is_v2("memory"):
        assert told.code == 0 and "the kernel killed 1 of its processes" in told.err
        assert box.wait() == 137
    else:
        fails(told, "--memory", "busy", "the container uses")
        assert limit_of(box) == swap_of(box) == str(128 * MIB)
        assert box.status() == "running"


@pytest.mark.rows("UPD-21", "CGR-13")
@pytest.mark.needs("memory", "pids")
@OWN
@pytest.mark.parametrize("where", ["config", "update"])
def test_check_before_update(new_box, resources, fails, where):
    box = new_box(f"memory {48 * MIB}", "pause")
    box.linux["resources"]["memory"] = {"limit": 128 * MIB}
    if where == "config":
        box.linux["resources"]["memory"]["checkBeforeUpdate"] = True
    box.up()
    memory = {"limit": 16 * MIB, **({"checkBeforeUpdate": True} if where == "update" else {})}
    fails(resources(box, {"pids": {"limit": 20}, "memory": memory}, code=None),
          "rejecting memory limit 16777216", "uses", at="/memory/limit")
    assert limit_of(box) == str(128 * MIB) and pids_of(box) == "max"
    assert box.status() == "running"
    resources(box, {"memory": {"limit": 96 * MIB, "checkBeforeUpdate": True}})
    assert limit_of(box) == str(96 * MIB)
