# SPDX-License-Identifier: Apache-2.0
"""events: statistics and kills for want of memory, in the form that runc's readers know."""

import json
import os
import select
import signal
import subprocess

import pytest

import host
from fixtures import CGROUPS

OWN = pytest.mark.own
N, S = (int, float), str
USE = {"limit": N, "failcnt": N, "usage?": N, "max?": N}
PRESSURE = {key: {"avg10": N, "avg60": N, "avg300": N, "total": N} for key in ("some", "full")}
IO = [{"major?": N, "minor?": N, "op?": S, "value?": N}]
# "?": may be left out (as a rule where it is 0); "*": any name. What runc does not print is in OURS.
DATA = {
    "cpu": {
        "usage": {"total?": N, "percpu?": [N], "percpu_kernel?": [N], "percpu_user?": [N], "kernel": N, "user": N},
        "throttling": {"periods?": N, "throttledPeriods?": N, "throttledTime?": N},
        "psi?": PRESSURE,
    },
    "cpuset": {
        "cpus?": [N], "mems?": [N], "cpu_exclusive": N, "mem_hardwall": N, "mem_exclusive": N, "memory_migrate": N,
        "memory_spread_page": N, "memory_spread_slab": N, "memory_pressure": N, "sched_load_balance": N,
        "sched_relax_domain_level": N,
    },
    "memory": {"cache?": N, "usage": USE, "swap": USE, "kernel": USE, "kernelTCP": USE, "raw?": {"*": N},
               "psi?": PRESSURE},
    "pids": {"current?": N, "limit?": N},
    "blkio": {**{f"{key}?": IO for key in (
        "ioServiceBytesRecursive", "ioServicedRecursive", "ioQueueRecursive", "ioServiceTimeRecursive",
        "ioWaitTimeRecursive", "ioMergedRecursive", "ioTimeRecursive", "sectorsRecursive")}, "psi?": PRESSURE},
    "hugetlb": {"*": {"usage?": N, "max?": N, "failcnt": N}},
    "intel_rdt": {},
    "network_interfaces": [{key: S if key == "Name" else N for key in (
        "Name", "RxBytes", "RxPackets", "RxErrors", "RxDropped", "TxBytes", "TxPackets", "TxErrors", "TxDropped")}],
}
OURS = {
    "cpu": {"burst?": {"burstsPeriods": N, "burstTime?": N}},
    "memory": {"swapOnly?": USE},
    "blkio": {f"ioCost{key}?": IO for key in ("Usage", "Wait", "Indebt", "Indelay")},
    "misc?": {"*": {"usage": N, "events": N}},
    "rdma?": {key: [{"device": S, "hcaHandles": N, "hcaObjects": N}] for key in ("current", "limit")},
}


def merged(table, more):
    return {key: {**table.get(key, {}), **more[key]} if key in more and key in table
            else table.get(key, more.get(key)) for key in list(table) + [key for key in more if key not in table]}


def differences(value, table, at="data"):
    """Where a value is not of the form of the table, in words."""
    if isinstance(table, list):
        if value is None and at.endswith("network_interfaces"):
            return []
        if not isinstance(value, list):
            return [f"{at}: {value!r} is no list"]
        return [each for i, item in enumerate(value) for each in differences(item, table[0], f"{at}/{i}")]
    if not isinstance(table, dict):
        right = isinstance(value, table) and not isinstance(value, bool)
        return [] if right else [f"{at}: {value!r} is no {table}"]
    if not isinstance(value, dict):
        return [f"{at}: {value!r} is no object"]
    found = [f"{at}/{key} is missing" for key in table if key[-1] not in "?*" and key not in value]
    for key, item in value.items():
        kind = table.get(key, table.get(f"{key}?", table.get("*")))
        found += [f"{at}/{key} is unknown"] if kind is None else differences(item, kind, f"{at}/{key}")
    return found


def stats(rt, name):
    told = rt.call("events", "--stats", name)
    assert told.code == 0, told
    assert told.out.count("\n") == 1
    event = json.loads(told.out)
    assert set(event) == {"type", "id", "data"} and event["type"] == "stats" and event["id"] == name
    return event["data"]


class Follower:
    """`events`, running."""

    def __init__(self, box, interval):
        self.process = subprocess.Popen(
            [box.rt.path, "--root", box.rt.root, "events", "--interval", interval, box.id],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE)
        self.buffer = b""

    def line(self):
        """The next event; None at the end."""
        while b"\n" not in self.buffer:
            if not select.select([self.process.stdout], [], [], host.PATIENCE)[0]:
                raise AssertionError("events is silent")
            more = os.read(self.process.stdout.fileno(), 65536)
            if not more:
                assert self.buffer == b""
                return None
            self.buffer += more
        line, _, self.buffer = self.buffer.partition(b"\n")
        return json.loads(line)

    def wait_until_it_listens(self):
        """For kills it listens before its timer runs; the timer is its last descriptor."""
        host.until(lambda: "anon_inode:[timerfd]" in host.open_files(self.process.pid).values(),
                   "events has begun")

    def end(self):
        self.process.stdout.close()
        return self.process.wait(host.PATIENCE)


@pytest.fixture
def follow():
    followers = []

    def begin(box, interval="1h"):
        followers.append(Follower(box, interval))
        return followers[-1]

    yield begin
    for each in followers:
        if each.process.poll() is None:
            each.process.kill()
        each.process.wait()
        each.process.stdout.close()


@pytest.mark.rows("VRB-53", "VRB-55", "VRB-56", "VRB-57", "VRB-58", "VRB-59", "VRB-60", "VRB-61", "CGR-36")
def test_the_form_is_that_of_runc(new_box, rt):
    box = new_box("pause")
    box.up()
    table = merged(DATA, OURS)
    data = stats(rt, box.id)
    assert differences(data, table) == []
    box.kill("KILL")
    box.wait()


@pytest.mark.rows("VRB-57", "VRB-58", "VRB-55")
@pytest.mark.needs("memory", "pids")
def test_numbers_of_the_container(new_box, rt):
    box = new_box("children 2", "pause")
    box.linux["resources"].update({"memory": {"limit": 64 << 20}, "pids": {"limit": 77}})
    box.up()
    before = stats(rt, box.id)
    assert before["pids"] == {"current": 3, "limit": 77}
    memory = before["memory"]
    assert memory["usage"]["limit"] == 64 << 20 and 0 < memory["usage"]["usage"] < 64 << 20
    # On v1 both are read one after the other, while the kernel takes back what it has charged in advance.
    assert 0 < memory["swap"]["usage"] < 64 << 20
    assert memory.get("cache", 0) == memory["raw"]["file" if CGROUPS.layout == "v2" else "cache"]
    box.exec(ops=("flood 60000000",), stdout=os.open(os.devnull, os.O_WRONLY))
    after = stats(rt, box.id)
    grown = after["cpu"]["usage"]["total"] - before["cpu"]["usage"].get("total", 0)
    assert 1_000_000 < grown < 60_000_000_000    # nanoseconds
    box.kill("KILL")
    box.wait()


@pytest.mark.rows("VRB-58")
@pytest.mark.needs("pids")
def test_no_limit_of_pids(new_box, rt):
    box = new_box("pause")
    box.up()
    assert stats(rt, box.id)["pids"] == {"current": 1}
    box.kill("KILL")
    box.wait()


@pytest.mark.rows("CGR-36")
@OWN
def test_pressure(new_box, rt):
    box = new_box("pause")
    box.up()
    data, name = stats(rt, box.id), box.cgroup
    for part, file in (("cpu", "cpu"), ("memory", "memory"), ("blkio", "io")):
        there = CGROUPS.v2 and os.path.exists(f"{CGROUPS.v2}/{name}/{file}.pressure")
        assert ("psi" in data[part]) == bool(there)
    box.kill("KILL")
    box.wait()


@pytest.mark.rows("VRB-60")
@OWN
def test_sizes_of_huge_pages(new_box, rt):
    box = new_box("pause")
    box.up()
    files = [name for root in CGROUPS.roots if os.path.isdir(f"{root}/{box.cgroup}")
             for name in os.listdir(f"{root}/{box.cgroup}")]
    sizes = {name.split(".")[1] for name in files if name.startswith("hugetlb.")}
    assert set(stats(rt, box.id)["hugetlb"]) == sizes
    box.kill("KILL")
    box.wait()


@pytest.mark.rows("VRB-61")
@OWN
def test_interfaces(new_box, rt):
    box = new_box("pause")
    box.up()
    assert [each["Name"] for each in stats(rt, box.id)["network_interfaces"]] == ["lo"]
    box.delete("--force")
    shared = new_box("pause")
    shared.namespace("network", absent=True)
    shared.config["mounts"] = [each for each in shared.config["mounts"] if each["type"] != "sysfs"]
    shared.up()
    assert stats(rt, shared.id)["network_interfaces"] is None
    shared.delete("--force")


@pytest.mark.rows("CGM-29")
@OWN
def test_without_a_cgroup(new_box, rt):
    box = new_box("pause")
    box.linux.pop("resources")
    box.config["mounts"] = [each for each in box.config["mounts"] if each["type"] != "cgroup"]
    box.save()
    told = rt.call("run", "-d", "-b", box.dir, box.id, globals=("--cgroup-manager", "disabled"))
    assert told.code == 0, told
    data = stats(rt, box.id)
    assert differences(data, merged(DATA, OURS)) == []
    assert data["memory"]["usage"] == {"limit": 0, "failcnt": 0}
    box.delete("--force")


@pytest.mark.rows("VRB-51", "VRB-52")
def test_lines_until_the_container_stops(new_box, follow):
    box = new_box("pause")
    box.up()
    events = follow(box, "20ms")
    for _ in range(3):
        assert events.line()["type"] == "stats"
    box.kill("KILL")
    box.wait()
    box.delete()    # the followed container is locked by nobody
    while (event := events.line()) is not None:
        assert event["type"] == "stats"
    assert events.end() == 0


@pytest.mark.rows("VRB-51")
def test_a_created_container_has_statistics(new_box, rt):
    box = new_box("pause")
    box.create()
    assert stats(rt, box.id)["cpu"]
    box.delete("--force")


@pytest.mark.rows("VRB-52", "VRB-53")
def test_refusals(new_box, rt, fails):
    box = new_box("pause")
    box.up()
    for interval in ("0", "0s", "-1s"):
        fails(rt.call("events", f"--interval={interval}", box.id), "duration interval must be greater than 0")
    for interval in ("5", "soon", ""):
        fails(rt.call("events", f"--interval={interval}", box.id), own=(f"invalid duration `{interval}`", "100ms"))
    box.kill("KILL")
    box.wait()
    fails(rt.call("events", "--stats", box.id), "not running")
    fails(rt.call("events", box.id), "not running")
    fails(rt.call("events", "--stats", "absent"), "does not exist")


def limited(new_box, *ops):
    box = new_box(*ops)
    box.linux["resources"]["memory"] = {"limit": 32 << 20, "swap": 32 << 20}
    return box


EAT = f"memory {256 << 20}"


@pytest.mark.rows("VRB-54")
@pytest.mark.needs("memory")
def test_kills_for_memory_are_told_of(new_box, follow):
    box = limited(new_box, "pause")
    box.up()
    box.exec(ops=(EAT,), code=137)    # before anybody listens
    events = follow(box)
    events.wait_until_it_listens()
    for _ in range(2):
        box.exec(ops=(EAT,), code=137)
        assert events.line() == {"type": "oom", "id": box.id}
    box.kill("KILL")
    box.wait()
    box.delete()
    assert events.line() is None
    assert events.end() == 0


@pytest.mark.rows("VRB-54")
@pytest.mark.needs("memory")
def test_the_kill_that_ends_the_container_is_told_of(new_box, follow):
    box = limited(new_box, "await /go", EAT)
    fifo = box.fifo("/go")
    box.up()
    events = follow(box)
    events.wait_until_it_listens()
    host.let_go(fifo)
    assert events.line() == {"type": "oom", "id": box.id}
    assert events.line() is None
    assert events.end() == 0
    assert box.wait() == 128 + signal.SIGKILL


@pytest.mark.rows("VRB-54")
@pytest.mark.needs("memory")
@pytest.mark.parametrize("pidns", [True, False], ids=["", "joined pid namespace"])
def test_the_last_kill_is_told_of_when_the_cgroup_is_gone(new_box, follow, pidns):
    """Who removes the container does not wait for who listens; on v2 the kernel's counter is gone then."""
    box = limited(new_box, "await /go", EAT)
    if not pidns:
        box.namespace("pid", absent=True)
    fifo = box.fifo("/go")
    box.up()
    events = [follow(box) for _ in range(2)]
    for each in events:
        each.wait_until_it_listens()
        each.process.send_signal(signal.SIGSTOP)
        host.until(lambda pid=each.process.pid: host.stat_state(pid) == "T", "it is stopped")
    host.let_go(fifo)
    assert box.wait() == 128 + signal.SIGKILL
    box.delete()
    assert not CGROUPS.dirs(box.cgroup)
    for each in events:
        each.process.send_signal(signal.SIGCONT)
        assert each.line() == {"type": "oom", "id": box.id}
        assert each.line() is None
        assert each.end() == 0


@pytest.mark.rows("VRB-54")
def test_a_removed_container_is_no_kill(new_box, follow):
    box = new_box("pause")
    box.up()
    events = follow(box)
    events.wait_until_it_listens()
    box.delete("--force")
    assert events.line() is None
    assert events.end() == 0


@pytest.mark.rows("VRB-51")
@OWN
def test_it_ends_with_its_reader(new_box, follow):
    box = new_box("pause")
    box.up()
    events = follow(box)
    events.wait_until_it_listens()
    assert events.end() == 0
    box.delete("--force")
