# SPDX-License-Identifier: Apache-2.0
"""TERM, INT and HUP end every wait of a command, which undoes what it made and ends by that signal; and
--timeout is one span for the whole command."""

import contextlib
import os
import signal
import subprocess
import time

import pytest

import host
import tracing
from test_patience import SOON, calling, hung  # noqa: F401 (a fixture)

ENDS = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]


def holds_signals(pid):
    return "anon_inode:[signalfd]" in host.open_files(pid).values()


def gone(box):
    """Nothing of it is left."""
    assert box.rt.call("state", box.id).code == 1
    assert not box.cgroups.dirs(box.cgroup)
    box.exists = False


def ended(process):
    _, err = process.communicate(timeout=host.PATIENCE)
    host.reap_all()
    return process.returncode, err


@pytest.mark.rows("LCY-12", "LCY-10")
@pytest.mark.own
@pytest.mark.parametrize("ends", ENDS, ids=lambda ends: ends.name)
@pytest.mark.parametrize("kind", ["createRuntime", "createContainer"])
def test_create_in_a_hook(hung, ends, kind):  # noqa: F811
    box, process, _ = hung(kind)
    born = host.children(process.pid)
    born += [pid for child in born for pid in host.children(child)]     # the hook is among them
    process.send_signal(ends)
    code, err = ended(process)
    assert code == -ends
    if kind == "createRuntime":     # whose wait it is
        assert "error running createRuntime hook #0" in err
    assert f"interrupted by {ends.name}" in err
    for pid in born:
        host.wait_dead(pid)
    gone(box)


@pytest.mark.rows("LCY-12")
@pytest.mark.own
def test_a_hook_with_a_limit_of_its_own_is_interrupted_too(hung):  # noqa: F811
    box, process, _ = hung(timeout=600)
    process.terminate()
    code, err = ended(process)
    assert (code, "interrupted by SIGTERM" in err) == (-signal.SIGTERM, True), err
    gone(box)


@pytest.mark.rows("LCY-12", "CLI-45")
@pytest.mark.own
def test_what_the_caller_ignores_is_ignored(new_box):
    """nohup."""
    box = new_box("pause")
    gate, told = os.path.join(box.dir, "gate"), os.path.join(box.dir, "told")
    os.mkfifo(gate)
    os.mkfifo(told)
    box.hook("createRuntime", f"append {told} x", f"await {gate}")
    box.save()
    with subprocess.Popen([box.rt.path, "--root", box.rt.root, "create", "-b", box.dir, box.id],
                          stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                          stderr=subprocess.PIPE, text=True,
                          preexec_fn=lambda: signal.signal(signal.SIGHUP, signal.SIG_IGN)) as process:
        assert host.heard(told) == "x\n"
        process.send_signal(signal.SIGHUP)
        host.let_go(gate)
        assert process.wait(timeout=host.PATIENCE) == 0
    box.exists, box.pid = True, box.state()["pid"]
    box.delete()
    box.wait()


@pytest.mark.rows("LCY-12")
@pytest.mark.own
@pytest.mark.parametrize("detach", [[], ["--detach"]], ids=["front", "detached"])
@pytest.mark.parametrize("ends", ENDS, ids=lambda ends: ends.name)
def test_run(new_box, ends, detach):
    """Also in front, where signals are forwarded once the container runs."""
    box = new_box("pause")
    gate, told = box.fifo("/gate"), os.path.join(box.dir, "told")
    os.mkfifo(told)
    box.hook("createRuntime", f"append {told} x", f"await {gate}")
    box.save()
    process = calling(box, "run", "-b", box.dir, *detach, globals=())
    assert host.heard(told) == "x\n"
    process.send_signal(ends)
    code, err = ended(process)
    assert (code, f"interrupted by {ends.name}" in err) == (-ends, True), err
    gone(box)


@pytest.mark.rows("LCY-12")
@pytest.mark.own
def test_run_forwards_once_it_runs(new_box):
    """And is not ended by what it forwards, as a first process of a pid namespace sees none of it."""
    box = new_box("pause")
    box.save()
    process = calling(box, "run", "-b", box.dir, globals=())
    host.until(lambda: box.rt.call("state", box.id).code == 0 and box.status() == "running", "it runs")
    for ends in ENDS:
        process.send_signal(ends)
    assert box.status() == "running"
    box.rt.call("kill", box.id, "KILL")
    code, err = ended(process)
    assert (code, err) == (128 + signal.SIGKILL, ""), err
    gone(box)


@pytest.mark.rows("LCY-12")
@pytest.mark.own
@pytest.mark.needs("freezer")
def test_exec_in_a_paused_container(new_box):
    """On v1 its child dies when it is resumed, and is not waited for longer than --timeout."""
    box = new_box("pause")
    box.up()
    assert box.rt.call("pause", box.id).code == 0
    process = subprocess.Popen([box.rt.path, "--root", box.rt.root, "--timeout", "3s", "exec",
                                "--ignore-paused", box.id, "/bin/probe", "report"],
                               stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.PIPE, text=True)
    host.until(lambda: host.children(process.pid) and holds_signals(process.pid), "its child is born")
    child = host.children(process.pid)[0]
    process.terminate()
    code = process.wait(timeout=host.PATIENCE)
    assert box.rt.call("resume", box.id).code == 0
    host.wait_dead(child)
    with contextlib.suppress(ChildProcessError):    # rt has reaped it where it could die before
        os.waitpid(child, 0)
    err = process.communicate()[1]
    assert (code, "interrupted by SIGTERM" in err) == (-signal.SIGTERM, True), err
    assert box.status() == "running"


@pytest.mark.rows("LCY-12")
@pytest.mark.own
def test_before_anything_is_made_a_signal_ends_it_at_once(new_box):
    box = new_box("report")
    os.mkfifo(os.path.join(box.dir, "config.json"))
    with calling(box, "create", "-b", box.dir, globals=()) as process:
        host.until(lambda: any("config.json" in name for name in host.open_files(process.pid).values()),
                   "it waits for its document")
        process.terminate()
        assert process.wait(timeout=host.PATIENCE) == -signal.SIGTERM
        assert process.stderr.read() == ""
    assert not os.path.exists(os.path.join(box.rt.root, box.id))


@pytest.mark.rows("LCY-12", "HKS-12")
@pytest.mark.own
def test_one_span_for_all_hooks(new_box, fails):
    """None of the three takes as long as --timeout, all together do."""
    box = new_box("report")
    box.config["hooks"] = {"createRuntime": [
        {"path": "/bin/sleep", "args": ["sleep", "0.4"]}] * 3}
    begun = time.monotonic()
    told = box.create(code=None, globals=("--timeout", "1s"))
    taken = time.monotonic() - begun
    late = "2" if "hook #2" in told.err else "1"    # on a machine that is slow
    fails(told, f"hook #{late}", "timeout of 1 s expired", at=f"/hooks/createRuntime/{late}")
    assert taken < 1.2 + 3      # 1 s, and what a machine that is busy takes to undo it


@pytest.mark.rows("LCY-12")
@pytest.mark.own
@pytest.mark.needs("root: traces what is not dumpable")
def test_an_init_that_is_traced(new_box, fails):
    """A tracer is no work: neither where it holds its child nor where it lets it spin."""
    box = new_box("report")
    box.create()
    tracing.attach(box.pid)
    told = box.rt.call("start", box.id, globals=SOON)
    fails(told, f"process {box.pid}", "does not go on: waited 0.7 s",
          f"and process {os.getpid()} traces it")
    host.reap(box.pid)
    assert box.status() == "stopped"
    box.delete()


@pytest.mark.rows("LCY-12")
@pytest.mark.own
@pytest.mark.parametrize("nnp", [True, False])
def test_a_filter_that_allows_nothing(new_box, nnp):
    """What cannot make a call any more cannot end by one, and may spin. start ends all the same."""
    box = new_box("report")
    box.process["noNewPrivileges"] = nnp
    box.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ERRNO", "defaultErrnoRet": 1}
    told = box.create(code=None, globals=SOON)
    if told.code == 0:
        begun = time.monotonic()
        told = box.rt.call("start", box.id, globals=SOON)
        assert time.monotonic() - begun < 0.7 + 5
        box.wait()
        assert box.status() == "stopped"
        box.delete()


@pytest.mark.rows("LCY-12", "HKS-12")
@pytest.mark.own
def test_a_hook_that_prints_without_end(new_box):
    """There is always something to read, and the signal is seen all the same."""
    box = new_box("report")
    told = os.path.join(box.dir, "told")
    os.mkfifo(told)
    box.config["hooks"] = {"createRuntime": [
        {"path": "/bin/sh", "args": ["sh", "-c", f"echo x > {told}; exec yes"]}]}
    box.save()
    process = calling(box, "create", "-b", box.dir, globals=())
    assert host.heard(told) == "x\n"
    process.terminate()
    code, err = ended(process)
    assert (code, "interrupted by SIGTERM" in err) == (-signal.SIGTERM, True), err
    gone(box)


@pytest.fixture
def held(new_box):
    """A run in front whose process has ended with 7, and is held by its tracer, this test."""
    boxes = []

    def make(globals=()):
        box = new_box("await /gate", "exit 7")
        gate = box.fifo("/gate")
        box.save()
        process = calling(box, "run", "-b", box.dir, globals=globals)
        host.until(lambda: box.rt.call("state", box.id).code == 0 and box.status() == "running",
                   "it runs")
        init = box.state()["pid"]
        tracing.seize(init)
        boxes.append(init)
        host.let_go(gate)
        host.until(lambda: host.stat_state(init) == "Z", "it has ended")
        return box, process, init
    yield make
    for init in boxes:
        with contextlib.suppress(ChildProcessError):
            os.waitpid(init, tracing.WALL)
    host.reap_all()


@pytest.mark.rows("LCY-12")
@pytest.mark.own
@pytest.mark.needs("root: traces what is not dumpable")
@pytest.mark.parametrize("how", ["timeout", "signal"])
def test_a_dead_process_that_its_tracer_holds(held, how):
    """Its parent cannot reap it, and tells its exit status nevertheless."""
    box, process, init = held(SOON if how == "timeout" else ())
    if how == "signal":
        assert process.poll() is None
        process.terminate()
    _, err = process.communicate(timeout=host.PATIENCE)
    assert process.returncode == 7, err
    assert f"process {init} is dead, but process {os.getpid()}, which traces it" in err
    gone(box)
