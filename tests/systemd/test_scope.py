# SPDX-License-Identifier: Apache-2.0
"""The systemd cgroup driver with a real systemd: the scope as `systemctl show` tells it, its life and
its end."""

import os
import shutil
import subprocess

import pytest

import host
from bundle import label
from conftest import DRIVER
from units import exists, show, systemctl, wait_for

pytestmark = [pytest.mark.needs("systemd", "v2"), pytest.mark.own]


@pytest.mark.rows("CGS-01", "CGS-07", "CGS-08", "CGS-12", "CGS-13", "CGS-29")
def test_life(scope_box, cgroups):
    box = scope_box()
    box.enter()
    unit = show(box.unit)
    for name, value in {"ActiveState": "active", "SubState": "running", "Transient": "yes",
                        "Slice": "system.slice", "Delegate": "yes", "DefaultDependencies": "no",
                        "CPUAccounting": "yes", "MemoryAccounting": "yes", "IOAccounting": "yes",
                        "TasksAccounting": "yes",
                        "ControlGroup": f"/system.slice/{box.unit}"}.items():
        assert unit[name] == value, name
    assert box.id in unit["Description"]
    assert cgroups.of(box.pid)[""] == f"/system.slice/{box.unit}/container"
    with open(f"{cgroups.v2}/system.slice/{box.unit}/cgroup.procs", encoding="ascii") as file:
        assert file.read() == ""
    box.delete("-f")
    box.wait()
    assert not exists(box.unit)
    assert not cgroups.dirs(box.id)


@pytest.mark.rows("CGS-08", "CGS-29", "CGS-12")
def test_run(scope_box, cgroups):
    """In the foreground; the process and the unit are gone at its end."""
    box = scope_box("read /proc/self/cgroup", "exit 3")
    box.namespace("cgroup", absent=True)
    told = box.run(globals=DRIVER, code=3)
    assert told.text("/proc/self/cgroup") == f"0::/system.slice/{box.unit}/container\n"
    assert not exists(box.unit)
    assert not cgroups.dirs(box.id)


@pytest.mark.rows("CGS-29")
def test_deleted_after_its_end(scope_box):
    """A scope that is empty ends by itself; delete has nothing to stop then."""
    box = scope_box("echo up")
    box.create(globals=DRIVER)
    box.start()
    box.wait()
    assert box.status() == "stopped"
    box.delete()


@pytest.mark.rows("CGS-02", "CGS-05", "CGM-06")
def test_no_cgroups_path(scope_box, cgroups):
    box = scope_box()
    del box.linux["cgroupsPath"]
    box.enter()
    assert cgroups.of(box.pid)[""] == f"/system.slice/rt-{box.id}.scope/container"


@pytest.mark.rows("CGS-02", "CGS-04")
def test_empty_parts(scope_box, cgroups):
    box = scope_box()
    box.unit = f"{box.id}.scope"
    box.linux["cgroupsPath"] = f"::{box.id}"
    box.enter()
    assert cgroups.of(box.pid)[""] == f"/system.slice/{box.unit}/container"


@pytest.mark.rows("CGS-06")
def test_slices_in_slices(scope_box, cgroups):
    """systemd makes them for the scope, and takes them away when nobody needs them."""
    box = scope_box()
    box.linux["cgroupsPath"] = "rtouter-inner.slice:rt:" + box.id
    box.enter()
    assert cgroups.of(box.pid)[""] == \
        f"/rtouter.slice/rtouter-inner.slice/{box.unit}/container"
    assert show("rtouter-inner.slice")["ActiveState"] == "active"
    box.delete("-f")
    box.wait()
    systemctl("stop", "rtouter.slice")


@pytest.mark.rows("CGS-03")
def test_the_unit_is_a_slice(scope_box, cgroups):
    box = scope_box()
    box.unit = f"rt{os.getpid()}-own.slice"
    box.linux["cgroupsPath"] = f"system.slice:rt:{box.unit}"
    box.enter()
    assert cgroups.of(box.pid)[""] == f"/rt{os.getpid()}.slice/{box.unit}"
    assert show(box.unit)["Transient"] == "yes"
    box.delete("-f")
    box.wait()
    systemctl("stop", f"rt{os.getpid()}.slice")


@pytest.mark.rows("CGS-13", "ANN-06")
@pytest.mark.parametrize("name, below", [("payload", "/payload"), ("", "")], ids=["named", "none"])
def test_subgroup(scope_box, cgroups, name, below):
    box = scope_box()
    box.config["annotations"] = {"run.oci.systemd.subgroup": name}
    box.linux["resources"]["memory"] = {"limit": 64 << 20}
    box.enter()
    assert cgroups.of(box.pid)[""] == f"/system.slice/{box.unit}{below}"
    assert cgroups.read(box.pid, "memory", "", "memory.max") == str(64 << 20)


# ---- what was there before, what goes wrong

@pytest.mark.rows("CGS-09")
def test_a_failed_unit_of_that_name(scope_box):
    box = scope_box()
    subprocess.run(["systemd-run", "--scope", "--quiet", f"--unit={box.unit}",
                    "--property=RuntimeMaxSec=100ms", "sleep", "1000"], check=False, timeout=60)
    wait_for(box.unit, "failed")
    box.enter()
    assert show(box.unit)["ActiveState"] == "active"


@pytest.mark.rows("CGS-09")
def test_a_living_unit_of_that_name(scope_box, fails):
    box = scope_box()
    with subprocess.Popen(["systemd-run", "--scope", "--quiet", f"--unit={box.unit}", "sleep",
                           "1000"]) as stranger:
        wait_for(box.unit, "active")
        fails(box.create(globals=DRIVER, code=None), box.unit, "already")
        assert show(box.unit)["ActiveState"] == "active"
        assert stranger.poll() is None
        stranger.kill()
        stranger.wait()
    host.until(lambda: not exists(box.unit), "the stranger's unit is gone", 30)


@pytest.mark.rows("CGS-08", "CGS-25")
def test_a_property_that_systemd_refuses(scope_box, fails):
    box = scope_box()
    box.config["annotations"] = {"org.systemd.property.CollectMode": "'whatever'"}
    fails(box.create(globals=DRIVER, code=None), "CollectMode", box.unit)
    assert not exists(box.unit)


@pytest.mark.rows("CGS-08")
def test_a_job_that_fails(scope_box, fails):
    """systemd takes the order, and then what the scope stands on does not come up."""
    box = scope_box()
    with open("/run/systemd/system/rt-never.service", "w", encoding="ascii") as file:
        file.write("[Service]\nType=oneshot\nExecStart=/bin/false\n")
    drop_in = f"/run/systemd/system/{box.unit}.d"
    os.makedirs(drop_in)
    with open(f"{drop_in}/never.conf", "w", encoding="ascii") as file:
        file.write("[Unit]\nRequires=rt-never.service\nAfter=rt-never.service\n")
    systemctl("daemon-reload")
    try:
        fails(box.create(globals=DRIVER, code=None), box.unit, "dependency")
        assert not exists(box.unit)
    finally:
        os.unlink("/run/systemd/system/rt-never.service")
        shutil.rmtree(drop_in)
        systemctl("daemon-reload")
        systemctl("reset-failed")


@pytest.mark.rows("CGS-29", "CRT-46")
def test_nothing_stays_of_a_start_that_fails_later(scope_box, cgroups):
    box = scope_box()
    box.config["mounts"].append({"destination": "/x", "type": "bind", "source": "/nowhere",
                                 "options": ["bind"]})
    assert box.create(globals=DRIVER, code=None).code != 0
    assert not exists(box.unit)
    assert not cgroups.dirs(box.id)


@pytest.mark.rows("CGS-29", "VRB-30")
@pytest.mark.parametrize("verb", ["stop", "kill"])
def test_ended_by_systemd(scope_box, verb):
    """Who stops the scope stops the container. (The probe does not heed SIGTERM.)"""
    box = scope_box()
    box.config["annotations"] = {"org.systemd.property.TimeoutStopSec": "0.5"}
    box.enter()
    systemctl(verb, *(["--signal=KILL"] if verb == "kill" else []), box.unit)
    host.wait_dead(box.pid)
    assert box.status() == "stopped"
    box.delete()
    host.reap_all()


# ---- the other verbs

@pytest.mark.rows("EXE-19", "EXE-22", "CGS-12")
def test_exec(scope_box, cgroups):
    box = scope_box()
    box.namespace("cgroup", absent=True)
    box.enter()
    told = box.exec(ops=("read /proc/self/cgroup",))
    assert told.text("/proc/self/cgroup") == f"0::/system.slice/{box.unit}/container\n"


@pytest.mark.rows("CGS-30", "VRB-34")
def test_pause(scope_box, cgroups):
    """The freezer's own files; a daemon-reload does not thaw it."""
    box = scope_box()
    box.enter()
    assert box.rt.call("pause", box.id).code == 0
    assert box.status() == "paused"
    systemctl("daemon-reload")
    assert box.status() == "paused"
    assert cgroups.read(box.pid, "", "", "cgroup.freeze") == "1"
    assert box.rt.call("resume", box.id).code == 0
    assert box.status() == "running"


@pytest.mark.rows("CGS-30", "CGS-29")
def test_delete_of_a_paused_container(scope_box):
    box = scope_box()
    box.enter()
    assert box.rt.call("pause", box.id).code == 0
    box.delete("-f")
    box.wait()


@pytest.mark.rows("CGM-24", "CGS-29")
def test_all_processes_end(scope_box, cgroups):
    """Also those that joined the host's pid namespace and would outlive their init."""
    box = scope_box("children 3", "pause")
    box.namespace("pid", absent=True)
    box.enter()
    directory = cgroups.dir(box.pid, "")
    with open(f"{directory}/cgroup.procs", encoding="ascii") as file:
        pids = [int(pid) for pid in file]
    assert len(pids) == 4
    box.delete("-f")
    for pid in pids:
        host.wait_dead(pid)
    host.reap_all()


# ---- properties of the user's

@pytest.mark.rows("CGS-25", "CGS-26", "CGS-27")
@pytest.mark.parametrize("name, text, property_, value", [
    ("TimeoutStopUSec", "uint64 7000000", "TimeoutStopUSec", "7s"),
    ("TimeoutStopSec", "12", "TimeoutStopUSec", "12s"),
    ("TimeoutStopSec", "1.5", "TimeoutStopUSec", "1.500000s"),
    ("CollectMode", "'inactive-or-failed'", "CollectMode", "inactive-or-failed"),
    ("Description", "'of the user'", "Description", "of the user"),
    ("Documentation", "['man:rt']", "Documentation", "man:rt"),
    ("TasksMax", "uint64 77", "TasksMax", "77"),
], ids=label)
def test_user_properties(scope_box, name, text, property_, value):
    box = scope_box()
    box.config["annotations"] = {f"org.systemd.property.{name}": text}
    box.enter()
    got = show(box.unit)[property_]
    assert got == value
