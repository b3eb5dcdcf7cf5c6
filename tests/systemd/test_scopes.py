# SPDX-License-Identifier: Apache-2.0
"""The systemd cgroup driver with a real systemd: what it says of a container's scope, and that it
leaves the container alone, also when it reads all its units again. What a systemd can do wrong is in
tests/feature/test_systemd_driver.py."""

import os
import subprocess

import pytest

import host
from test_rootless import UID, user_box  # noqa: F401 (a fixture)

pytestmark = [pytest.mark.needs("systemd", "v2"), pytest.mark.own]
DRIVER = ("--systemd-cgroup",)


def systemctl(*args, code=0):
    told = subprocess.run(["systemctl", *args], capture_output=True, text=True, timeout=60, check=False)
    assert code is None or told.returncode == code, told
    return told.stdout


def shown(unit, *names):
    """What systemd says of a unit: {name: value}."""
    text = systemctl("show", unit, *[f"--property={name}" for name in names])
    return dict(line.split("=", 1) for line in text.splitlines())


def load_state(unit):
    return shown(unit, "LoadState")["LoadState"]


def forgotten(unit):
    """systemd drops a unit that was stopped as soon as it has seen that its cgroup is empty."""
    host.until(lambda: load_state(unit) == "not-found", f"{unit} is dropped")


@pytest.fixture
def scope(new_box):
    boxes = []

    def make(*ops, slice="system.slice"):
        box = new_box(*(ops or ("pause",)))
        box.cgroup, box.unit, box.slice = box.id, f"rt-{box.id}.scope", slice
        box.linux["cgroupsPath"] = f"{slice}:rt:{box.id}"
        boxes.append(box)
        return box
    yield make
    for box in boxes:
        if box.exists:
            end(box)
        forgotten(box.unit)


def up(box):
    return box.up(globals=DRIVER)


def end(box):
    box.delete("-f")
    box.wait()


@pytest.mark.rows("CGS-01", "CGS-05", "CGS-07", "CGS-08", "CGS-12", "CGS-13", "CGS-29", "VRB-30")
def test_a_life(scope, cgroups):
    box = scope()
    up(box)
    assert cgroups.of(box.pid)[""] == f"/system.slice/{box.unit}/container"
    told = shown(box.unit, "ActiveState", "Slice", "Delegate", "Description", "ControlGroup",
                 "MemoryAccounting", "TasksAccounting")
    assert told == {"ActiveState": "active", "Slice": "system.slice", "Delegate": "yes",
                    "Description": f"rt container {box.id}", "MemoryAccounting": "yes",
                    "ControlGroup": f"/system.slice/{box.unit}", "TasksAccounting": "yes"}
    end(box)
    forgotten(box.unit)


@pytest.mark.rows("CGS-02", "CGS-06")
def test_a_slice_below_a_slice(scope, cgroups):
    box = scope(slice="rtone-rttwo.slice")
    up(box)
    assert cgroups.of(box.pid)[""] == f"/rtone.slice/rtone-rttwo.slice/{box.unit}/container"
    end(box)


@pytest.mark.rows("CGS-15", "CGS-16", "CGS-17", "CGS-18", "CGS-20", "CGS-22", "CGD-15")
def test_reading_all_units_again_changes_nothing(scope, cgroups):
    """What systemd was not told it would take away then; devices stay forbidden and allowed."""
    box = scope()
    box.linux["devices"] = [
        {"path": "/dev/made", "type": "c", "major": 10, "minor": 229, "fileMode": 0o666},
        {"path": "/dev/other", "type": "c", "major": 1, "minor": 11, "fileMode": 0o666}]
    box.linux["resources"] = {
        "devices": [{"allow": False, "access": "rwm"},
                    {"allow": True, "type": "c", "major": 10, "minor": 229, "access": "rwm"}],
        "memory": {"limit": 64 << 20, "reservation": 32 << 20},
        "cpu": {"shares": 2048, "quota": 33333, "period": 100000}, "pids": {"limit": 100},
        "unified": {"memory.high": str(48 << 20)}}
    up(box)

    def files():
        scope = os.path.dirname(cgroups.dir(box.pid, ""))
        found = {}
        for where in (scope, f"{scope}/container"):
            for name in ("memory.max", "memory.low", "memory.high", "cpu.max", "cpu.weight", "pids.max"):
                with open(f"{where}/{name}", encoding="ascii") as file:
                    found[os.path.basename(where), name] = file.read().strip()
        return found

    before = files()
    for name in ("memory.max", "memory.low", "memory.high", "cpu.max", "cpu.weight", "pids.max"):
        assert before["container", name] == before[box.unit, name], name
    assert before["container", "cpu.max"] == "34000 100000"
    told = shown(box.unit, "DevicePolicy", "DeviceAllow", "MemoryMax", "TasksMax")
    assert told["DevicePolicy"] == "strict" and "/dev/char/10:229 rwm" in told["DeviceAllow"]
    assert told["MemoryMax"] == str(64 << 20) and told["TasksMax"] == "100"
    systemctl("daemon-reload")
    systemctl("set-property", "--runtime", box.unit, "CPUWeight=200")   # writes all again
    systemctl("daemon-reload")
    after = files()
    del before[box.unit, "cpu.weight"], after[box.unit, "cpu.weight"]
    assert after == before
    told = box.exec(ops=("open /dev/null rw", "open /dev/made r", "open /dev/other r"))
    assert told.errno("open", "/dev/null") is None
    assert told.errno("open", "/dev/made") in (None, "ENXIO", "ENODEV")     # it may have no driver
    assert told.errno("open", "/dev/other") == "EPERM"
    end(box)


@pytest.mark.rows("CGS-20")
@pytest.mark.parametrize("limit", [1, 2])
def test_few_tasks(scope, cgroups, limit):
    box = scope()
    box.linux["resources"]["pids"] = {"limit": limit}
    up(box)
    assert shown(box.unit, "TasksMax")["TasksMax"] == str(limit)
    assert cgroups.read(box.pid, "pids", "", "pids.max") == str(limit)
    end(box)


@pytest.mark.rows("UPD-18", "CGS-15")
def test_update(scope, cgroups):
    box = scope()
    up(box)
    told = box.rt.call("update", "--memory", str(48 << 20), "--pids-limit", "50", box.id)
    assert told.code == 0, told
    systemctl("daemon-reload")
    told = shown(box.unit, "MemoryMax", "TasksMax")
    assert told == {"MemoryMax": str(48 << 20), "TasksMax": "50"}
    assert cgroups.read(box.pid, "memory", "", "memory.max") == str(48 << 20)
    end(box)


@pytest.mark.rows("CGS-25", "CGS-26", "CGS-27", "ANN-09", "ENG-31")
def test_properties_by_annotation(scope):
    box = scope()
    box.config["annotations"] = {"org.systemd.property.TimeoutStopSec": "uint64 7",
                                 "org.systemd.property.CollectMode": "'inactive-or-failed'",
                                 "org.systemd.property.Description": "'mine'"}
    up(box)
    assert shown(box.unit, "TimeoutStopUSec", "CollectMode", "Description") == {
        "TimeoutStopUSec": "7s", "CollectMode": "inactive-or-failed", "Description": "mine"}
    end(box)


@pytest.mark.rows("CGS-25")
def test_a_property_that_there_is_not(scope, fails):
    box = scope()
    box.config["annotations"] = {"org.systemd.property.NoSuchThing": "1"}
    fails(box.run(globals=DRIVER, code=None), "NoSuchThing", at="/annotations")


@pytest.mark.rows("CGS-09")
def test_a_unit_of_the_same_name(scope, fails):
    box = scope()
    subprocess.run(["systemd-run", "--scope", "--quiet", f"--unit={box.unit}", "sh", "-c",
                    "sleep 1000 & exit 0"], check=False, timeout=20, stdin=subprocess.DEVNULL,
                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    assert shown(box.unit, "ActiveState")["ActiveState"] == "active"
    fails(box.run(globals=DRIVER, code=None), box.unit, "already", "lives")
    assert shown(box.unit, "ActiveState")["ActiveState"] == "active", "it is not ours to stop"
    systemctl("kill", "--signal=KILL", box.unit)
    forgotten(box.unit)
    up(box)
    end(box)


@pytest.mark.rows("CGS-30", "EXE-24", "CLI-16")
def test_later_verbs(scope, cgroups):
    box = scope()
    up(box)
    assert box.rt.call("pause", box.id).code == 0
    assert cgroups.read(box.pid, "", "", "cgroup.freeze") == "1"
    assert box.rt.call("resume", box.id).code == 0
    box.exec(ops=("report",))
    assert box.rt.call("kill", "--all", box.id, "KILL").code == 0
    host.wait_dead(box.pid)
    box.delete()
    box.wait()
    forgotten(box.unit)


@pytest.mark.rows("CGS-29")
def test_delete_of_what_ended_by_itself(scope):
    box = scope("exit 3")
    box.create(globals=DRIVER)
    box.start()
    box.wait()
    box.delete()
    forgotten(box.unit)


@pytest.mark.rows("CGS-08", "CGS-29")
def test_nothing_is_left_of_a_failure(scope, fails):
    box = scope()
    box.process["args"] = ["/bin/nothing"]
    fails(box.run(globals=DRIVER, code=None), "no such file")
    forgotten(box.unit)


@pytest.mark.rows("CGS-10", "CGS-12", "CLI-40", "EXE-24")
@pytest.mark.parametrize("environment", ["XDG_RUNTIME_DIR", "DBUS_SESSION_BUS_ADDRESS", "none"])
def test_a_user(user_box, cgroups, work, environment):  # noqa: F811
    """The scope is one of the user's own systemd, wherever rt itself was started: here outside of all
    that is the user's, so that systemd has to move the processes."""
    box = user_box
    box.rt.root = os.path.join(work, "users")
    os.mkdir(box.rt.root, 0o700)
    os.chown(box.rt.root, UID, UID)
    env = {"XDG_RUNTIME_DIR": {"XDG_RUNTIME_DIR": f"/run/user/{UID}"},
           "DBUS_SESSION_BUS_ADDRESS": {"DBUS_SESSION_BUS_ADDRESS": f"unix:path=/run/user/{UID}/bus"},
           "none": {"XDG_RUNTIME_DIR": ""}}[environment]
    box.linux["cgroupsPath"] = f"user.slice:rt:{box.id}"
    box.linux["resources"] = {"pids": {"limit": 30}}
    box.ops("echo up", "pause")
    box.pipe, write = os.pipe()
    told = box.act("create", globals=DRIVER, stdout=write, env=env)
    os.close(write)
    assert told.code == 0, told
    box.exists, box.pid = True, box.state()["pid"]
    assert box.act("start", env=env).code == 0
    box.lines_until("up")
    assert cgroups.of(box.pid)[""] == \
        f"/user.slice/user-{UID}.slice/user@{UID}.service/user.slice/rt-{box.id}.scope/container"
    assert cgroups.read(box.pid, "pids", "", "pids.max") == "30"
    box.exec(ops=("report",), env={"PATH": os.environ["PATH"], **env}, user=UID, group=UID,
             extra_groups=[])
    told = box.act("delete", "-f", env=env)
    assert told.code == 0, told
    box.exists = False
    box.wait()
    assert not cgroups.dirs(box.id)
