# SPDX-License-Identifier: Apache-2.0
"""Containers on a kernel, or below a seccomp profile, that lacks the newer system calls.

ENOSYS is what an old kernel says, EPERM what an outer profile says that is older than the call."""

import json
import os

import pytest

from fixtures import CGROUPS

MOUNT_API = ("open_tree", "move_mount", "fsopen", "fsconfig", "fsmount", "fspick", "mount_setattr")
PIDFD = ("pidfd_open", "pidfd_send_signal", "pidfd_getfd")
SINGLE = ("openat2", "clone3", "mount_setattr", "open_tree", "close_range", "pidfd_open", "faccessat2", "statx",
          "statmount", "open_tree_attr")

# Profiles know calls in families: what came with one kernel is missing together.
BLOCKED = {name: (name,) for name in SINGLE}
BLOCKED["mount-api"] = MOUNT_API
BLOCKED["pidfd"] = PIDFD
BLOCKED["old-profile"] = MOUNT_API + PIDFD + SINGLE


@pytest.fixture(params=["ENOSYS", "EPERM"])
def blocked(request, rt, work, shim, new_box):
    """blocked (calls): until the test ends the runtime has to do without them. It depends on new_box so
    that the clean-up of a test that failed has all calls again."""
    path = rt.path

    def block(calls):
        if os.environ.get("RT_PEER") and request.param == "EPERM" and "clone3" in calls:
            pytest.skip("glibc falls back on ENOSYS only")
        rt.path = os.path.join(work, "blocked")
        with open(rt.path, "w", encoding="utf-8") as file:
            file.write(f"#!/bin/sh\nexec {shim} --errno {request.param} {' '.join(calls)} -- {path} \"$@\"\n")
        os.chmod(rt.path, 0o755)

    yield block
    rt.path = path


each_call = pytest.mark.parametrize("calls", BLOCKED.values(), ids=BLOCKED.keys())


@pytest.mark.rows("HDN-15", "HDN-16", "NSP-35")
@each_call
def test_run(calls, blocked, new_box):
    """The whole of a default container: mounts, devices, masks, a read-only root, bind mounts."""
    blocked(calls)
    box = new_box("report", "stat /dev/null", "open /proc/sys/kernel/hostname w", "read /given/file",
                  "open /given/file w", "create /etc/x")
    os.mkdir(box.path("/data"))
    source = box.beside("given")
    with open(os.path.join(source, "file"), "w", encoding="utf-8") as file:
        file.write("of the host")
    box.bind(source, "/given", "ro")
    box.mount("/data/deep/er", options=["size=64k", "mode=700"])
    box.config["root"]["readonly"] = True
    told = box.run()
    assert told.report["pid"] == 1
    assert told.text("/given/file") == "of the host"
    assert told.errno("open", "/given/file") == "EROFS"
    assert told.errno("create", "/etc/x") == "EROFS"
    assert told.errno("open", "/proc/sys/kernel/hostname") == "EROFS"


@pytest.mark.rows("HDN-15")
@each_call
def test_links_stay_inside(calls, blocked, new_box):
    """The resolver that stands in for openat2 is as strict: an absolute link and one that climbs lead
    to places below the container's root."""
    blocked(calls)
    box = new_box("read /inner/place/mark", "read /other/mark")
    os.makedirs(box.path("/inner/place"))
    os.makedirs(box.path("/other"))
    os.symlink("/inner/place", box.path("/absolute"))
    os.symlink("../../../../../../../../../other", box.path("/climbs"))
    source = box.beside("given")
    with open(os.path.join(source, "mark"), "w", encoding="utf-8") as file:
        file.write("here")
    box.bind(source, "/absolute")
    box.bind(source, "/climbs")
    told = box.run()
    assert told.text("/inner/place/mark") == "here"
    assert told.text("/other/mark") == "here"


@pytest.mark.rows("HDN-16", "NSP-35")
@each_call
def test_lifecycle(calls, blocked, new_box):
    blocked(calls)
    box = new_box("pause")
    box.up()
    assert box.status() == "running"
    box.kill("KILL")
    assert box.wait() == 128 + 9
    box.delete()


@pytest.mark.rows("VRB-39")
@pytest.mark.parametrize("calls", [PIDFD, ("pidfd_open",)], ids=["pidfd", "pidfd_open"])
def test_signals_without_pidfds(calls, blocked, new_box, fails):
    """A number alone may be another process's: it is used for rt's own children, and for what the v1 freezer
    holds. Anything else is an error; SIGKILL goes by the cgroup."""
    blocked(calls)
    box = new_box("pause")
    box.up()
    if "pidfd_send_signal" in calls:
        fails(box.kill("TERM", code=None), "send signal 15", "not implemented", "allow it")
        told = box.kill("--all", "CONT", code=None)
        if "freezer" in CGROUPS.v1:
            assert told.code == 0, told
        else:
            fails(told, "send signal 18", "not implemented", "allow it")
    else:
        box.kill("--all", "CONT")
        box.kill("CONT")
    assert box.status() == "running"
    box.delete("--force")


@pytest.mark.rows("HDN-16", "NSP-35")
@each_call
def test_user_namespace(calls, blocked, new_box):
    blocked(calls)
    box = new_box("read /proc/self/uid_map")
    box.userns()
    assert box.run().text("/proc/self/uid_map").split() == ["0", "100000", "65536"]


@pytest.mark.rows("FDS-16")
@pytest.mark.parametrize("calls", [BLOCKED["close_range"], BLOCKED["old-profile"]],
                         ids=["close_range", "old-profile"])
def test_no_descriptor_leaks(calls, blocked, box):
    """Descriptors of the caller end at the container, also where they must be closed one by one."""
    blocked(calls)
    given = [os.open("/", os.O_RDONLY) for _ in range(20)]
    try:
        for number in given:
            os.set_inheritable(number, True)
        report = box.run(close_fds=False).report
    finally:
        for number in given:
            os.close(number)
    assert sorted(int(number) for number in report["fds"]) == [0, 1, 2], json.dumps(report["fds"])
