# SPDX-License-Identifier: Apache-2.0
"""rt that itself runs in the cgroup of the container, or below it: it neither freezes nor kills itself."""

import os
import signal
import subprocess
import tempfile

import pytest

import blocked
import host
from bundle import Told, owner_of_state

HINT = "rt itself runs in this cgroup: call it from outside"
JOIN = 'n=$1; shift; while [ $n -gt 0 ]; do echo 0 >"$1/cgroup.procs" || exit 99; shift; n=$((n - 1)); done; exec "$@"'


def directories(box):
    found = {box.cgroups.dir(box.pid, name) for name in box.cgroups.of(box.pid)}
    return sorted(each for each in found if box.cgroup in each)


def thaw(box):
    """A process that the v1 freezer holds does not even die. Not by the place of init, which may be dead."""
    for each in box.cgroups.dirs(box.cgroup):
        for knob, word in (("freezer.state", "THAWED"), ("cgroup.freeze", "0")):
            if os.path.exists(f"{each}/{knob}"):
                with open(f"{each}/{knob}", "w", encoding="ascii") as file:
                    file.write(word)


def inside(box, directories, *args, before=()):
    """rt, called by a shell that has gone there. before: what the shell calls, which calls rt."""
    rt = box.rt
    assert directories
    argv, options = blocked.start(["/bin/sh", "-c", JOIN, "sh", str(len(directories)), *directories,
                                   *before, rt.path, "--root", rt.root, *args], owner_of_state(rt.root))
    with tempfile.TemporaryFile(dir=rt.work) as err, \
            subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=err,
                             **options) as process:
        try:
            host.wait_dead(process.pid, 10)
        except AssertionError:
            process.kill()
            thaw(box)
            raise
        err.seek(0)
        return Told(process.wait(), "", err.read().decode())


def in_cgroup(box):
    """The processes that the kernel lists there, in whatever hierarchy."""
    pids = set()
    for path in {path for each in directories(box) for path in (each, *host.below(each))}:
        with open(f"{path}/cgroup.procs", encoding="ascii") as file:
            pids |= {int(line) for line in file}
    return pids


@pytest.fixture(params=["there", "below"])
def up(request, new_box):
    """A container with children, and the directories of its cgroup to call rt in."""
    def make(shared=False):
        box = new_box("children 2", "pause")
        if shared:
            box.namespace("pid", absent=True)
        box.up()
        paths = directories(box)
        if request.param == "below":
            paths = [f"{each}/sub" for each in paths if "cpuset" not in each]
            for each in paths:
                os.mkdir(each)
        return box, paths
    return make


@pytest.mark.own
@pytest.mark.rows("VRB-43", "CGM-25")
def test_pause(up, rt, fails):
    box, paths = up()
    fails(inside(box, paths, "pause", box.id), "freeze cgroup", HINT)
    assert box.status() == "running"
    assert rt.call("pause", box.id).code == 0
    assert box.status() == "paused"
    assert rt.call("resume", box.id).code == 0


@pytest.mark.own
@pytest.mark.rows("CKP-01", "CKP-04")
@pytest.mark.needs("root: CRIU")
def test_checkpoint(up, fails):
    """CRIU freezes, and would be frozen with rt."""
    box, paths = up()
    for flag in ("--pre-dump", "--leave-running", "--tcp-established"):
        images = f"{box.dir}/images"
        fails(inside(box, paths, "checkpoint", flag, "--image-path", images, box.id), "freeze cgroup", HINT)
        assert not os.path.exists(images)
    assert box.status() == "running"


@pytest.mark.own
@pytest.mark.rows("VRB-39", "CGM-23", "CGM-24")
@pytest.mark.parametrize("name", ["KILL", "TERM"])
def test_kill_all(up, name):
    """All but rt, which tells how it went."""
    box, paths = up(shared=True)
    pids = in_cgroup(box)
    assert len(pids) == 3
    told = inside(box, paths, "kill", "--all", box.id, name)
    assert (told.code, told.err) == (0, "")
    assert box.wait() == 128 + signal.Signals[f"SIG{name}"]
    for pid in pids - {box.pid}:
        host.reap(pid)
    assert box.status() == "stopped"


@pytest.mark.own
@pytest.mark.rows("VRB-40", "CGM-24")
@pytest.mark.parametrize("shared", [False, True], ids=["own pid namespace", "host's"])
def test_delete_force(up, fails, shared):
    """The container ends. What has rt in it cannot be removed, and that is told at once."""
    box, paths = up(shared)
    told = inside(box, paths, "--timeout", "9s", "delete", "--force", box.id)
    fails(told, "remove cgroup", HINT)
    box.wait()
    host.reap_all()
    assert box.status() == "stopped"
    fails(inside(box, box.cgroups.dirs(box.cgroup)[-1:], "delete", box.id), "remove cgroup", HINT)
    box.delete()


@pytest.mark.own
@pytest.mark.rows("VRB-43", "VRB-39", "CGM-25", "NSP-23")
@pytest.mark.needs("root: a cgroup namespace of the host's user namespace")
def test_in_its_cgroup_namespace(up, fails):
    """There the names that the kernel tells rt of its own cgroup are not those below the host's mount."""
    box, paths = up(shared=True)
    pids = in_cgroup(box)
    space = ["nsenter", f"--cgroup=/proc/{box.pid}/ns/cgroup"]
    fails(inside(box, paths, "pause", box.id, before=space), "freeze cgroup", HINT)
    assert box.status() == "running"
    told = inside(box, paths, "kill", "--all", box.id, "KILL", before=space)
    assert (told.code, told.err) == (0, "")
    assert box.wait() == 128 + signal.SIGKILL
    for pid in pids - {box.pid}:
        host.reap(pid)
