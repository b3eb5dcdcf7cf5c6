# SPDX-License-Identifier: Apache-2.0
"""What stands between create and start, what rt remembers of a container, and what delete leaves to
those whose it is."""

import json
import os
import signal
import socket
import stat
import subprocess
import threading

import pytest

import host
from fixtures import CGROUPS


def record(box):
    with open(os.path.join(box.rt.root, box.id, "record.json"), encoding="utf-8") as file:
        return json.load(file)


@pytest.mark.rows("LCY-05")
@pytest.mark.own
def test_what_is_remembered(new_box):
    box = new_box("pause")
    box.config["annotations"] = {"a": "b"}
    box.create()
    known = record(box)
    state = box.state()
    with open(f"/proc/{box.pid}/stat", encoding="ascii") as file:
        started = int(file.read().rpartition(")")[2].split()[19])
    assert known["phase"] == "created" and known["version"] == 1
    assert (known["pid"], known["startTime"]) == (box.pid, started)
    assert (known["id"], known["bundle"], known["rootfs"]) == (box.id, box.dir, box.rootfs)
    assert (known["created"], known["annotations"]) == (state["created"], {"a": "b"})
    assert known["owner"] == os.getuid() and known["systemd"] is False
    assert known["cgroup"], "where the container's cgroups are"
    for path in known["cgroup"].values():
        assert os.path.basename(path) == box.cgroup
    assert (known["terminal"], known["ownPidNamespace"], known["poststopHooks"]) \
        == (False, True, False)
    assert "intelRdt" not in known      # it has nothing of its own there
    directory = os.path.join(box.rt.root, box.id)
    assert stat.S_IMODE(os.stat(directory).st_mode) == 0o700
    for name in ("record.json", "config.json", "gate"):
        assert stat.S_IMODE(os.stat(os.path.join(directory, name)).st_mode) == 0o600


@pytest.mark.rows("LCY-06")
@pytest.mark.own
@pytest.mark.needs("root: files of another user")
def test_a_user_namespace_needs_no_way_into_the_state(new_box):
    """Its root may not even look into the directory, and waits at the gate by a descriptor."""
    box = new_box("report")
    box.userns()
    box.create()
    for path in (box.rt.root, os.path.join(box.rt.root, box.id)):
        assert stat.S_IMODE(os.stat(path).st_mode) == 0o700
        assert os.stat(path).st_uid == os.getuid()
    box.start()
    assert box.finish().report["pid"] == 1


def gate_of(box):
    return os.path.join(box.rt.root, box.id, "gate")


@pytest.mark.rows("LCY-09")
@pytest.mark.own
def test_only_start_opens_the_gate(new_box):
    """Neither who only knocks nor who says something else does; and the gate is gone afterwards."""
    box = new_box("echo begun")
    box.create()

    def more():
        return [link for fd, link in host.open_files(box.pid).items() if fd > 2]
    host.until(lambda: len(more()) == 1, "who has asked for the state is gone from the gate")
    assert more()[0].startswith("socket:")      # nothing of the host but the gate
    for word in (b"", b"GATE", b"GATE_OPEN and more"):
        directory = os.open(os.path.dirname(gate_of(box)), os.O_PATH)
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as line:
            line.connect(f"/proc/self/fd/{directory}/gate")
            if word:
                line.send(word)
        os.close(directory)
    assert box.status() == "created" and stat.S_ISSOCK(os.stat(gate_of(box)).st_mode)
    box.start()
    assert box.finish().out == "begun\n"


@pytest.mark.rows("LCY-09", "LCY-14")
@pytest.mark.own
def test_the_gate_opens_once(new_box):
    box = new_box("echo begun", "pause")
    box.create()
    told = []
    callers = [threading.Thread(target=lambda: told.append(box.start(code=None)))
               for _ in range(4)]
    for caller in callers:
        caller.start()
    for caller in callers:
        caller.join()
    assert sorted(each.code for each in told) == [0, 1, 1, 1]
    assert all("it is running, not created" in each.err for each in told if each.code)
    assert box.line() == "begun"
    assert not os.path.exists(gate_of(box))
    box.delete("-f")
    assert box.rest() == ""


@pytest.mark.rows("LCY-12", "VRB-44")
@pytest.mark.own
def test_start_of_a_paused_container(new_box, rt, fails):
    """It could not answer."""
    box = new_box("echo begun")
    box.create()
    assert rt.call("pause", box.id).code == 0
    fails(box.start(code=None), "paused", "resume")
    assert rt.call("resume", box.id).code == 0
    box.start()
    assert box.finish().out == "begun\n"


@pytest.mark.rows("PRC-39")
@pytest.mark.own
def test_what_a_created_container_looks_like(new_box):
    """Neither its environment nor its arguments are there to be read before it begins."""
    box = new_box("report", "echo SECRET-ARGUMENT")
    box.process["env"].append("PASSWORD=SECRET-VALUE")
    box.create()
    with open(f"/proc/{box.pid}/comm", encoding="ascii") as file:
        assert file.read() == "rt:init\n"
    for name in ("cmdline", "environ"):
        with open(f"/proc/{box.pid}/{name}", "rb") as file:
            assert b"SECRET" not in file.read()
    box.start()
    box.finish()


@pytest.mark.rows("VRB-27")
@pytest.mark.own
@pytest.mark.needs("root: a network namespace of somebody else")
def test_delete_leaves_what_was_there_before(new_box):
    """A joined namespace, the directory above its cgroup, the bundle, and the caller's pid file."""
    with subprocess.Popen(["unshare", "-n", "sh", "-c", "echo; exec sleep 1000"],
                          stdout=subprocess.PIPE) as holder:
        holder.stdout.readline()
        path = f"/proc/{holder.pid}/ns/net"
        before = os.readlink(path)
        box = new_box("pause")
        box.namespace("network", path)
        above = [os.path.join(root, f"{box.cgroup}-above") for root in CGROUPS.roots]
        for directory in above:
            os.mkdir(directory)
        try:
            box.linux["cgroupsPath"] = f"/{box.cgroup}-above/{box.cgroup}"
            box.create("--pid-file", box.dir + "/pid")
            assert os.readlink(f"/proc/{box.pid}/ns/net") == before
            assert all(box.cgroup in os.listdir(each) for each in above if "systemd" not in each)
            box.delete("-f")
            assert not any(box.cgroup in os.listdir(each) for each in above)
        finally:
            for directory in above:
                os.rmdir(directory)     # it is there, and nothing is in it
        assert os.readlink(path) == before
        assert sorted(os.listdir(box.dir)) == ["config.json", "pid", "probe", "rootfs"]
        holder.kill()


@pytest.mark.rows("VRB-29")
@pytest.mark.own
@pytest.mark.needs("root: mounts, in a namespace of its own")
@pytest.mark.parametrize("cgroup", ["disabled", "gone"])
def test_delete_with_cgroups_that_cannot_be_written(new_box, cgroup):
    """rmdir says EROFS there even of what does not exist."""
    box = new_box("pause")
    box.config["mounts"] = [each for each in box.config["mounts"] if each["type"] != "cgroup"]
    box.save()
    flags = ["--cgroup-manager", "disabled"] if cgroup == "disabled" else []
    told = box.rt.call("run", "-d", "-b", box.dir, box.id, globals=flags)
    assert told.code == 0, told
    box.exists, box.pid = True, box.state()["pid"]
    paths = record(box)["cgroup"].values()
    os.kill(box.pid, signal.SIGKILL)
    box.wait()
    for path in paths:
        os.rmdir(path)
    lines = [f"mount -o remount,bind,ro {each}" for each in CGROUPS.roots]
    told = box.rt.execute(["unshare", "-m", "sh", "-c", " && ".join(lines) + " && exec \"$@\"", "sh",
                           box.rt.path, "--root", box.rt.root, "delete", box.id])
    assert (told.code, told.err) == (0, ""), told
    box.exists = False


@pytest.mark.rows("NSP-25")
@pytest.mark.own
@pytest.mark.needs("no-time")
@pytest.mark.parametrize("verb", ["create", "run"])
def test_a_namespace_that_the_kernel_does_not_have(new_box, fails, verb):
    box = new_box("report")
    box.namespace("time")
    told = box.run(code=None) if verb == "run" else box.create(code=None)
    fails(told, "this kernel has no time namespaces", at="/linux/namespaces")


@pytest.mark.rows("VMC-01")
@pytest.mark.own
def test_sections_of_other_platforms(box):
    """They are for runtimes of other kinds, and rt makes containers of this kernel alone."""
    box.config["vm"] = {
        "hypervisor": {"path": "/none/qemu", "parameters": ["opts1"]},
        "kernel": {"path": "/none/vmlinuz", "parameters": ["opt"], "initrd": "/none/initrd"},
        "image": {"path": "/none/image", "format": "raw"},
        "hwConfig": {"deviceTree": "/none/dtb", "vcpus": 1, "memory": 1, "dtdevs": [], "iomems": [],
                     "irqs": []}}
    box.config["zos"] = {"namespaces": [{"type": "pid"}]}
    assert box.run().report["pid"] == 1
