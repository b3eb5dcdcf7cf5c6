# SPDX-License-Identifier: Apache-2.0
"""A child of rt's that spins, is stopped or is traced holds no command: it waits no longer than --timeout, TERM, INT
and HUP end it without, and what was half made is undone."""

import signal
import subprocess
import time

import pytest

import blocked
import host
import tracing
from older_kernel import before_6_17
from test_interrupt import gone, holds_signals
from test_patience import calling, hung  # noqa: F401 (a fixture)

pytestmark = [pytest.mark.own, pytest.mark.rows("LCY-12"),
              pytest.mark.needs("root: traces what is not dumpable", "pids")]

LIMIT = 1.5
SLACK = 15      # that the end of what was killed may take besides, on a machine that does many things
TIMEOUT = ("--timeout", f"{int(LIMIT * 1000)}ms")
ENDS = [None, signal.SIGTERM, signal.SIGINT, signal.SIGHUP]


def each(test):
    test = pytest.mark.parametrize("ends", ENDS, ids=lambda ends: ends.name if ends else "timeout")(test)
    return pytest.mark.parametrize("hold", tracing.HOLDS, ids=lambda hold: hold.__name__)(test)


def span(ends):
    return () if ends else TIMEOUT


def judge(call, child, ends, *words):
    """The call ends, tells why, and takes the child with it."""
    begun = time.monotonic()
    if ends:
        call.send_signal(ends)
    try:
        _, err = call.communicate(timeout=LIMIT + SLACK)
    except subprocess.TimeoutExpired:
        call.kill()
        host.kill(child)    # which has the call's standard error open
        raise AssertionError(f"it still waits: {call.communicate()[1]}") from None
    assert time.monotonic() - begun < LIMIT + SLACK
    tracing.let_die(child)
    assert len(err.splitlines()) == 1, err
    if ends:
        assert (call.returncode, f"interrupted by {ends.name}" in err) == (-ends, True), err
    else:
        assert call.returncode in (1, 255), err
        for word in words or (f"process {child}", f"waited {LIMIT:g} s"):
            assert word in err


def openers(box, verb):
    return 0 if verb not in ("create", "run") or "openat2" in blocked.CALLED else host.openers(box.dir)


def begin(box, births, ends, *words, kernel=list):
    """The call, and its child, which is held before its first instruction."""
    return tracing.traced_call(kernel([box.rt.path, "--root", box.rt.root, *span(ends), *words]), births,
                               skip=openers(box, words[0]),
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)


@each
def test_create_at_birth(new_box, hold, ends):
    box = new_box("report")
    box.save()
    call, child = begin(box, 1, ends, "create", "-b", box.dir, box.id)
    hold(child)
    judge(call, child, ends)
    gone(box)


@each
@pytest.mark.needs("fsopen")
def test_what_opens_a_procfs(new_box, hold, ends):
    """Before Linux 6.17, in a pid namespace that is joined: a child of a child of rt's child."""
    neighbour, box = new_box("pause"), new_box("report")
    neighbour.up()
    box.namespace("pid", f"/proc/{neighbour.pid}/ns/pid")
    box.save()
    call, opener = begin(box, 3, ends, "create", "-b", box.dir, box.id, kernel=before_6_17)
    hold(opener)
    judge(call, opener, ends, 'mounting "proc"', "holds the one of rt that opens it there")
    gone(box)
    assert neighbour.status() == "running"


@each
def test_create_behind_a_hook(hung, hold, ends):  # noqa: F811
    """Its child waits for the parent's word when it is held, and the parent for its hook."""
    box, call, gate = hung(timeout=600, globals=span(ends))
    child = host.child_named(call.pid, "rt:init")
    tracing.attach(child)
    hold(child)
    host.let_go(gate)
    host.until(lambda: host.children(call.pid) in ([child], []), "the hook has ended")
    judge(call, child, ends)
    gone(box)


@each
def test_start(new_box, hold, ends):
    box = new_box("append /ran x")
    box.create()
    tracing.attach(box.pid)
    hold(box.pid)
    call = calling(box, "start", globals=span(ends))
    host.until(lambda: call.poll() is not None or holds_signals(call.pid), "it has something to undo")
    judge(call, box.pid, ends)
    assert box.status() == "stopped"
    box.delete()


@each
@pytest.mark.parametrize("births", [1, 2], ids=["child", "process proper"])
def test_exec(new_box, births, hold, ends):
    """Held is what prepares the process, which the container does not see, or the process proper."""
    box = new_box("pause")
    box.up()
    call, child = begin(box, births, ends, "exec", box.id, "/bin/probe", "exit", "0")
    hold(child)
    judge(call, child, ends)
    with open(box.cgroups.dir(box.pid, "pids") + "/cgroup.procs", encoding="ascii") as file:
        assert [int(line) for line in file] == [box.pid]
    assert box.exec(ops=("exit 7",), code=7)


@pytest.mark.rows("LCY-12")
@pytest.mark.own
@pytest.mark.needs("root: traces what is not dumpable")
@pytest.mark.parametrize("verb, words", [("create", "mounting"), ("exec", "cannot enter the working directory")])
def test_what_a_child_said_before_its_end_is_the_reason(new_box, verb, words):
    """Also where the parent was about to give it something, and met a process that had ended."""
    box = new_box("pause")
    box.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW"}
    if verb == "create":
        box.mount("/bin/probe/below")
        box.save()
        argv = ["create", "-b", box.dir, box.id]
    else:
        box.create()
        box.start()
        argv = ["exec", "--cwd", "/bin/probe", box.id, "/bin/probe", "echo", "x"]
    process = subprocess.Popen([box.rt.path, "--root", box.rt.root, *argv], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                               preexec_fn=lambda: tracing.trace(tracing.TRACEME, 0))
    tracing.wait_stop(process.pid)
    tracing.trace(tracing.SETOPTIONS, process.pid, None, tracing.CHILDREN)
    for _ in range(openers(box, verb) + 1):
        event = number = 0
        while not event:
            tracing.trace(tracing.CONT, process.pid, None, number)
            number, event = tracing.wait_stop(process.pid)
            number = 0 if number == signal.SIGTRAP else number
        child = tracing.event_message(process.pid)
        tracing.wait_stop(child)
        tracing.trace(tracing.DETACH, child)
    host.until(lambda: host.stat_state(child) == "Z", "the child has failed")
    tracing.trace(tracing.DETACH, process.pid)
    _, err = process.communicate()
    assert process.returncode == (1 if verb == "create" else 255)
    assert words in err and "not a directory" in err
