# SPDX-License-Identifier: Apache-2.0
"""The systemd cgroup driver, with a systemd that does as it is told (fake_systemd): what it is asked
for, in which order, and what becomes of a start when it refuses, fails or falls silent. With a real
one: tests/systemd."""

import contextlib
import json
import os
import signal
import subprocess
import threading

import pytest

import host
from fake_systemd import write
from limits import bandwidth_of, pids_of
from systemd_box import DRIVER, end, systemd, unit_box, up  # noqa: F401

pytestmark = [pytest.mark.own, pytest.mark.needs("v2-tree", "root: the bus of the system")]
INFINITY = 2 ** 64 - 1


def scope_path(box):
    return f"/{box.slice}/{box.unit}"


def inner_path(box, cgroups):
    return scope_path(box) + ("/container" if cgroups.layout == "v2" else "")


def properties(systemd, number=0):
    return {name: value for name, (_, value) in systemd.called("StartTransientUnit")[number][2]}


@pytest.mark.rows("CGS-01", "CGS-07", "CGS-12", "CGS-13", "CGS-29", "CGS-31", "VRB-13", "CLI-16")
def test_a_life_in_a_scope(unit_box, systemd, cgroups):
    box = unit_box()
    up(box)
    assert box.unit in systemd.units
    inner = inner_path(box, cgroups)
    for name, path in cgroups.of(box.pid).items():
        if name in cgroups.controllers or name.startswith("name=") or name == "":
            assert path == inner, name
    told = properties(systemd)
    assert told["Slice"] == box.slice and told["Description"] == f"rt container {box.id}"
    assert told["Delegate"] is True and told["DefaultDependencies"] is False
    for name in ("CPU", "Memory", "IO", "Tasks"):
        assert told[f"{name}Accounting"] is True
    assert len(told["PIDs"]) == 1 and told["PIDs"] != [box.pid]
    assert host.stat_state(told["PIDs"][0]) is None, "the holder is gone"
    assert box.state()["systemd-scope"] == box.unit
    end(box)
    assert [name for name, _ in systemd.calls][-3:] == ["KillUnit", "StopUnit", "ResetFailedUnit"]
    assert not systemd.units


@pytest.mark.rows("CGS-30", "EXE-24", "CLI-16")
def test_later_verbs_need_no_flag(unit_box, systemd, cgroups):
    box = unit_box()
    up(box)
    calls = len(systemd.calls)
    box.rt.call("pause", box.id)
    assert box.status() == "paused"
    box.rt.call("resume", box.id)
    assert box.status() == "running"
    told = box.exec(ops=("read /proc/self/cgroup",))
    assert inner_path(box, cgroups) in told.text("/proc/self/cgroup") or \
        "0::/\n" in told.text("/proc/self/cgroup")
    assert str(box.pid) in box.rt.call("ps", "--format", "json", box.id).out
    assert len(systemd.calls) == calls, "only files are needed for these"
    end(box)


@pytest.mark.rows("CGS-02", "CGS-05")
def test_names_without_a_path(new_box, systemd, cgroups):
    before = cgroups.dirs("system.slice")
    box = new_box("exit 0")
    del box.linux["cgroupsPath"]
    box.run(globals=DRIVER)
    assert systemd.called("StartTransientUnit")[0][0] == f"rt-{box.id}.scope"
    assert properties(systemd)["Slice"] == "system.slice"
    for path in set(cgroups.dirs("system.slice")) - set(before) - systemd.made:
        with contextlib.suppress(OSError):      # another test's by now
            os.rmdir(path)


@pytest.mark.rows("CGS-01", "CGS-06")
@pytest.mark.parametrize("path", ["/a/b", "a:b", "a.slice:b:c:d", "a--b.slice:rt:x", "/a.slice:rt:x",
                                  "a:rt:x", ".slice:rt:x", "-a.slice:rt:x", "a-.slice:rt:x",
                                  "a.slice:rt:", "a.slice:rt:sp ace", "a.slice:rt:-.slice"])
def test_wrong_names(new_box, systemd, fails, path):
    box = new_box("exit 0")
    box.linux["cgroupsPath"] = path
    fails(box.run(globals=DRIVER, code=None), at="/linux/cgroupsPath")
    assert not systemd.calls


@pytest.mark.rows("CGS-03", "CGS-06")
def test_a_unit_that_is_a_slice(unit_box, systemd, cgroups):
    box = unit_box()
    box.linux["cgroupsPath"] = f"x.slice:rt:{box.cgroup}-y.slice"
    up(box)
    told = properties(systemd)
    assert told["Wants"] == [f"{box.cgroup}.slice"]
    assert not {"Delegate", "Slice", "PIDs"} & set(told)
    assert cgroups.of(box.pid)[""] == f"/{box.cgroup}.slice/{box.cgroup}-y.slice"
    end(box)


@pytest.mark.rows("CGS-13", "ANN-06")
@pytest.mark.needs("v2")
@pytest.mark.parametrize("name", ["payload", ""])
def test_the_subgroup_is_the_users_choice(unit_box, cgroups, name):
    box = unit_box()
    box.config["annotations"] = {"run.oci.systemd.subgroup": name}
    up(box)
    assert cgroups.of(box.pid)[""] == f"{scope_path(box)}/{name}".rstrip("/")
    end(box)


@pytest.mark.rows("CGS-13", "CGS-14", "ANN-06")
@pytest.mark.parametrize("key", ["run.oci.systemd.subgroup", "run.oci.delegate-cgroup"])
@pytest.mark.parametrize("name", ["..", "a/b", ".", "/a"])
def test_a_subgroup_is_one_name(unit_box, systemd, fails, key, name):
    box = unit_box()
    box.config["annotations"] = {key: name}
    fails(box.run(globals=DRIVER, code=None), key, at="/annotations")
    assert not systemd.calls


@pytest.mark.rows("CGS-14", "ANN-06")
@pytest.mark.needs("v2")
@pytest.mark.parametrize("driver", [DRIVER, ()])
def test_one_more_cgroup_for_the_payload(unit_box, cgroups, driver):
    """Its namespace shows it as what it is, limits stay above it, exec goes where init is."""
    box = unit_box("read /proc/self/cgroup", "pause")
    box.config["annotations"] = {"run.oci.delegate-cgroup": "payload"}
    box.linux["resources"]["pids"] = {"limit": 20}
    if not driver:
        box.linux["cgroupsPath"] = f"/{box.slice}/box"
    box.unit = box.unit if driver else "box"
    told = box.up(globals=driver)
    assert told.text("/proc/self/cgroup") == "0::/payload\n"
    inner = inner_path(box, cgroups) if driver else f"/{box.slice}/box"
    assert cgroups.of(box.pid)[""] == f"{inner}/payload"
    with open(f"{cgroups.v2}{inner}/pids.max", encoding="ascii") as file:
        assert file.read() == "20\n"
    assert box.exec(ops=("read /proc/self/cgroup",)).text("/proc/self/cgroup") == "0::/payload\n"
    box.rt.call("pause", box.id)
    assert box.status() == "paused"
    end(box)
    assert not os.path.exists(f"{cgroups.v2}{inner}")
    if not driver:
        os.rmdir(f"{cgroups.v2}/{box.slice}")


@pytest.mark.rows("CGS-14")
@pytest.mark.needs("hybrid")
def test_one_more_cgroup_needs_v2(unit_box, fails):
    box = unit_box()
    box.config["annotations"] = {"run.oci.delegate-cgroup": "payload"}
    fails(box.run(globals=DRIVER, code=None), "v2", at="/annotations/run.oci.delegate-cgroup")


@pytest.mark.rows("CGS-15", "CGS-16", "CGS-17", "CGS-18", "CGS-20")
@pytest.mark.needs("v2")
def test_limits_are_told_and_written(unit_box, systemd, cgroups):
    box = unit_box()
    box.linux["resources"].update({
        "memory": {"limit": 64 << 20, "reservation": 32 << 20, "swap": 64 << 20},
        "cpu": {"shares": 2048, "quota": 33333, "period": 100000},
        "pids": {"limit": 100},
        "unified": {"memory.high": str(48 << 20), "memory.min": str(1 << 20)}})
    up(box)
    told = properties(systemd)
    assert told["MemoryMax"] == 64 << 20 and told["MemoryLow"] == 32 << 20
    assert told["MemorySwapMax"] == 0 and told["MemoryHigh"] == 48 << 20
    assert told["MemoryMin"] == 1 << 20 and told["TasksMax"] == 100
    assert told["CPUQuotaPerSecUSec"] == 340000 and told["CPUQuotaPeriodUSec"] == 100000
    assert cgroups.read(box.pid, "cpu", "", "cpu.max") == "34000 100000"
    assert int(cgroups.read(box.pid, "cpu", "", "cpu.weight")) == told["CPUWeight"]
    assert cgroups.read(box.pid, "memory", "", "memory.max") == str(64 << 20)
    assert cgroups.read(box.pid, "pids", "", "pids.max") == "100"
    end(box)


@pytest.mark.rows("CGS-15", "CGS-16", "CGS-17", "CGS-18", "CGS-31")
@pytest.mark.needs("hybrid", "cpu", "memory")
def test_limits_on_a_hybrid_host(unit_box, systemd, cgroups):
    box = unit_box()
    box.linux["resources"].update({"memory": {"limit": 64 << 20},
                                   "cpu": {"shares": 512, "quota": 33333, "period": 100000}})
    up(box)
    told = properties(systemd)
    assert told["MemoryLimit"] == 64 << 20 and told["CPUShares"] == 512
    assert told["CPUQuotaPerSecUSec"] == 340000
    assert cgroups.read(box.pid, "cpu", "cpu.cfs_quota_us", "") == "34000"
    assert cgroups.read(box.pid, "memory", "memory.limit_in_bytes", "") == str(64 << 20)
    end(box)


@pytest.mark.rows("CGS-20")
@pytest.mark.needs("pids")
@pytest.mark.parametrize("limit, now, later", [(-1, INFINITY, None), (1, 8, 1), (0, 8, 1), (9, 9, None)])
def test_tasks(unit_box, systemd, limit, now, later):
    box = unit_box()
    box.linux["resources"]["pids"] = {"limit": limit}
    up(box)
    assert properties(systemd)["TasksMax"] == now
    assert [dict(call[2])["TasksMax"][1] for call in systemd.called("SetUnitProperties")] == \
        ([later] if later else [])
    end(box)


@pytest.mark.rows("CGS-22", "CGD-15")
def test_devices(unit_box, systemd):
    box = unit_box()
    box.linux["resources"]["devices"] = [
        {"allow": False, "access": "rwm"},
        {"allow": True, "type": "c", "major": 10, "minor": 229, "access": "rw"},
        {"allow": True, "type": "b", "major": 8, "access": "r"}]
    up(box)
    told = properties(systemd)
    assert told["DevicePolicy"] == "strict"
    allowed = told["DeviceAllow"]
    for each in [("/dev/char/10:229", "rw"), ("block-8", "r"), ("/dev/char/1:3", "rwm"),
                 ("char-136", "rwm"), ("char-*", "m"), ("block-*", "m")]:
        assert each in allowed
    end(box)


@pytest.mark.rows("CGS-22")
def test_all_devices(unit_box, systemd):
    box = unit_box()
    box.linux["resources"]["devices"] = [{"allow": True, "access": "rwm"}]
    up(box)
    told = properties(systemd)
    assert told["DevicePolicy"] == "auto" and told["DeviceAllow"] == []
    end(box)


@pytest.mark.rows("CGS-25", "CGS-26", "CGS-27", "ANN-09", "ENG-31")
def test_properties_by_annotation(unit_box, systemd):
    box = unit_box()
    box.config["annotations"] = {
        "org.systemd.property.TimeoutStopSec": "uint64 3",
        "org.systemd.property.CollectMode": "'inactive-or-failed'",
        "org.systemd.property.Documentation": "['man:a(1)', 'man:b(1)']",
        "org.systemd.property.Description": "'mine'",
        "org.systemd.property.TasksMax": "uint64 3"}
    up(box)
    told = {name: value for name, value in systemd.called("StartTransientUnit")[0][2]}
    assert told["TimeoutStopUSec"] == ("t", 3000000)
    assert told["CollectMode"] == ("s", "inactive-or-failed")
    assert told["Documentation"] == ("as", ["man:a(1)", "man:b(1)"])
    assert told["Description"] == ("s", "mine") and told["TasksMax"] == ("t", 3)
    end(box)


@pytest.mark.rows("CGS-25", "CGS-26")
@pytest.mark.parametrize("name, value", [("Ab", "1"), ("A1b", "1"), ("Abc", "1"), ("Description", "word"),
                                         ("Description", ""), ("TasksMax", "[1"),
                                         ("TimeoutStopSec", "'x'"), ("TimeoutStopSec", "-1"),
                                         ("Description", "'a\\nWants=poweroff.target'"),
                                         ("PIDs", "[uint32 1]"), ("Slice", "'-.slice'"),
                                         ("DeviceAllow", "[('/dev/sda', 'rw')]"),
                                         ("DevicePolicy", "'auto'"), ("Conflicts", "['x.service']"),
                                         ("PropagatesStopTo", "['x.service']"),
                                         ("FailureAction", "'reboot-force'"),
                                         ("SuccessAction", "'exit-force'"),
                                         ("StartLimitAction", "'poweroff'"),
                                         ("JobTimeoutAction", "'halt'"),
                                         ("JobTimeoutRebootArgument", "'x'"),
                                         ("RebootArgument", "'x'"),
                                         ("Wants", "['poweroff.target']"),
                                         ("Requires", "['poweroff.target']"),
                                         ("BindsTo", "['dbus.service']"),
                                         ("OnSuccess", "['poweroff.target']"),
                                         ("OnFailure", "['poweroff.target']"),
                                         ("BPFProgram", "[('device', '/sys/fs/bpf/x')]"),
                                         ("Delegate", "false"), ("KillMode", "'none'"),
                                         ("IPAddressAllow", "'any'"),
                                         ("CPUWeight", "uint64 10000"),
                                         ("MemoryMin", "uint64 1000000000"),
                                         ("ManagedOOMPreference", "'omit'")])
def test_wrong_properties(unit_box, systemd, fails, name, value):
    """What is no property, and what an image's annotation would reach the host with."""
    box = unit_box()
    box.config["annotations"] = {f"org.systemd.property.{name}": value}
    fails(box.run(globals=DRIVER, code=None), f"org.systemd.property.{name}", at="/annotations")
    assert not systemd.called("StartTransientUnit")


@pytest.mark.rows("CGS-28")
def test_what_systemd_does_not_know(unit_box, systemd, fails):
    systemd.unknown = {"TasksAccounting", "DefaultDependencies"}
    box = unit_box()
    up(box)
    assert not systemd.unknown & set(properties(systemd, 2))
    end(box)
    other = unit_box()
    other.config["annotations"] = {"org.systemd.property.ManagedOOMSwap": "'kill'"}
    systemd.unknown = {"ManagedOOMSwap"}
    fails(other.run(globals=DRIVER, code=None), "ManagedOOMSwap", other.unit)


@pytest.mark.rows("CGS-25", "ANN-09")
def test_an_annotation_changes_no_limit_of_the_document(unit_box, systemd, fails):
    """An image's label that lifts the memory limit of the one that runs it."""
    box = unit_box()
    box.linux["resources"]["memory"] = {"limit": 64 << 20}
    box.config["annotations"] = {"org.systemd.property.MemoryMax": "uint64 18446744073709551615"}
    fails(box.run(globals=DRIVER, code=None), "MemoryMax", at="/annotations")
    assert not systemd.called("StartTransientUnit")


@pytest.mark.rows("CGS-09")
def test_a_failed_unit_of_the_same_name(unit_box, systemd):
    box = unit_box()
    systemd.taken[box.unit] = "failed"
    up(box)
    assert len(systemd.called("StartTransientUnit")) == 2
    end(box)


@pytest.mark.rows("CGS-09")
def test_a_living_unit_of_the_same_name(unit_box, systemd, fails):
    box = unit_box()
    systemd.taken[box.unit] = "running"
    fails(box.run(globals=DRIVER, code=None), box.unit, "already", "lives")
    assert len(systemd.called("StartTransientUnit")) == 2
    assert not systemd.called("StopUnit"), "it is somebody else's"


@pytest.mark.rows("CGS-09")
def test_a_living_unit_that_rt_is_called_in(unit_box, systemd, fails):
    """The session of the caller is not the container's, though rt's own processes are in it."""
    box = unit_box()
    systemd.taken[box.unit] = "running"
    session = f"{systemd.roots[0]}/{box.unit}"
    os.mkdir(session)
    try:
        fails(box.run(globals=DRIVER, code=None, preexec_fn=lambda: write(
            f"{session}/cgroup.procs", str(os.getpid()))), box.unit, "lives")
    finally:
        os.rmdir(session)
    assert not systemd.called("KillUnit") and not systemd.called("StopUnit")


@pytest.mark.rows("CGS-09", "CGS-29")
def test_killed_before_the_name_was_refused(unit_box, systemd):
    """A record that names somebody else's unit is no right to end it."""
    box = unit_box()
    systemd.taken[box.unit] = "running"
    asked, go_on = threading.Event(), threading.Event()
    refuse = systemd._StartTransientUnit

    def wait(*arguments):
        asked.set()
        go_on.wait(host.PATIENCE)
        return refuse(*arguments)

    systemd._StartTransientUnit = wait
    box.save()
    with subprocess.Popen([box.rt.path, "--root", box.rt.root, *DRIVER, "create", "-b", box.dir, box.id],
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as rt:
        assert asked.wait(host.PATIENCE)
        rt.kill()
        rt.wait()
        go_on.set()
    with open(os.path.join(box.rt.root, box.id, "record.json"), encoding="utf-8") as file:
        assert json.load(file)["systemdUnit"] == box.unit
    box.delete("-f")
    assert not systemd.called("KillUnit") and not systemd.called("StopUnit")


@pytest.mark.rows("CGS-08")
def test_a_job_that_fails(unit_box, systemd, fails):
    box = unit_box()
    systemd.job_result = "failed"
    fails(box.run(globals=DRIVER, code=None), box.unit, "'failed'", "systemctl status")
    assert not systemd.taken, "it is forgotten"


@pytest.mark.rows("CGS-10", "CGS-11")
def test_no_bus(new_box, work, monkeypatch, fails):
    monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", f"unix:path={work}/nobody")
    box = new_box("exit 0")
    box.linux["cgroupsPath"] = f"system.slice:rt:{box.id}"
    fails(box.run(globals=DRIVER, code=None), f"{work}/nobody", "no such file", "systemd")


@pytest.mark.rows("CGS-10")
def test_access_denied(unit_box, systemd, fails):
    systemd.denied = True
    fails(unit_box().run(globals=DRIVER, code=None), "authentication required",
          "DBUS_SESSION_BUS_ADDRESS")


@pytest.mark.rows("CGS-10")
@pytest.mark.parametrize("member", ["Hello", "Get", "StartTransientUnit"])
def test_a_bus_that_hangs_up(unit_box, systemd, fails, member):
    systemd.hang_up = {member}
    fails(unit_box().run(globals=DRIVER, code=None), "bus")
    assert not systemd.units


@pytest.mark.rows("CGS-10", "CGS-29")
def test_a_bus_that_hangs_up_when_the_unit_is_there(unit_box, systemd, fails):
    """Nobody told rt that it began: rt asks the kernel, and ends it over another connection."""
    box = unit_box()
    systemd.on_start = lambda unit: systemd.hang_up_once()
    fails(box.run(globals=DRIVER, code=None), "broke")
    assert systemd.called("StopUnit") == [[box.unit, "replace"]]
    assert not systemd.units


@pytest.mark.rows("CGS-08", "CGS-29")
def test_nothing_is_left_of_a_start_that_fails_later(unit_box, systemd, fails):
    box = unit_box()
    box.process["args"] = ["/bin/nothing"]
    fails(box.run(globals=DRIVER, code=None), "no such file")
    assert systemd.called("StopUnit") == [[box.unit, "replace"]]
    assert not systemd.units


@pytest.mark.rows("CGS-29", "VRB-30")
def test_a_unit_that_is_gone_already(unit_box, systemd, cgroups):
    box = unit_box()
    up(box)
    os.kill(box.pid, signal.SIGKILL)
    host.wait_dead(box.pid)
    with systemd.lock:
        systemd._remove(box.unit)
    box.delete()
    box.wait()


@pytest.mark.rows("CGS-29")
def test_killed_between_the_unit_and_the_record(unit_box, systemd):
    """The record names the unit before there is one: force finds what nobody else knows of."""
    box = unit_box()
    box.save()
    born, processes = threading.Event(), []

    def kill(_):
        born.wait(10)
        processes[0].kill()

    systemd.on_start = kill
    with subprocess.Popen([box.rt.path, "--root", box.rt.root, *DRIVER, "create", "-b", box.dir, box.id],
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL) as rt:
        processes.append(rt)
        born.set()
        assert rt.wait(host.PATIENCE) == -signal.SIGKILL
    with open(os.path.join(box.rt.root, box.id, "record.json"), encoding="utf-8") as file:
        assert json.load(file)["systemdUnit"] == box.unit
    assert box.unit in systemd.units
    box.delete("-f")
    assert not systemd.units


@pytest.mark.rows("CLI-40", "CGS-10")
@pytest.mark.parametrize("variable", ["XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS"])
def test_the_bus_of_the_user(new_box, work, area, variable, fails):
    """Only where it is looked for: nobody answers there."""
    box = new_box("exit 0")
    box.linux["cgroupsPath"] = f":rt:{box.id}"
    box.save()
    home = os.path.join(work, "home")
    os.mkdir(home)
    os.chown(home, 1000, 1000)
    environment = {"XDG_RUNTIME_DIR": home, "PATH": os.environ["PATH"]}
    where = f"{home}/bus"
    if variable == "DBUS_SESSION_BUS_ADDRESS":
        where = f"{home}/other"
        environment[variable] = f"unix:path={where}"
    box.config["linux"]["namespaces"].append({"type": "user"})
    box.linux["uidMappings"] = [{"containerID": 0, "hostID": 1000, "size": 1}]
    box.linux["gidMappings"] = [{"containerID": 0, "hostID": 1000, "size": 1}]
    box.save()
    told = box.rt.call("run", "-b", box.dir, box.id, globals=("--root", f"{home}/state") + DRIVER,
                       env=environment, user=1000, group=1000, extra_groups=[])
    fails(told, where)


# ---- update


def limited(unit_box):
    box = unit_box()
    box.linux["resources"].update(pids={"limit": 100}, cpu={"quota": 50000, "period": 200000})
    up(box)
    return box


@pytest.mark.rows("UPD-18", "UPD-06", "UPD-23")
@pytest.mark.needs("pids", "cpu")
def test_update_tells_systemd(unit_box, systemd, update):
    box = limited(unit_box)
    update(box, "--pids-limit", "50")
    told = dict(systemd.called("SetUnitProperties")[-1][2])
    assert list(told) == ["TasksMax"] and pids_of(box) == "50"      # what was asked for, no more
    assert systemd.units[box.unit]["TasksMax"] == 50
    # A quota means nothing without its period, and systemd has whole percents.
    update(box, "--cpu-quota", "60500")
    assert systemd.units[box.unit]["CPUQuotaPerSecUSec"] == 310000
    assert bandwidth_of(box) == ("62000", "200000")
    update(box, "--cpu-period", "100000")
    assert systemd.units[box.unit]["CPUQuotaPerSecUSec"] == 610000
    assert bandwidth_of(box) == ("61000", "100000")
    update(box, "--cpu-quota", "-1", "--pids-limit", "-1")
    assert systemd.units[box.unit]["CPUQuotaPerSecUSec"] == INFINITY
    assert systemd.units[box.unit]["TasksMax"] == INFINITY
    assert bandwidth_of(box) == ("-1", "100000") and pids_of(box) == "max"


@pytest.mark.rows("UPD-16", "UPD-18")
@pytest.mark.needs("v2", "pids")
def test_unified_limits_are_told_too(unit_box, systemd, update):
    box = limited(unit_box)
    update(box, "-r", "-", text='{"pids": {"limit": 50}, "unified": {"pids.max": "60"}}')
    assert systemd.units[box.unit]["TasksMax"] == 60 and pids_of(box) == "60"


@pytest.mark.rows("UPD-18", "UPD-22")
@pytest.mark.needs("pids", "cpu")
def test_an_update_that_systemd_refuses(unit_box, systemd, update, fails):
    box = limited(unit_box)
    before = dict(systemd.units[box.unit])
    systemd.unknown = {"TasksMax"}
    fails(update(box, "--pids-limit", "50", "--cpu-quota", "20000", code=None), "TasksMax")
    assert systemd.units[box.unit] == before
    assert pids_of(box) == "100" and bandwidth_of(box) == ("50000", "200000")


@pytest.mark.rows("UPD-18", "UPD-22")
@pytest.mark.needs("pids", "memory")
def test_an_update_that_fails_after_systemd(unit_box, systemd, update, fails, rt):
    box = limited(unit_box)
    obstacle = f"{rt.root}/{box.id}/resources.json.new"
    os.mkdir(obstacle)
    fails(update(box, "--pids-limit", "50", "--memory", "64M", code=None), "resources.json")
    told = systemd.units[box.unit]
    assert told["TasksMax"] == 100 and pids_of(box) == "100"
    assert told.get("MemoryMax", told.get("MemoryLimit")) == INFINITY
    os.rmdir(obstacle)
