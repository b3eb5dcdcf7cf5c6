# SPDX-License-Identifier: Apache-2.0
"""A signal for all of a container reaches no other process, also where the container ends its processes while rt
looks for them, and processes of the host get their numbers."""

import fcntl
import json
import os
import select
import shutil
import signal
import subprocess

import pytest

import compiled
import host
from fixtures import CGROUPS

HERE = os.path.dirname(os.path.abspath(__file__))
PROCESSES = 300 if os.cpu_count() > 1 else 20     # with one processor there is no race to be won


class Squatter:
    """Processes of the host with the numbers that the container gives up."""

    def __init__(self, program, pids):
        self.process = subprocess.Popen([program, *pids], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert self.process.stdout.readline() == "ready\n"

    def end(self):
        out, _ = self.process.communicate("")
        lines = out.splitlines()
        assert lines and lines[-1].startswith("took "), lines
        return [line for line in lines if line.startswith("hit")], int(lines[-1].split()[1])


@pytest.fixture
def scattered(new_box):
    """A container that scatters as soon as its list is read; other processes get the numbers."""
    squatters = []

    def make():
        box = new_box()
        box.namespace("pid", absent=True)
        mount = next(each for each in box.config["mounts"] if each["type"] == "cgroup")
        mount["options"] = [word for word in mount["options"] if word != "ro"] + ["rw"]
        shutil.copy(compiled.program("scatter", [f"{HERE}/scatter.c"]), box.path("/bin/scatter"))
        directory = "/sys/fs/cgroup" + ("/freezer" if "freezer" in CGROUPS.v1 else "")
        box.process["args"] = ["/bin/scatter", directory, str(PROCESSES)]
        box.create()
        box.start()
        pids = box.line().split()
        assert pids[0] == "up" and len(pids) == PROCESSES + 1, pids
        squatters.append(Squatter(compiled.program("squatter", [f"{HERE}/squatter.c"]), pids[1:]))
        return box, squatters[0]
    yield make
    for squatter in squatters:
        squatter.process.kill()
        squatter.process.wait()


@pytest.mark.rows("VRB-39", "CGM-23")
@pytest.mark.own
@pytest.mark.needs("root: takes numbers of processes")
@pytest.mark.parametrize("busy", [False, True], ids=["frozen", "another command at work"])
def test_kill_all_reaches_no_other_process(scattered, busy):
    box, squatter = scattered()
    state = os.open(os.path.join(box.rt.root, box.id), os.O_RDONLY)
    if busy:    # then it may not freeze, and each number has to be looked at again
        fcntl.flock(state, fcntl.LOCK_EX)
    try:
        box.kill("--all", "TERM")
    finally:
        os.close(state)
    assert box.line() == "freed"
    box.kill("--all", "KILL")
    box.wait()
    hits, took = squatter.end()
    assert not hits
    assert took >= PROCESSES // 2, "it was too late to show anything"


@pytest.mark.rows("VRB-39")
@pytest.mark.parametrize("options", [[], ["--detach"]], ids=["foreground", "detached"])
def test_a_failed_exec_leaves_its_caller_s_children(new_box, rt, options):
    """A shell that executes rt in its own place leaves what it has in the background to rt, as its children."""
    box = new_box("pause")
    box.create()
    box.start()
    script = """
        sh -c 'sleep 300 & echo $!; wait' &
        exec "$@"
    """
    process = subprocess.Popen(["sh", "-c", script, "sh", rt.path, "--root", rt.root, "exec", *options, box.id,
                                "/missing"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE, text=True)
    below = int(process.stdout.readline())
    pidfd = os.pidfd_open(below)
    try:
        assert "no such file or directory" in process.stderr.readline()
        assert process.wait() == 255
        assert not select.select([pidfd], [], [], 0)[0], "it was killed"
    finally:
        signal.pidfd_send_signal(pidfd, signal.SIGKILL)
        process.communicate()
        os.close(pidfd)


@pytest.mark.rows("VRB-28")
@pytest.mark.own
@pytest.mark.needs("root: makes a pid namespace", "v2-tree")
@pytest.mark.parametrize("command", [["state"], ["delete"], ["delete", "--force"], ["exec"], ["kill"]],
                         ids=["state", "delete", "delete --force", "exec", "kill"])
def test_what_another_pid_namespace_sees_is_not_stopped(new_box, rt, command):
    """Its init has no number there: it is not dead for that, and a delete does not kill it."""
    box = new_box("pause")
    box.create()
    box.start()
    more = {"exec": ["/bin/true"], "kill": ["KILL"]}.get(command[0], [])
    told = rt.execute(["unshare", "--pid", "--fork", "--mount-proc", rt.path, "--root", rt.root, *command, box.id,
                       *more])
    assert told.code != 0 and "in another pid namespace" in told.err and "call rt in the pid namespace" in told.err
    assert box.state()["status"] == "running"


@pytest.mark.rows("VRB-39")
@pytest.mark.own
@pytest.mark.parametrize("spelling", ["/{}/../{}", "//{1}"], ids=["..", "//"])
def test_a_damaged_record_names_no_other_container(new_box, rt, spelling):
    """What is left of it is compared with the records of others, which takes one spelling for each path."""
    other, box = new_box("pause"), new_box("pause")
    for each in (other, box):
        each.create()
        each.start()
    path = os.path.join(rt.root, box.id, "record.json")
    with open(path, encoding="utf-8") as file:
        record = json.load(file)
    paths = {key: value.removesuffix("/" + box.id) + spelling.format(box.id, other.id)
             for key, value in record["cgroup"].items()}
    assert paths
    with open(path, "w", encoding="utf-8") as file:
        json.dump({"id": box.id, "cgroup": paths}, file)
    rt.execute([rt.path, "--root", rt.root, "kill", "--all", box.id, "KILL"])
    assert other.state()["status"] == "running"


@pytest.mark.rows("VRB-39")
@pytest.mark.own
@pytest.mark.parametrize("forged", ["{mount}", "{mount}/", "/sys", "/", "/sys/fs/cgroup-x/{id}"])
def test_a_record_names_the_root_of_no_hierarchy(new_box, rt, forged):
    """There all processes of the host are. Only a signal that does nothing is sent, should it be believed."""
    box = new_box("pause")
    box.create()
    box.start()
    path = os.path.join(rt.root, box.id, "record.json")
    with open(path, encoding="utf-8") as file:
        record = json.load(file)
    record["cgroup"] = {key: forged.format(mount=value.removesuffix("/" + box.id), id=box.id)
                        for key, value in record["cgroup"].items()}
    assert record["cgroup"]
    with open(path, "w", encoding="utf-8") as file:
        json.dump(record, file)
    for command, more in (("exec", ["/bin/true"]), ("ps", []), ("pause", [])):
        told = rt.call(command, box.id, *more)
        assert told.code != 0 and "names a cgroup that no container can have" in told.err, told
    told = rt.call("kill", "--all", box.id, "CONT")     # by the document that create has stored
    assert told.code == 0 and "damaged record" in told.err, told
    assert rt.call("delete", "--force", box.id).code == 0
    box.exists = False
    host.wait_dead(box.pid)
