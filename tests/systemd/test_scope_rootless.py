# SPDX-License-Identifier: Apache-2.0
"""The systemd cgroup driver of an ordinary user: scopes of the user's own service manager."""

import os
import shutil

import pytest

import host
from conftest import DRIVER
from test_rootless import UID, user_box  # noqa: F401 (a fixture)
from units import exists, show, systemctl

pytestmark = [pytest.mark.needs("systemd", "v2"), pytest.mark.own]

MANAGER = f"/user.slice/user-{UID}.slice/user@{UID}.service"
FROM_A_SERVICE = 'exec systemd-run --user --scope --quiet -- "$@"'
BUS = {"XDG_RUNTIME_DIR": f"/run/user/{UID}"}


@pytest.fixture(params=["of the user's services", "from elsewhere"])
def users_box(request, user_box, work):  # noqa: F811
    """user_box with the systemd driver. rt is called in a scope of the user's manager, or in a cgroup
    of root's, as after a login, where only systemd itself may move the user's processes."""
    act, box = user_box.act, user_box
    shell = FROM_A_SERVICE if request.param.startswith("of") else None
    box.unit = f"rt-{box.id}.scope"
    box.rt.root = os.path.join(work, "users")
    os.mkdir(box.rt.root, 0o700)
    os.chown(box.rt.root, UID, UID)

    def call(verb, *flags, **options):
        return act(verb, *flags, shell=shell, env=BUS,
                   globals=DRIVER if verb in ("run", "create") else (), **options)
    box.act = call
    yield box
    if box.exists:
        call("delete", "-f")
        box.wait()
        box.exists = False
    assert not exists(box.unit, UID), show(box.unit, UID)


def up(box, *ops):
    box.ops(*ops, "echo up", "pause")
    box.pipe, write = os.pipe()
    told = box.act("create", stdout=write)
    os.close(write)
    assert told.code == 0, told
    box.exists, box.pid = True, box.state()["pid"]
    told = box.act("start")
    assert told.code == 0, told
    return box.lines_until("up")


@pytest.mark.rows("CGS-02", "CGS-05", "CGS-10", "CGS-12", "CGM-08", "UID-14")
def test_life(users_box, cgroups):
    up(users_box)
    path = cgroups.of(users_box.pid)[""]
    assert path == f"{MANAGER}/user.slice/{users_box.unit}/container"
    unit = show(users_box.unit, UID)
    assert (unit["ActiveState"], unit["Slice"], unit["Delegate"]) == ("active", "user.slice", "yes")
    told = users_box.act("delete", "-f")
    assert told.code == 0, told
    users_box.exists = False
    users_box.wait()
    assert not cgroups.dirs(users_box.id)


@pytest.mark.rows("CGS-10", "CGS-15", "CGS-16", "CGS-18", "CGS-20", "UID-14")
def test_limits(users_box, cgroups):
    box = users_box
    box.linux["cgroupsPath"] = f"app.slice:rt:{box.id}"
    box.linux["resources"] = {"memory": {"limit": 64 << 20}, "pids": {"limit": 5},
                              "cpu": {"quota": 50000, "period": 100000}}
    assert up(box, "children 10").line("children")["ret"] == 4
    assert cgroups.of(box.pid)[""] == f"{MANAGER}/app.slice/{box.unit}/container"
    for _ in range(2):
        unit = show(box.unit, UID)
        assert (unit["MemoryMax"], unit["TasksMax"], unit["CPUQuotaPerSecUSec"]) \
            == (str(64 << 20), "5", "500ms")
        assert cgroups.read(box.pid, "", "", "memory.max") == str(64 << 20)
        assert cgroups.read(box.pid, "", "", "pids.max") == "5"
        assert cgroups.read(box.pid, "", "", "cpu.max") == "50000 100000"
        systemctl("daemon-reload", user=UID)
        systemctl("daemon-reload")


@pytest.mark.rows("CGS-16", "UID-14")
def test_no_more_memory(users_box):
    users_box.linux["resources"] = {"memory": {"limit": 16 << 20, "swap": 16 << 20}}
    users_box.ops("memory 1048576", "memory 67108864", "echo alive")
    told = users_box.act("run")
    assert told.code == 137, told
    assert "alive" not in told.out


@pytest.mark.rows("CGS-18", "UID-14")
def test_no_more_time(users_box, cgroups):
    box = users_box
    box.linux["resources"] = {"cpu": {"quota": 5000, "period": 100000}}
    shutil.copy("/bin/busybox", box.path("/bin/busybox"))
    box.process["args"] = ["/bin/busybox", "sh", "-c", "while :; do :; done"]
    told = box.act("create")
    assert told.code == 0, told
    box.exists, box.pid = True, box.state()["pid"]
    assert box.act("start").code == 0

    def throttled():
        text = cgroups.read(box.pid, "cpu", "", "cpu.stat")
        return int(dict(line.split() for line in text.splitlines())["nr_throttled"]) > 1
    host.until(throttled, "throttled", 30)


@pytest.mark.rows("CGS-10", "EXE-22")
def test_exec(users_box, cgroups):
    up(users_box)
    told = users_box.rt.call("exec", users_box.id, "/bin/probe", "read", "/proc/self/cgroup",
                             user=UID, group=UID, extra_groups=[], env=BUS)
    assert told.code == 0, told
    assert told.text("/proc/self/cgroup").strip() == f"0::{cgroups.of(users_box.pid)['']}"


@pytest.mark.rows("CGS-10", "CGS-11")
def test_no_bus(user_box, fails):  # noqa: F811
    """A user without a service manager."""
    told = user_box.act("run", globals=DRIVER)
    fails(told, "systemd", "bus", user_box.runtime)
