# SPDX-License-Identifier: Apache-2.0
"""rt waits as long as hooks and disks need, but not for who does not go on: a process that is
stopped, a socket at which nobody accepts."""

import os
import signal
import socket
import subprocess

import pytest

import host
from test_seccomp_notify import notify


def calling(box, verb, *args):
    return subprocess.Popen([box.rt.path, "--root", box.rt.root, verb, *args, box.id],
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True)


@pytest.mark.rows("LCY-12")
@pytest.mark.own
def test_create_gives_up_an_init_that_is_stopped(new_box):
    box = new_box("report")
    gate, told = box.fifo("/gate"), os.path.join(box.dir, "told")
    os.mkfifo(told)
    box.hook("createRuntime", f"append {told} x", f"await {gate}")
    box.save()
    with calling(box, "create", "-b", box.dir) as process:
        with open(told, encoding="ascii") as file:
            assert file.read() == "x\n"
        with open(f"/proc/{process.pid}/task/{process.pid}/children", encoding="ascii") as file:
            pids = [int(pid) for pid in file.read().split()]
        init = next(pid for pid in pids if comm(pid) == "rt:init")
        os.kill(init, signal.SIGSTOP)
        host.until(lambda: host.stat_state(init) == "T", "init is stopped")
        with open(gate, "w", encoding="ascii"):
            pass    # the hook ends
        _, err = process.communicate(timeout=30)
    assert process.returncode == 1
    assert f"process {init}" in err and "is stopped" in err, err


def comm(pid):
    with open(f"/proc/{pid}/comm", encoding="ascii") as file:
        return file.read().strip()


@pytest.mark.rows("LCY-12")
@pytest.mark.own
def test_start_gives_up_an_init_that_is_stopped(new_box, fails):
    box = new_box("report")
    box.create()
    os.kill(box.pid, signal.SIGSTOP)
    host.until(lambda: host.stat_state(box.pid) == "T", "init is stopped")
    fails(box.start(code=None), f"process {box.pid}", "is stopped")
    assert box.status() == "stopped"    # and does not come to life by a SIGCONT
    assert box.rest() == ""
    box.wait()
    box.delete()


@pytest.fixture
def busy(work):
    """A socket whose queue is full, and whose owner accepts nobody."""
    path = os.path.join(work, "busy")
    server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    server.bind(path)
    server.listen(0)
    client = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    client.connect(path)
    yield path
    client.close()
    server.close()


@pytest.mark.rows("LCY-12")
@pytest.mark.own
@pytest.mark.parametrize("who", ["console", "agent"])
def test_a_socket_at_which_nobody_accepts(new_box, busy, fails, who):
    box = new_box("report")
    flags = []
    if who == "console":
        box.process["terminal"] = True
        flags = ["--console-socket", busy]
    else:
        box.linux["seccomp"] = notify(busy, "getcpu")
    told = box.create(*flags, code=None)
    if who == "agent":      # asked for, but needed only now
        assert told.code == 0
        told = box.start(code=None)
        box.wait()
        box.delete()
    fails(told, busy, "accepts nobody")


@pytest.mark.rows("LCY-12", "LCY-11")
@pytest.mark.own
@pytest.mark.parametrize("verb", ["create", "run"])
@pytest.mark.parametrize("call, nnp", [("execve", True), ("execve", False), ("capset", False)])
def test_a_filter_that_kills_init(new_box, fails, verb, call, nnp):
    """Its death ends every wait. The last step of all is told by the exit status, as it is the
    same for a process that has begun."""
    box = new_box("report")
    box.process["noNewPrivileges"] = nnp
    box.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": [call], "action": "SCMP_ACT_KILL_PROCESS"}]}
    if verb == "run":
        told = box.run(code=None)
    else:
        box.create()
        told = box.start(code=None)
        assert box.wait() == 128 + signal.SIGSYS
        assert box.status() == "stopped"
        box.delete()
    if call == "capset":
        fails(told, "died before it could execute")
    else:
        assert told.code == (128 + signal.SIGSYS if verb == "run" else 0)
