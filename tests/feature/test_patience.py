# SPDX-License-Identifier: Apache-2.0
"""rt waits as long as hooks and disks need, but not for who does not go on: a process that is
stopped, a socket at which nobody accepts, a lock, a systemd. --timeout says how long, and whoever gives
up says what was in the way."""

import fcntl
import os
import re
import signal
import socket
import subprocess

import pytest

import host
from fake_systemd import FakeSystemd
from fixtures import CGROUPS
from test_seccomp_notify import notify


SOON = ("--timeout", "700ms")
DOING = r"%d \(%s[^)]*\), [A-Z]"      # who is in the way: pid, name, state


def calling(box, verb, *args, globals=SOON):
    return subprocess.Popen([box.rt.path, "--root", box.rt.root, *globals, verb, *args, box.id],
                            stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                            stderr=subprocess.PIPE, text=True)


@pytest.mark.rows("LCY-12")
@pytest.mark.own
def test_create_gives_up_an_init_that_is_stopped(new_box):
    box = new_box("report")
    gate, told = box.fifo("/gate"), os.path.join(box.dir, "told")
    os.mkfifo(told)
    box.hook("createRuntime", f"append {told} x", f"await {gate}", timeout=600)
    box.save()
    with calling(box, "create", "-b", box.dir) as process:
        assert host.heard(told) == "x\n"
        init = host.child_named(process.pid, "rt:init")
        os.kill(init, signal.SIGSTOP)
        host.until(lambda: host.stat_state(init) == "T", "init is stopped")
        host.let_go(gate)       # the hook ends
        _, err = process.communicate(timeout=host.PATIENCE)
    assert process.returncode == 1
    assert f"process {init}" in err and "is stopped" in err, err


@pytest.mark.rows("LCY-12")
@pytest.mark.own
def test_start_gives_up_an_init_that_is_stopped(new_box, fails):
    box = new_box("report")
    box.create()
    os.kill(box.pid, signal.SIGSTOP)
    host.until(lambda: host.stat_state(box.pid) == "T", "init is stopped")
    fails(box.rt.call("start", box.id, globals=SOON), f"process {box.pid}", "is stopped", "0.7 s")
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
    told = box.create(*flags, code=None, globals=SOON)
    fails(told, busy, "accepts nobody", "0.7 s")


@pytest.fixture
def hung(new_box):
    """A create that waits for its hook: (box, its process, the hook's gate)."""
    made = []

    def make(kind="createRuntime", globals=(), **more):
        box = new_box("report")
        gate, told = os.path.join(box.dir, "gate"), os.path.join(box.dir, "told")
        os.mkfifo(gate)
        os.mkfifo(told)
        box.hook(kind, f"append {told} x", f"await {gate}", **more)
        box.save()
        process = calling(box, "create", "-b", box.dir, globals=globals)
        made.append((process, gate))
        assert host.heard(told) == "x\n"
        return box, process, gate
    yield make
    for process, gate in made:
        if process.poll() is None:
            host.let_go(gate)
        process.communicate(timeout=host.PATIENCE)


@pytest.mark.rows("LCY-12")
@pytest.mark.own
@pytest.mark.parametrize("verb", [("start",), ("delete", "-f"), ("pause",), ("update", "--pids-limit", "9")],
                         ids=lambda verb: verb[0])
def test_a_lock_that_another_command_holds(hung, fails, verb):
    box, process, gate = hung()
    told = box.rt.call(*verb, box.id, globals=SOON)
    fails(told, "is locked by another command", "waited 0.7 s", f"held by process {process.pid} (",
          f"create -b {box.dir}")
    host.let_go(gate)
    assert process.wait(timeout=host.PATIENCE) == 0
    box.exists = True
    box.pid = box.state()["pid"]
    box.delete()    # nobody holds it any more
    box.wait()


@pytest.mark.rows("LCY-12")
@pytest.mark.own
def test_who_waits_for_a_lock_gets_it_at_once(hung):
    """Those who wait are woken by the end of the first, not by a clock."""
    box, process, gate = hung()
    others = [calling(box, "start", globals=()), calling(box, "start", globals=())]
    for other in others:
        host.until(lambda: is_blocked(other.pid), "waits for the lock")
    host.let_go(gate)
    assert process.wait(timeout=host.PATIENCE) == 0
    box.exists = True
    ended = sorted((other.wait(timeout=host.PATIENCE), other.communicate()[1]) for other in others)
    assert ended[0] == (0, "")
    assert ended[1][0] == 1 and "not created" in ended[1][1]
    host.reap_all()


def is_blocked(pid):
    with open("/proc/locks", encoding="ascii") as file:
        return any("->" in line and f" {pid} " in line for line in file)


@pytest.mark.rows("LCY-12", "HKS-12")
@pytest.mark.own
@pytest.mark.parametrize("kind", ["prestart", "createRuntime", "createContainer", "startContainer",
                                  "poststart"])
def test_a_hook_without_a_limit_has_that_of_the_option(new_box, fails, kind):
    box = new_box("report")
    gate = os.path.join(box.dir, "gate") if kind != "startContainer" else "/gate"
    os.mkfifo(gate if kind != "startContainer" else box.path(gate))
    box.hook(kind, f"await {gate}", path="/bin/probe" if kind == "startContainer" else None)
    told = box.create(code=None, globals=SOON)
    if kind in ("startContainer", "poststart"):
        assert told.code == 0, told
        told = box.rt.call("start", box.id, globals=SOON)
    fails(told, "timeout of 0.7 s expired", at=f"/hooks/{kind}/0")
    # Where it slept: startContainer hooks run where there is no /proc to be trusted.
    if kind != "startContainer":
        assert re.search(r"it was \d+ \(probe\), S", told.err), told
    if box.exists and kind == "startContainer":
        box.wait()
        box.delete()
    host.reap_all()
    box.exists = False


@pytest.mark.rows("LCY-12", "HKS-12")
@pytest.mark.own
@pytest.mark.parametrize("kind", ["createRuntime", "createContainer"])
def test_a_hook_with_a_limit_of_its_own_keeps_that(new_box, kind):
    """Also longer than --timeout: who waits for it does not take it for one who is stuck."""
    box = new_box("report")
    box.config.setdefault("hooks", {})[kind] = [
        {"path": "/bin/sleep", "args": ["sleep", "1.5"], "timeout": 20}]
    box.create(globals=("--timeout", "300ms"))
    box.delete()
    box.wait()


def freezer(box, state):
    """Not by rt: somebody else's freezer."""
    path, v2 = CGROUPS.v1.get("freezer"), "freezer" not in CGROUPS.v1
    name = f"{CGROUPS.v2 if v2 else path}/{box.cgroup}/{'cgroup.freeze' if v2 else 'freezer.state'}"
    with open(name, "w", encoding="ascii") as file:
        file.write(str(int(state)) if v2 else "FROZEN" if state else "THAWED")


@pytest.mark.rows("LCY-12", "CGM-25")
@pytest.mark.own
def test_an_init_in_a_frozen_cgroup(hung):
    box, process, gate = hung(globals=SOON, timeout=600)
    init = host.child_named(process.pid, "rt:init")
    freezer(box, True)
    host.let_go(gate)
    _, err = process.communicate(timeout=host.PATIENCE)
    assert process.returncode == 1
    assert "does not go on: waited 0.7 s" in err, err
    assert re.search("it is " + DOING % (init, "rt:init"), err), err
    assert box.rt.call("state", box.id).code == 1     # and nothing of it is left


@pytest.mark.rows("LCY-12", "VRB-28")
@pytest.mark.own
def test_a_process_that_does_not_die(new_box, fails):
    """The init of a pid namespace goes last: while the parent of another process of that namespace,
    this test, does not want to know that it has died, init cannot."""
    box = new_box("pause")
    box.up()
    pid_file = os.path.join(box.dir, "pid")
    box.exec("--detach", "--pid-file", pid_file, ops=("pause",))
    with open(pid_file, encoding="ascii") as file:
        other = int(file.read())
    told = box.rt.call("delete", "--force", box.id, globals=SOON)
    fails(told, f"process {box.pid} of container", "is not dead 0.7 s after SIGKILL")
    assert re.search("left: " + DOING % (box.pid, "probe"), told.err), told
    host.reap(other)
    box.wait()
    told = box.rt.call("delete", "--force", box.id)
    assert told.code == 0, told
    box.exists = False


@pytest.mark.rows("LCY-12", "CGS-08")
@pytest.mark.own
@pytest.mark.needs("v2-tree", "root: the bus of the system")
@pytest.mark.parametrize("what", ["auth", "StartTransientUnit", "job"])
def test_a_systemd_that_does_not_answer(new_box, fails, work, cgroups, monkeypatch, what):
    box = new_box("report")
    box.linux["cgroupsPath"] = f"system.slice:rt:{box.id}"
    os.mkdir(os.path.join(work, "bus"))
    with FakeSystemd(os.path.join(work, "bus"), cgroups) as fake:
        if what == "job":
            fake.job_result = None
        else:
            fake.silent.add(what)
        monkeypatch.setenv("DBUS_SYSTEM_BUS_ADDRESS", fake.address)
        told = box.create(code=None, globals=SOON + ("--systemd-cgroup",))
    if what == "auth":
        fails(told, "cannot connect to systemd's bus", "timed out")
    else:
        fails(told, "no answer from systemd in 0.7 s")
        assert re.search("the bus is process " + DOING % (os.getpid(), ""), told.err), told
    assert box.rt.call("state", box.id).code == 1


@pytest.mark.rows("LCY-12")
@pytest.mark.own
@pytest.mark.parametrize("text", ["5", "0s", "-1s", "1us", "x", "", "1000000h"])
def test_no_such_time(rt, fails, text):
    fails(rt.call("list", globals=("--timeout", text)), "--timeout")


@pytest.mark.rows("LCY-12", "LCY-11")
@pytest.mark.own
@pytest.mark.parametrize("verb", ["create", "run"])
@pytest.mark.parametrize("nnp", [True, False])
def test_a_filter_that_kills_init(new_box, fails, verb, nnp):
    """At its last call, on a condition: one that kills it on each is refused before. Its death ends
    every wait, and is not taken for a program that has begun."""
    box = new_box("report")
    box.process["noNewPrivileges"] = nnp
    box.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["execve"], "action": "SCMP_ACT_KILL_PROCESS",
         "args": [{"index": 0, "value": 0, "op": "SCMP_CMP_NE"}]}]}
    if verb == "run":
        fails(box.run(code=None), "killed by signal 31 (SIGSYS)")
    else:
        box.create()
        fails(box.start(code=None), "init ended before")
        assert box.wait() == 128 + signal.SIGSYS
        assert box.status() == "stopped"
        box.delete()
