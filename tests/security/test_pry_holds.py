# SPDX-License-Identifier: Apache-2.0
"""A process of the container holds the one that rt brings in, by ptrace or by SIGSTOP, and never lets it go: rt
waits no longer than it was told to, ends when it is asked to, and leaves nothing behind."""

import select
import signal
import subprocess
import time

import pytest

import blocked
import host
from fixtures import PEER
from older_kernel import before_6_17
from prying import (add_caps, as_engine, end_by_force, engine, for_engine, hidden, inode,  # noqa: F401
                    prepare, pry, start_prying, user_box, words)

LIMIT = 3           # seconds, what --timeout says
SLACK = 12          # seconds that the end of a killed process may take besides, on a machine that does many things
TRIES = 300         # as the process has to be held before it has executed
HOLDS = ["keep", "stop"]


class Holder:
    """A container in which pry holds the first process that it can; and calls of rt until it has one."""

    def __init__(self, box):
        self.box, self.held = box, False

    def has_one(self):
        if not self.held and (b"\n" in self.box.buffer or select.select([self.box.pipe], [], [], 0)[0]):
            self.held = self.box.line().startswith("held ")
        return self.held

    def meets(self, argv, asked_to, **options):
        """(exit status or None, seconds, standard error) of the first call of which a process is held. asked_to:
        the signal that the call is sent then."""
        argv, options = blocked.start(argv, options)
        for _ in range(TRIES):
            # Its own file: who is held keeps it open.
            with open(self.box.dir + "/err", "w+", encoding="utf-8") as err:
                process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=err,
                                           **options)
                while process.poll() is None and not self.has_one():
                    time.sleep(0.001)
                begun = time.monotonic()
                if not self.has_one():
                    assert process.returncode == 0, "it has failed, and nothing was held"
                    continue
                if asked_to and process.returncode is None:
                    process.send_signal(asked_to)
                try:
                    code = process.wait(LIMIT + SLACK)
                except subprocess.TimeoutExpired:
                    code = None
                    process.kill()
                    process.wait()
                took = time.monotonic() - begun
                err.seek(0)
                return code, took, err.read()
        raise AssertionError(f"in {TRIES} tries nothing was held: pry has shown nothing")


@pytest.fixture
def holder(hidden, pry):  # noqa: F811
    made = []

    def make(box, hold, victim=None, **options):
        victim = victim or box
        add_caps(box, "SYS_PTRACE")
        prepare(box, pry, hidden)
        start_prying(box, words(hidden, victim, hold=hold)
                     + [f"root={inode(victim.rootfs)}", f"program={inode(victim.path('/bin/probe'))}"], **options)
        made.append(Holder(box))
        return made[-1]
    yield make
    for each in made:
        end_by_force(each.box)


def call_of(box, *words_of):
    return [box.rt.path, "--root", box.rt.root, *([] if PEER else ["--timeout", f"{LIMIT}s"]), *words_of]


def living(box):
    """The processes of the container's that live, but for its init."""
    with open(box.cgroups.dir(box.pid, "pids") + "/cgroup.procs", encoding="ascii") as file:
        pids = [int(line) for line in file.read().split()]
    return [pid for pid in pids if pid != box.pid and host.stat_state(pid) not in (None, "Z", "X")]


def judge_end(told, asked_to):
    code, took, err = told
    assert code is not None, f"rt still waited after {took:.1f} s: {err}"
    assert code != 0, err
    if not asked_to and not PEER:
        assert err.startswith("rt: error: ") and len(err.splitlines()) == 1, err


SIGNALS = [None, signal.SIGTERM, signal.SIGINT, signal.SIGHUP]
NAMES = ["timeout", "TERM", "INT", "HUP"]


@pytest.mark.rows("HDN-14", "LCY-12", "EXE-26")
@pytest.mark.parametrize("asked_to", SIGNALS, ids=NAMES)
@pytest.mark.parametrize("hold", HOLDS)
@pytest.mark.needs("root: the host's user namespace", "pids")
def test_exec(new_box, holder, hold, asked_to):
    box = new_box()
    held = holder(box, hold)
    judge_end(held.meets(call_of(box, "exec", box.id, "/bin/probe", "exit", "0"), asked_to), asked_to)
    host.until(lambda: not living(box), "the process that was held is dead", SLACK)


@pytest.mark.rows("HDN-14", "LCY-12", "EXE-26")
@pytest.mark.own
@pytest.mark.parametrize("asked_to", SIGNALS[:2], ids=NAMES[:2])
@pytest.mark.parametrize("hold", ["talk", "deafen"])
@pytest.mark.needs("root: the host's user namespace", "pids")
def test_exec_with_a_talker(new_box, holder, hold, asked_to):
    """It also keeps the line to rt open and goes on talking there, be the process held, or left to end as it hears
    nothing more: what it says prolongs no wait."""
    box = new_box()
    held = holder(box, hold)
    told = held.meets(call_of(box, "exec", box.id, "/bin/probe", "exit", "0"), asked_to)
    if (hold, told[0]) != ("deafen", 0):    # what had heard all before has executed
        judge_end(told, asked_to)
    host.until(lambda: not living(box), "the process that was held is dead", SLACK)


@pytest.mark.rows("HDN-14", "LCY-12", "EXE-31")
@pytest.mark.parametrize("asked_to", SIGNALS[:2], ids=NAMES[:2])
@pytest.mark.parametrize("hold", HOLDS)
@pytest.mark.needs("root: becomes an ordinary user by itself")
def test_exec_of_a_rootless_engine(user_box, engine, hidden, holder, hold, asked_to):  # noqa: F811
    box = user_box
    for_engine(box)
    options = as_engine(box, hidden, engine)
    held = holder(box, hold, **options)
    judge_end(held.meets(call_of(box, "exec", box.id, "/bin/probe", "exit", "0"), asked_to, **options), asked_to)


@pytest.mark.rows("HDN-14", "LCY-12", "NSP-12")
@pytest.mark.parametrize("asked_to", SIGNALS, ids=NAMES)
@pytest.mark.parametrize("hold", HOLDS)
@pytest.mark.parametrize("kernel", [list, pytest.param(before_6_17, marks=pytest.mark.own)], ids=["own", "before 6.17"])
@pytest.mark.needs("fsopen", "root: the host's user namespace", "pids")
def test_run_in_a_joined_pid_namespace(new_box, holder, kernel, hold, asked_to):
    """And of the container that was half made nothing is left. Before Linux 6.17 what is held may also be the
    process that opens the procfs."""
    neighbour, guest = new_box(), new_box("exit 0")
    held = holder(neighbour, hold, victim=guest)
    guest.namespace("pid", f"/proc/{neighbour.pid}/ns/pid")
    guest.save()
    guest.exists = True     # until it is known to be gone
    judge_end(held.meets(kernel(call_of(guest, "run", "-b", guest.dir, guest.id)), asked_to), asked_to)
    assert guest.rt.call("state", guest.id).code != 0
    guest.exists = False
