# SPDX-License-Identifier: Apache-2.0
"""pause, resume and ps."""

import json
import os
import time

import pytest

OWN = pytest.mark.own


def ticks_of(pid):
    """What of processor time a process has had."""
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        words = file.read().rsplit(")", 1)[1].split()
    return int(words[11]) + int(words[12])


@pytest.mark.rows("VRB-43", "VRB-45", "VRB-09", "CGM-25")
def test_paused_processes_stand_still(new_box, rt):
    box = new_box("children 2", "pause")
    box.up()
    rt.call("pause", box.id)
    assert box.status() == "paused"
    rt.call("resume", box.id)
    assert box.status() == "running"
    box.kill("KILL")
    box.wait()


@pytest.mark.rows("VRB-43")
def test_a_spinning_process_gets_no_time(new_box, rt):
    box = new_box("flood 1000000000000")
    box.run("-d", stdout=os.open(os.devnull, os.O_WRONLY))
    pid = box.state()["pid"]
    rt.call("pause", box.id)
    before = ticks_of(pid)
    ended = time.monotonic() + 0.2
    while time.monotonic() < ended:
        pass
    assert ticks_of(pid) == before
    rt.call("resume", box.id)
    while ticks_of(pid) == before:
        pass
    box.delete("--force")


@pytest.mark.rows("VRB-44", "VRB-45")
@OWN
def test_wrong_states(new_box, rt, fails):
    box = new_box("pause")
    box.up()
    fails(rt.call("resume", box.id), "container not paused")
    rt.call("pause", box.id)
    fails(rt.call("pause", box.id), "container not running", "paused")
    rt.call("resume", box.id)
    box.kill("KILL")
    box.wait()
    fails(rt.call("pause", box.id), "container not running", "stopped")
    fails(rt.call("resume", box.id), "container not paused")
    fails(rt.call("pause", "absent"), "does not exist")


@pytest.mark.rows("VRB-44")
@OWN
def test_a_created_container_can_be_paused(new_box, rt):
    box = new_box("pause")
    box.create()
    rt.call("pause", box.id)
    rt.call("resume", box.id)
    box.start()
    assert box.status() == "running"


@pytest.mark.rows("VRB-41", "VRB-40", "VRB-23")
@pytest.mark.parametrize("verb", ["kill", "delete"])
def test_a_paused_container_dies(new_box, rt, verb):
    box = new_box("pause")
    box.up()
    rt.call("pause", box.id)
    if verb == "kill":
        box.kill("KILL")
        box.wait()
        assert box.status() == "stopped"
    else:
        box.delete("--force")


@pytest.mark.rows("VRB-46")
@OWN
def test_without_a_cgroup(new_box, rt, fails):
    box = new_box("pause")
    box.linux.pop("resources")
    box.config["mounts"] = [each for each in box.config["mounts"] if each["type"] != "cgroup"]
    box.save()
    told = rt.call("run", "-d", "-b", box.dir, box.id, globals=("--cgroup-manager", "disabled"))
    assert told.code == 0, told
    fails(rt.call("pause", box.id), "no cgroup")
    pids = json.loads(rt.call("ps", "--format", "json", box.id).out)
    assert pids == [box.state()["pid"]]
    box.delete("--force")


@pytest.mark.rows("VRB-49", "VRB-47", "VRB-48")
@pytest.mark.needs("ps")
def test_processes(new_box, rt):
    box = new_box("children 2", "pause")
    box.up()
    pids = json.loads(rt.call("ps", "--format", "json", box.id).out)
    assert box.pid in pids and len(pids) == 3
    lines = rt.call("ps", box.id).out.splitlines()
    assert "PID" in lines[0].split() and len(lines) == 4
    lines = rt.call("ps", box.id, "-o", "comm,pid").out.splitlines()
    assert lines[0].split() == ["COMMAND", "PID"]
    assert sorted(int(line.split()[1]) for line in lines[1:]) == sorted(pids)


@pytest.mark.rows("VRB-48")
@pytest.mark.needs("ps")
@OWN
def test_ps_without_a_pid_column(new_box, rt, fails):
    box = new_box("pause")
    box.up()
    fails(rt.call("ps", box.id, "-o", "comm"), "no column PID")
    told = rt.call("ps", box.id, "--no-such-option")
    assert told.code == 1 and told.err.splitlines()[-1] == "rt: error: ps failed with status 1"


@pytest.mark.rows("VRB-50")
@pytest.mark.needs("ps")
@OWN
def test_ps_of_a_stopped_container(new_box, rt):
    box = new_box("pause")
    box.up()
    box.kill("KILL")
    box.wait()
    assert json.loads(rt.call("ps", "-f", "json", box.id).out) == []
    assert len(rt.call("ps", box.id).out.splitlines()) == 1
