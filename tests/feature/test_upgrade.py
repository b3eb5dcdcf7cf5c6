# SPDX-License-Identifier: Apache-2.0
"""A container that an older rt has created is managed by this one, and the other way round, in each state. The older
one is the program that RT_TEST_OLD names (of before 1.0, when nothing but the word was said at the gate); without one
the test writes the record as that rt did, and opens the gate as that one did."""

import json
import os
import socket

import pytest

import host
from bundle import Runtime
from test_notify import manager  # noqa: F401 (a fixture)
from test_patience import calling
from test_seccomp_notify import agent, notify  # noqa: F401 (a fixture)

OLD = os.environ.get("RT_TEST_OLD")
pytestmark = [pytest.mark.own, pytest.mark.rows("LCY-05", "LCY-09"), pytest.mark.needs("once: words of the program")]

# What a record of the first version has, each time, and what it may have besides. Any other version it refuses.
VERSION = 1
NEEDED = {"phase": str, "id": str, "bundle": str, "owner": int, "pid": int, "startTime": int, "creator": int,
          "creatorStartTime": int, "cgroup": dict, "systemd": bool, "terminal": bool, "ownPidNamespace": bool,
          "poststopHooks": bool, "noNewKeyring": bool, "notify": bool, "annotations": dict}
POSSIBLE = {"rootfs": str, "created": str, "systemdUnit": str, "systemdBus": str, "intelRdt": str}
GATE_WORD = b"GATE_OPEN\0"
EXEC = 12       # a packet of the channel


def record_path(box):
    return os.path.join(box.rt.root, box.id, "record.json")


def record(box):
    with open(record_path(box), encoding="utf-8") as file:
        return json.load(file)


def as_the_older_one_wrote(box):
    known = record(box)
    with open(record_path(box), "w", encoding="utf-8") as file:
        json.dump({"version": VERSION, **{name: known[name] for name in {**NEEDED, **POSSIBLE} if name in known}}, file)


class Program:
    """The older one itself."""

    def __init__(self, rt):
        self.rt = Runtime(OLD, rt.root, rt.work)

    def instead(self, box):
        """In whose place that box is used until `back`."""
        self.this, box.rt = box.rt, self.rt

    def back(self, box):
        box.rt = self.this

    def create(self, box, **options):
        self.instead(box)
        box.create(**options)
        self.back(box)

    def start(self, box):
        self.instead(box)
        box.start()
        self.back(box)

    def takes(self, box):
        """It can read what this rt has written."""


class Actor:
    """What the older one leaves behind, and what it needs to find."""

    def create(self, box, **options):
        box.create(**options)
        as_the_older_one_wrote(box)

    def start(self, box):
        """All that comes is the sign that init is about to execute, and the end of the channel."""
        self.takes(box)
        gate = os.path.join(box.rt.root, box.id, "gate")
        with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as channel:
            channel.settimeout(host.PATIENCE)
            channel.connect(gate)
            channel.send(GATE_WORD)
            packets = []
            while packet := channel.recv(65536):
                packets.append(int.from_bytes(packet[:4], "little"))
        assert packets == [EXEC]
        os.unlink(gate)

    def takes(self, box):
        known = record(box)
        assert known["version"] == VERSION
        for name, kind in NEEDED.items():
            assert isinstance(known[name], kind), f"{name}: {known.get(name)!r}"
        for name, kind in POSSIBLE.items():
            assert name not in known or isinstance(known[name], kind), f"{name}: {known[name]!r}"

    def instead(self, box):
        self.takes(box)

    def back(self, box):
        pass


@pytest.fixture
def older(rt):
    return Program(rt) if OLD else Actor()


def plain(box):
    box.config["annotations"] = {"a": "b"}


def userns(box):
    box.userns()


def filtered(box):
    box.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["getcpu"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]}


def filtered_without_nnp(box):
    filtered(box)
    box.process["noNewPrivileges"] = False


def hooks(box):
    box.hook("poststart", "exit 0")
    box.hook("poststop", "exit 0")


def start_hook(box):
    box.hook("startContainer", "exit 0", path="/bin/probe")


SHAPES = [plain, userns, filtered, filtered_without_nnp, hooks, start_hook]


@pytest.fixture(params=SHAPES, ids=lambda shape: shape.__name__)
def box(new_box, request):
    made = new_box("echo up", "pause")
    request.param(made)
    return made


def lives(box):
    """From the start on: looked at, entered, paused, resumed, killed and deleted."""
    box.lines_until("up")
    assert box.status() == "running"
    box.exec(ops=("exit 7",), code=7)
    if "freezer" in box.cgroups.controllers or box.cgroups.v2:
        for verb, status in (("pause", "paused"), ("resume", "running")):
            told = box.rt.call(verb, box.id)
            assert (told.code, box.status()) == (0, status), told
    box.kill("KILL")
    assert box.wait() == 137
    assert box.status() == "stopped"
    box.delete()
    assert box.rt.call("state", box.id).code == 1
    assert not box.cgroups.dirs(box.cgroup)


def test_created_by_the_older_one(box, older):
    older.create(box)
    assert box.status() == "created"
    box.exec(ops=("exit 7",), code=7)
    box.start()
    lives(box)


def test_created_by_this_one(box, older):
    box.create()
    older.instead(box)
    assert box.status() == "created"
    box.exec(ops=("exit 7",), code=7)
    older.back(box)
    older.start(box)
    older.instead(box)
    lives(box)
    older.back(box)


@pytest.mark.parametrize("state", ["created", "running", "paused"])
@pytest.mark.parametrize("maker", ["older", "this"])
def test_deleted_by_force(new_box, older, maker, state):
    box = new_box("echo up", "pause")
    plain(box)
    if maker == "older":
        older.create(box)
    else:
        box.create()
    if state != "created":
        if maker == "older":
            box.start()
        else:
            older.start(box)
        box.lines_until("up")
    if maker == "this":
        older.instead(box)
    if state == "paused":
        assert box.rt.call("pause", box.id).code == 0
    box.delete("--force")
    assert not box.cgroups.dirs(box.cgroup)
    if maker == "this":
        older.back(box)
    box.wait()


def test_with_an_agent(new_box, agent, older):  # noqa: F811
    """An init of the older one has its filter from the start on only."""
    box = new_box("call getcpu", "echo up", "pause")
    box.linux["seccomp"] = notify(agent.path, "getcpu")
    older.create(box)
    box.start()
    lives(box)
    assert agent.calls == {"getcpu"}


def test_with_a_service_manager(new_box, manager, older):  # noqa: F811
    box = new_box("notify READY=1", "echo up", "pause")
    older.create(box, env=manager.env)
    told = box.rt.call("start", box.id, env=manager.env)
    assert told.code == 0, told
    manager.hear_main(box.pid)
    lives(box)


@pytest.mark.needs("older-rt")
def test_a_program_that_is_missing(new_box, older, fails):
    """What the init of the older one says of it is told."""
    box = new_box("exit 0")
    older.create(box)
    os.unlink(box.path("/bin/probe"))
    fails(box.start(code=None), "/bin/probe", "no such file")
    box.wait()
    box.delete()


@pytest.mark.parametrize("kind", ["older", "this"])
def test_the_word_at_the_gate(new_box, kind):
    """An init of the older one takes no other than the first."""
    box = new_box("exit 0")
    box.create()
    if kind == "older":
        as_the_older_one_wrote(box)
    gate = os.path.join(box.rt.root, box.id, "gate")
    os.unlink(gate)
    with socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as listener:
        listener.settimeout(host.PATIENCE)
        listener.bind(gate)
        listener.listen(8)
        call = calling(box, "start", globals=())
        word = b""
        while not word:     # a connection without one asks whether init waits
            channel, _ = listener.accept()
            channel.settimeout(host.PATIENCE)
            word = channel.recv(100)
        channel.close()
    assert word == (GATE_WORD if kind == "older" else b"GATE_OPEN_AWAIT_GO\0")
    assert call.wait(host.PATIENCE) == 1, "init was not asked, and has not executed"
    call.stderr.close()
