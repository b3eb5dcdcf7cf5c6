# SPDX-License-Identifier: Apache-2.0
"""Options of create and run that stand beside the document: which document it is, who gets a pidfd,
who reaps."""

import functools
import json
import os
import signal
import subprocess

import pytest

import host
from test_terminal import ConsoleSocket


@pytest.mark.rows("CRT-04")
@pytest.mark.own
@pytest.mark.parametrize("verb", ["create", "run"])
@pytest.mark.parametrize("flag", ["-f", "--config"])
def test_another_document(new_box, verb, flag):
    """A relative name is one of the bundle, whatever directory the caller is in."""
    box = new_box("report")
    os.mkdir(box.dir + "/config")
    box.save()
    os.rename(box.dir + "/config.json", box.dir + "/config/first.json")
    if verb == "run":
        box.run(flag, "config/first.json", save=False, cwd="/")
    else:
        box.create(flag, "config/first.json", save=False, cwd="/")
        box.start()
        box.finish()
    box.run("--config", box.dir + "/config/first.json", save=False, cwd="/")


@pytest.mark.rows("CRT-04")
@pytest.mark.own
def test_mistakes_are_told_of_that_document(box, fails):
    box.config["hostname"] = 7
    box.save()
    os.rename(box.dir + "/config.json", box.dir + "/first.json")
    fails(box.run("-f", "first.json", code=None, save=False), "first.json:1:", at="/hostname")
    fails(box.run("-f", "none.json", code=None, save=False), "none.json", "no such file")


@pytest.mark.rows("CRT-12", "FDS-19")
@pytest.mark.own
@pytest.mark.parametrize("verb", ["create", "run"])
def test_pidfd_socket(new_box, work, verb):
    box = new_box("pause")
    receiver = ConsoleSocket(work + "/pidfd")
    try:
        box.create("--pidfd-socket", os.path.relpath(receiver.path, work),
                   *(["-d"] if verb == "run" else []), verb=verb, cwd=work)
        pidfd, word = receiver.receive()
    finally:
        receiver.close()
    assert word == b"standard"
    signal.pidfd_send_signal(pidfd, signal.SIGKILL)
    os.close(pidfd)
    assert box.wait() == 128 + 9
    box.delete()


@pytest.mark.rows("CRT-12")
@pytest.mark.own
def test_pidfd_socket_that_is_not_there(box, fails):
    fails(box.run("--pidfd-socket", "/none", code=None), "--pidfd-socket", "/none")
    fails(box.run("--pidfd-socket", "", code=None), "--pidfd-socket", "empty")


def parent(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return int(file.read().rpartition(")")[2].split()[1])


@pytest.mark.rows("CRT-13", "CRT-23")
@pytest.mark.own
@pytest.mark.parametrize("flags", [[], ["--no-subreaper"]])
def test_who_reaps_orphans(new_box, flags):
    """A process that outlives init, in a shared pid namespace: it becomes rt's child, or that of
    who asked for it, which is us."""
    box = new_box("orphan", "echo up", "pause")
    box.namespace("pid", absent=True)
    box.save()
    with subprocess.Popen([box.rt.path, "--root", box.rt.root, "run", "-b", box.dir, *flags, box.id],
                          stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as process:
        orphan = json.loads(process.stdout.readline())["ret"]
        assert process.stdout.readline() == "up\n"
        init = box.state()["pid"]
        assert parent(orphan) == init
        process.send_signal(signal.SIGSTOP)     # it must not clean up yet
        host.until(lambda: host.stat_state(process.pid) == "T", "rt stands still")
        os.kill(init, signal.SIGKILL)
        host.wait_dead(init)
        assert parent(orphan) == (os.getpid() if flags else process.pid)
        process.send_signal(signal.SIGCONT)
    assert process.returncode == 128 + 9


@pytest.mark.rows("CRT-46")
@pytest.mark.own
@pytest.mark.parametrize("kind", ["shared", "own", "shared with a cgroup"])
def test_what_kill_cannot_reach_is_told(new_box, kind):
    box = new_box("report")
    if "shared" in kind:
        box.namespace("pid", absent=True)
    if "with a cgroup" not in kind:
        box.rt.call = functools.partial(box.rt.call, globals=["--cgroup-manager", "disabled"])
        box.config["mounts"] = [each for each in box.config["mounts"] if each["type"] != "cgroup"]
    told = box.run()
    assert ("kill" in told.err) == (kind == "shared"), told
