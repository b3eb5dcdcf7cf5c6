# SPDX-License-Identifier: Apache-2.0
"""Descriptors beside 0, 1 and 2: what the caller promised reaches the container, in its order, and
nothing else ever does."""

import os
import socket

import pytest

import host
from bundle import label

STANDARD = {"0", "1", "2"}
# systemd's way: the descriptors are meant for the process with this number, which the shell becomes.
PASSED = 'export LISTEN_PID=$$; exec "$@"'


def listen_env(count, names=None):
    env = {**os.environ, "LISTEN_FDS": str(count)}
    if names is not None:
        env["LISTEN_FDNAMES"] = names
    return env


def variables(report):
    return {entry.partition("=")[0]: entry.partition("=")[2] for entry in report["env"]
            if entry.startswith("LISTEN_")}


def handed(*sources):
    """What the shell that becomes rt opens from 3 on."""
    return " ".join(f"{3 + at}<{each}" for at, each in enumerate(sources))


@pytest.mark.rows("FDS-10", "FDS-11", "CLI-39")
@pytest.mark.parametrize("verb", ["run", "create"], ids=label)
def test_listen_fds(new_box, verb):
    box = new_box("report")
    options = {"env": listen_env(2), "shell": f"{PASSED} {handed('/dev/null', '/dev/zero', '/dev/full')}"}
    if verb == "run":
        report = box.run(**options).report
    else:
        box.create(**options)
        box.start()
        report = box.finish().report
    assert set(report["fds"]) == STANDARD | {"3", "4"}
    assert variables(report) == {"LISTEN_FDS": "2", "LISTEN_PID": "1"}


@pytest.mark.rows("FDS-11", "FDS-10")
@pytest.mark.own
def test_names(new_box):
    """Said by rt, whatever the document has said."""
    box = new_box("report")
    box.process["env"] += ["LISTEN_FDS=7", "LISTEN_PID=8", "LISTEN_FDNAMES=x"]
    told = box.run(env=listen_env(2, "web:log"), shell=f"{PASSED} {handed('/dev/null', '/dev/zero')}")
    assert variables(told.report) == {"LISTEN_FDS": "2", "LISTEN_PID": "1", "LISTEN_FDNAMES": "web:log"}


@pytest.mark.rows("FDS-10")
@pytest.mark.own
def test_pid_of_a_shared_namespace(new_box):
    """LISTEN_PID is the number that the process has, or it would not take them."""
    box = new_box("report")
    box.namespace("pid", absent=True)
    told = box.run(env=listen_env(1), shell=f"{PASSED} {handed('/dev/null')}")
    assert variables(told.report)["LISTEN_PID"] == str(told.report["pid"]) != "1"


@pytest.mark.rows("FDS-10", "CLI-39")
@pytest.mark.own
def test_exec(new_box):
    box = new_box("pause")
    box.up()
    told = box.exec(env=listen_env(1, "web"), shell=f"{PASSED} {handed('/dev/null', '/dev/zero')}")
    assert set(told.report["fds"]) == STANDARD | {"3"}
    assert variables(told.report) == {"LISTEN_FDS": "1", "LISTEN_PID": str(told.report["pid"]),
                                      "LISTEN_FDNAMES": "web"}
    assert variables(box.exec().report) == {}


@pytest.mark.rows("FDS-12", "CLI-39")
@pytest.mark.parametrize("pid", ["", "1", "x", "-1", None], ids=str)
@pytest.mark.own
def test_meant_for_another(new_box, pid):
    """For whom rt works, or who started him."""
    env = listen_env(1, "web")
    if pid is not None:
        env["LISTEN_PID"] = pid
    told = new_box("report").run(env=env, shell='exec "$@" 3</dev/null')
    assert set(told.report["fds"]) == STANDARD
    assert variables(told.report) == {}


@pytest.mark.rows("FDS-13")
def test_both(new_box):
    """Those of LISTEN_FDS are the first, as sd_listen_fds(3) wants, those of --preserve-fds behind."""
    box = new_box("report")
    files = [box.beside(f"file{at}", "") for at in range(4)]
    told = box.run("--preserve-fds=2", env=listen_env(1), shell=f"{PASSED} {handed(*files)}")
    assert set(told.report["fds"]) == STANDARD | {"3", "4", "5"}
    assert [os.path.basename(told.report["fds"][str(fd)]) for fd in (3, 4, 5)] == ["file0", "file1", "file2"]
    assert variables(told.report) == {"LISTEN_FDS": "1", "LISTEN_PID": "1"}


@pytest.mark.rows("FDS-14")
@pytest.mark.parametrize("value", ["x", "-1", "1x", " 1", "", "99999999999"], ids=str)
@pytest.mark.own
def test_malformed(new_box, fails, value):
    told = new_box("report").run(code=None, env=listen_env(value), shell=f"{PASSED} 3</dev/null")
    fails(told, "LISTEN_FDS")


@pytest.mark.rows("FDS-13", "FDS-15")
@pytest.mark.parametrize("verb", ["run", "create", "exec"])
@pytest.mark.parametrize("count, flags", [(0, ("--preserve-fds=2",)), (2, ()), (1, ("--preserve-fds=1",))],
                         ids=label)
def test_promised_and_not_open(new_box, fails, verb, count, flags):
    box = new_box("pause")
    options = {"env": listen_env(count), "shell": f"{PASSED} 3</dev/null 4<&-"}
    if verb == "exec":
        box.up()
        fails(box.exec(*flags, code=None, **options), own=("fd 4", "not open"))
    else:
        box.save()
        fails(box.rt.call(verb, "-b", box.dir, *flags, box.id, **options), own=("fd 4", "not open"))
        assert box.rt.call("state", box.id).code != 0


@pytest.mark.rows("FDS-10")
def test_socket(new_box):
    """Socket activation: the very socket of the caller."""
    with socket.socket(socket.AF_UNIX) as ours:
        number = os.readlink(f"/proc/self/fd/{ours.fileno()}")
        told = new_box("report").run(env=listen_env(1), shell=PASSED, close_fds=False,
                                     preexec_fn=lambda: os.dup2(ours.fileno(), 3))
    assert told.report["fds"]["3"] == number


@pytest.mark.rows("FDS-15", "FDS-17")
@pytest.mark.own
def test_hooks_get_none(new_box):
    """What is the container's is not its hooks', whichever side they run on."""
    box = new_box("report")
    path = box.beside("told", "")
    kinds = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")
    for kind in kinds:
        box.hook(kind, "hook " + path, **({"path": "/bin/probe"} if kind == "startContainer" else {}))
    box.bind(path, path)
    told = box.run("--preserve-fds=1", env=listen_env(1), shell=f"{PASSED} {handed('/dev/null', '/dev/zero')}")
    assert set(told.report["fds"]) == STANDARD | {"3", "4"}
    reports = box.hook_reports(path)
    assert [set(report["fds"]) for report, _ in reports] == [STANDARD] * len(kinds)


@pytest.mark.rows("FDS-15")
@pytest.mark.own
def test_many(new_box):
    """Thousands of the caller's, of which one is promised."""
    box = new_box("report")
    opened = [os.open("/", os.O_RDONLY) for _ in range(500)]
    try:
        told = box.run("--preserve-fds=1", pass_fds=opened, shell='exec "$@" 3</dev/null')
        assert set(told.report["fds"]) == STANDARD | {"3"}
    finally:
        for fd in opened:
            os.close(fd)


@pytest.mark.rows("FDS-15", "FDS-17")
@pytest.mark.own
def test_init_at_the_gate(new_box):
    """A created container waits with nothing of the host's, but where `start` knocks, and what it
    was promised."""
    box = new_box("pause")
    box.save()
    path = box.beside("pid", "")
    # Not by box.create (), which asks for the state: that knocks, too.
    told = box.rt.call("create", "-b", box.dir, "--preserve-fds=1", "--pid-file", path, box.id,
                       shell='exec "$@" 3</dev/null')
    assert told.code == 0, told
    box.exists = True
    with open(path, encoding="ascii") as file:
        pid = file.read()
    held = host.open_files(pid)
    others = {held[fd] for fd in set(held) - {0, 1, 2, 3}}
    assert len(others) == 1 and others.pop().startswith("socket:"), held
    box.start()
    host.until(lambda: set(host.open_files(pid)) == {0, 1, 2, 3}, "only its own")
