# SPDX-License-Identifier: Apache-2.0
"""The procfs of a container that joins a pid namespace. The kernel is asked for it by an option that Linux 6.17
brought; a filter takes that away, so that this kernel behaves as those before, on which User-Mode Linux runs this."""

import pytest

import who
from older_kernel import Before617

WAYS = ["as it is", "before 6.17"]


@pytest.fixture(params=[WAYS[0], pytest.param(WAYS[1], marks=pytest.mark.needs("root: loads a filter"))])
def kernel(request, rt):
    """A function that gives a box its rt."""
    def give(box):
        if request.param != WAYS[0]:
            box.rt = Before617(rt)
    return give


@pytest.mark.rows("NSP-12", "NSP-32", "LCY-03")
@pytest.mark.needs("fsopen")
@pytest.mark.parametrize("verb", ["create", "run"])
@pytest.mark.parametrize("userns", [False, True], ids=["pid", "user and pid"])
def test_it_shows_the_joined_namespace(new_box, kernel, userns, verb):
    neighbour = new_box("pause")
    box = new_box("read /proc/1/cmdline", "read /proc/self/status", "report")
    if userns:
        neighbour.userns()
        box.userns()
    neighbour.up()
    box.join("pid", neighbour.pid)
    if userns and not who.ROOTLESS:
        box.namespace("user", f"/proc/{neighbour.pid}/ns/user")
        del box.linux["uidMappings"], box.linux["gidMappings"]
    kernel(box)
    if verb == "run":
        told = box.run()
    else:
        box.create()
        box.start()
        told = box.finish()
    assert told.text("/proc/1/cmdline").startswith("/bin/probe\0echo\0up")
    pid = told.report["pid"]
    assert pid > 1 and f"\nPid:\t{pid}\n" in told.text("/proc/self/status")
    assert neighbour.status() == "running"


@pytest.mark.rows("NSP-12")
@pytest.mark.own
@pytest.mark.needs("no-fsopen", "root: the host's user namespace")
def test_without_fsopen(new_box, fails):
    """mount(2) would need a process inside with a mount namespace to lose: then it is an error that says so."""
    neighbour, box = new_box("pause"), new_box("exit 7")
    neighbour.up()
    box.join("pid", neighbour.pid)
    fails(box.run(code=None), "mounting", "/proc", "needs fsopen (Linux 5.2)", at="/mounts/0")
    box.config["mounts"] = [each for each in box.config["mounts"] if each["destination"] != "/proc"]
    box.run(code=7)
