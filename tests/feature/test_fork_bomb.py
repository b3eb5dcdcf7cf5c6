# SPDX-License-Identifier: Apache-2.0
"""A container whose processes fork wildly is killed for certain: each lives for a moment, and leaves another
one in a session of its own. At a limit on their number they would stand still: a kill in one pass, without the
freezer and without cgroup.kill, would find all."""

import os

import pytest

import host
from fixtures import CGROUPS

BOMBS = 40


def processes(box):
    controller = "pids" if CGROUPS.layout != "v2" else ""
    path = f"{CGROUPS.v1[controller] if controller else CGROUPS.v2}/{box.cgroup}/cgroup.procs"
    try:
        with open(path, encoding="ascii") as file:
            return len(file.readlines())
    except FileNotFoundError:
        return 0


@pytest.mark.rows("CGM-23", "CGM-24")
@pytest.mark.needs("pids")
@pytest.mark.parametrize("shared", [False, True], ids=["own pid namespace", "host's"])
@pytest.mark.parametrize("verb", ["kill", "kill --all", "delete", "paused"])
def test_killed_for_certain(new_box, rt, verb, shared):
    box = new_box("echo bomb", f"bomb {BOMBS}")
    box.linux["resources"]["pids"] = {"limit": 10 * BOMBS}
    if shared:
        box.namespace("pid", absent=True)
    box.create()
    box.start()
    box.lines_until("bomb")
    host.until(lambda: processes(box) > BOMBS // 2, "the bomb has gone off")
    if verb == "paused":
        assert rt.call("pause", box.id).code == 0
    if verb.startswith("kill"):
        box.kill(*verb.split()[1:], "KILL")
        box.wait()
        # Who is killed needs a moment to go; who was not would fork on.
        host.until(lambda: processes(box) == 0, "all are gone")
        assert box.status() == "stopped"
        box.delete()
    else:
        box.delete("--force")
    assert not [path for path in CGROUPS.dirs(box.cgroup) if os.path.exists(path)]
