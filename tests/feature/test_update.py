# SPDX-License-Identifier: Apache-2.0
"""update: what the files of the cgroup say afterwards, and what the container feels of it."""

import json
import os

import pytest

import host
from bundle import label

OWN = pytest.mark.own
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


@pytest.fixture
def update(rt):
    def call(box, *flags, code=0, text=None):
        told = rt.call("update", *flags, box.id, text=text)
        if code is not None:
            assert told.code == code, told
        return told
    return call


@pytest.fixture
def resources(update):
    """The way of containerd's shim: a document on standard input."""
    def call(box, document, **options):
        return update(box, "--resources", "-", text=json.dumps(document), **options)
    return call


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
        assert swap_of(box) == str((both - (limit if cgroups.layout == "v2" else 0)) * MIB)
    update(box, "--memory-swap", "128M")
    assert swap_of(box) == str((64 if cgroups.layout == "v2" else 128) * MIB)
    update(box, "--memory", "32M")      # the sum stays what it is
    assert swap_of(box) == str((96 if cgroups.layout == "v2" else 128) * MIB)
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
    fails(update(box, *flags, code=None), "limit of memory plus swap", "is less than")
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
    want = "59" if cgroups.layout == "v2" else "512"
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
    if cgroups.layout != "v2" and "cpu.rt_period_us" in os.listdir(cgroups.dir(box.pid, "cpu")):
        assert told.code == 0
        assert value(box, "cpu", "cpu.rt_period_us", "") == "900000"
    else:
        fails(told, "--cpu-rt-period",
              "cgroup v2 has no such setting" if cgroups.layout == "v2" else "cpu.rt_period_us")


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
    if cgroups.layout == "v2":
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
        if cgroups.layout == "v2":
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
    if cgroups.layout == "v2":
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


# ---- documents


@pytest.mark.rows("UPD-01")
@pytest.mark.needs("memory", "pids")
@pytest.mark.parametrize("flags", [("--resources", "FILE"), ("--resources=FILE",), ("-r", "FILE")],
                         ids=label)
def test_a_file(new_box, update, flags):
    box = new_box("pause")
    box.up()
    path = box.beside("limits.json", json.dumps({"memory": {"limit": 64 * MIB},
                                                 "pids": {"limit": 20}}))
    update(box, *[each.replace("FILE", path) for each in flags])
    assert limit_of(box) == str(64 * MIB) and pids_of(box) == "20"


@pytest.mark.rows("UPD-01", "UPD-02", "UPD-17")
@pytest.mark.needs("pids")
def test_the_whole_of_the_resources_again(new_box, resources):
    """As Kubernetes' engines do: everything that create had, with some of it changed."""
    box = new_box("pause")
    box.linux["resources"].update(pids={"limit": 100}, cpu={"shares": 512},
                                  memory={"limit": 64 * MIB, "swap": 64 * MIB})
    box.up()
    whole = json.loads(json.dumps(box.linux["resources"]))
    whole["memory"] = {"limit": 96 * MIB, "swap": 96 * MIB}
    told = resources(box, whole)
    assert told.err == ""
    assert limit_of(box) == str(96 * MIB) and pids_of(box) == "100"


@pytest.mark.rows("UPD-17")
@OWN
def test_devices_are_not_touched(new_box, resources):
    box = new_box("pause")
    box.linux["resources"]["devices"] = [{"allow": False, "access": "rwm"}]
    box.up()
    told = resources(box, {"devices": [{"allow": False, "type": "c", "major": 1, "minor": 3,
                                        "access": "rwm"}], "pids": {"limit": 20}})
    assert "device rules stay as they are" in told.err
    assert pids_of(box) == "20"
    assert box.exec(ops=("open /dev/null 2",)).errno("open") is None


@pytest.mark.rows("UPD-01")
@OWN
def test_a_document_wins_over_options(new_box, resources, rt):
    box = new_box("pause")
    box.up()
    told = rt.call("update", "--resources", "-", "--pids-limit", "5", box.id,
                   text='{"pids": {"limit": 20}}')
    assert told.code == 0 and "--resources alone" in told.err
    assert pids_of(box) == "20"


@pytest.mark.rows("UPD-01", "UPD-24")
@OWN
@pytest.mark.parametrize("text, words", [
    ("", ("stdin",)), ("{", ("stdin",)), ("[]", ("stdin", "object")),
    ('{"pids": {"limit": "x"}}', ("stdin:1:20", "/pids/limit")),
    ('{"memory": {"limit": 1e3}}', ("stdin:1:22", "/memory/limit")),
    ('{"pids": {"limit": 20},\n "memory": {"limit": -5}}', ("stdin:2:22", "/memory/limit")),
    ('{"cpu": {"quota": 1000, "burst": 5000}}', ("/cpu/burst", "quota")),
    ('{"hugepageLimits": [{"pageSize": "../x", "limit": 1}]}', ("/hugepageLimits/0/pageSize",)),
    ('{"unified": {"../memory.max": "1"}}', ("memory.max",)),
    ('{"pids": {"limit": 1}, "pids": {"limit": 2}}', ("pids",)),
], ids=range(10))
def test_bad_documents(new_box, rt, fails, text, words):
    box = new_box("pause")
    box.linux["resources"]["pids"] = {"limit": 100}
    box.up()
    fails(rt.call("update", "-r", "-", box.id, text=text), *words)
    assert pids_of(box) == "100"


@pytest.mark.rows("UPD-01")
@OWN
def test_no_such_file(new_box, update, fails):
    box = new_box("pause")
    box.up()
    fails(update(box, "--resources", "/nonexistent", code=None), "/nonexistent", "No such file")


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
    update(box, "--cpu-quota", "5000", "--cpu-period", "100000")
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
    if cgroups.layout == "v2":
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


# ---- all or nothing


def all_of(box):
    return limit_of(box), swap_of(box), pids_of(box), shares_of(box), bandwidth_of(box)


@pytest.mark.rows("UPD-22", "UPD-24")
@pytest.mark.needs("memory", "pids", "cpu")
@OWN
@pytest.mark.parametrize("paused", [False, True], ids=["running", "paused"])
def test_a_failure_takes_all_back(new_box, rt, resources, fails, paused):
    box = new_box("pause")
    box.linux["resources"].update(memory={"limit": 64 * MIB, "swap": 96 * MIB},
                                  pids={"limit": 100},
                                  cpu={"shares": 512, "quota": 20000, "period": 50000})
    box.up()
    if paused:
        rt.call("pause", box.id)
    before = all_of(box)
    # The last one fails: there are not so many processors, or there is no cpuset at all.
    told = resources(box, {"memory": {"limit": 128 * MIB, "swap": 256 * MIB},
                           "pids": {"limit": 20},
                           "cpu": {"shares": 1024, "quota": 90000, "period": 100000,
                                   "cpus": "4000"}}, code=None)
    fails(told, "no limit is changed", "cpuset", at="/cpu/cpus")
    assert all_of(box) == before
    assert box.status() == ("paused" if paused else "running")
    resources(box, {"memory": {"limit": 65 * MIB}})     # stands on what was before, too
    assert limit_of(box) == str(65 * MIB) and all_of(box)[2:] == before[2:]


@pytest.mark.rows("UPD-22", "UPD-08")
@pytest.mark.needs("cpu")
@OWN
@pytest.mark.parametrize("idle", [0, 1])
def test_a_failure_takes_idle_back(new_box, resources, fails, idle):
    """Who is idle takes no shares, so the order of the way back matters."""
    box = new_box("pause")
    box.linux["resources"]["cpu"] = {"shares": 512, "idle": idle}
    box.up()
    before = shares_of(box)
    told = resources(box, {"cpu": {"shares": 2048, "idle": 1 - idle, "cpus": "4000"}}, code=None)
    fails(told, "no limit is changed")      # and no warning beside it
    assert value(box, "cpu", "cpu.idle", "cpu.idle") == str(idle)
    assert shares_of(box) == before


@pytest.mark.rows("UPD-22", "UPD-23")
@pytest.mark.needs("memory", "pids")
@OWN
def test_a_state_that_cannot_be_written(new_box, rt, resources, fails):
    box = new_box("pause")
    box.linux["resources"].update(memory={"limit": 64 * MIB}, pids={"limit": 100})
    box.up()
    obstacle = f"{rt.root}/{box.id}/resources.json.new"
    os.mkdir(obstacle)
    fails(resources(box, {"memory": {"limit": 96 * MIB}, "pids": {"limit": 20}}, code=None),
          "resources.json")
    assert limit_of(box) == str(64 * MIB) and pids_of(box) == "100"
    os.rmdir(obstacle)
    resources(box, {"memory": {"limit": 96 * MIB}})
    assert limit_of(box) == str(96 * MIB)


@pytest.mark.rows("UPD-25")
@pytest.mark.needs("any-v1", "cpu")
@OWN
def test_above_the_parent(new_box, update, fails, cgroups):
    box = new_box("pause")
    box.linux["cgroupsPath"] = f"/{box.cgroup}/below"
    box.linux["resources"]["cpu"] = {"quota": 20000, "period": 100000}
    box.up()
    with open(os.path.join(os.path.dirname(cgroups.dir(box.pid, "cpu")), "cpu.cfs_quota_us"), "w",
              encoding="ascii") as file:
        file.write("50000")
    told = update(box, "--cpu-quota", "80000", code=None)
    fails(told, "--cpu-quota", "cpu.cfs_quota_us", "the cgroup above has 50000 us of each 100000")
    assert bandwidth_of(box) == ("20000", "100000")
    # The period alone would be too much, with the quota of before.
    update(box, "--cpu-period", "20000", "--cpu-quota", "10000")
    assert bandwidth_of(box) == ("10000", "20000")
    update(box, "--cpu-period", "100000", "--cpu-quota", "50000")
    assert bandwidth_of(box) == ("50000", "100000")
    box.delete("-f")
    box.wait()
    for top in cgroups.dirs(box.cgroup):
        os.rmdir(top)


# ---- states and usage


@pytest.mark.rows("UPD-24")
@pytest.mark.needs("cpu")
@OWN
def test_what_the_kernel_refuses(new_box, update, fails, cgroups):
    box = new_box("pause")
    box.up()
    fails(update(box, "--cpu-period", "100", code=None), "--cpu-period",
          "cpu.max" if cgroups.layout == "v2" else "cpu.cfs_period_us", "invalid argument")


@pytest.mark.rows("UPD-20", "UPD-23")
@pytest.mark.needs("pids")
def test_states(new_box, rt, update, fails):
    box = new_box("pause")
    box.create()
    update(box, "--pids-limit", "30")       # created: before its process runs
    assert pids_of(box) == "30" and box.status() == "created"
    box.start()
    update(box, "--pids-limit", "20")
    assert pids_of(box) == "20"
    box.kill("KILL")
    box.wait()
    fails(update(box, "--pids-limit", "10", code=None), "not running")
    fails(rt.call("update", "--pids-limit", "10", "absent"), "does not exist")
    fails(rt.call("update", "--pids-limit", "10", "../x"), "id")
    assert not os.path.exists(f"{rt.root}/absent")


@pytest.mark.rows("UPD-26")
def test_nothing_to_do(new_box, update, fails):
    box = new_box("pause")
    box.linux["resources"]["pids"] = {"limit": 100}
    box.up()
    update(box)
    assert pids_of(box) == "100"
    box.kill("KILL")
    box.wait()
    fails(update(box, code=None), "not running")


@pytest.mark.rows("UPD-24", "UPD-08")
@OWN
@pytest.mark.parametrize("flags", [
    ("--memory", "10x"), ("--memory", ""), ("--memory", "-2"), ("--memory", "M"),
    ("--memory", "1.5.5"), ("--memory", "0x10"), ("--memory", "10 M"), ("--memory", "9000000000g"),
    ("--memory", "10Mi"), ("--memory", "10bb"), ("--cpu-quota", "5%"), ("--cpu-period", "-1"),
    ("--cpu-share", "1e3"), ("--cpu-idle", "yes"), ("--pids-limit", "many"),
    ("--pids-limit", "-5"), ("--cpuset-cpus", ""), ("--blkio-weight", "70000"),
    ("--cpuset-mems", "0\n1"),
], ids=label)
def test_bad_values(new_box, update, fails, flags):
    box = new_box("pause")
    box.up()
    before = all_of(box)
    fails(update(box, *flags, code=None), flags[0])
    assert all_of(box) == before


@pytest.mark.rows("UPD-24")
@OWN
def test_usage(rt, fails):
    fails(rt.call("update"), "ID")
    fails(rt.call("update", "--memry", "1", "x"), "--memory")
    fails(rt.call("update", "a", "b"), "exactly 1")


@pytest.mark.rows("UPD-24")
@OWN
def test_without_a_cgroup(new_box, rt, update, fails):
    box = new_box("pause")
    box.linux.pop("resources")
    box.config["mounts"] = [each for each in box.config["mounts"] if each["type"] != "cgroup"]
    box.save()
    told = rt.call("run", "-d", "-b", box.dir, box.id, globals=("--cgroup-manager", "disabled"))
    assert told.code == 0, told
    fails(update(box, "--pids-limit", "20", code=None), "--pids-limit", "no cgroup")
    box.delete("--force")
