# SPDX-License-Identifier: Apache-2.0
"""conmon's contract with a runtime, without an engine above it: what it is told by the pid file, by the
runtime's standard streams and exit code and by the console socket, and what it tells by its pipes, its
log, its exit files and its attach socket."""

import json
import os
import re
import signal
import socket

import pytest

import host
from conmon import lines
from podman import read


@pytest.mark.rows("ENG-01", "ENG-11", "ENG-13", "ENG-28", "ENG-29", "CRT-07")
def test_create_and_start(conmon):
    """The pid by the sync pipe is that of the pid file, of a process whose parent is the monitor; there is
    no output before `start`; the exit code comes to the exit file."""
    conmon.box.ops("echo hello", "complain trouble", "exit 7")
    pid = conmon.create()["data"]
    assert read(conmon.pid_file) == str(pid)
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        parent = int(re.search(r"PPid:\t(\d+)", file.read())[1])
    assert parent == int(read(conmon.work + "/conmon.pid")) and "conmon" in host.describe(parent)
    assert not os.path.exists(conmon.log) or read(conmon.log) == ""
    assert conmon.rt.call("start", conmon.box.id).code == 0
    assert conmon.exit_code() == 7
    assert lines(conmon, "stdout") == "hello\n" and lines(conmon, "stderr") == "trouble\n"


@pytest.mark.rows("ENG-07", "ENG-09", "ENG-10", "ENG-17")
@pytest.mark.parametrize("change, words", [
    (lambda box: box.process.update(args=["/nowhere"]), "no such file or directory"),
    (lambda box: box.process.update(args=["nowhere"]), "executable file not found in $path"),
    (lambda box: box.process.update(cwd="relative"), "cwd")])
def test_create_fails(conmon, change, words):
    """The reason comes by the sync pipe with -1, and there is no pid file and no container."""
    change(conmon.box)
    told = conmon.create()
    assert told["data"] == -1 and words in told["message"].lower(), told
    assert not os.path.exists(conmon.pid_file)
    assert "does not exist" in conmon.rt.call("state", conmon.box.id).err


@pytest.mark.rows("ENG-08", "ENG-07")
def test_json_log_of_a_failure(conmon):
    """Podman's way: the reason is read from the log file."""
    log = conmon.work + "/oci-log"
    conmon.box.process["args"] = ["/nowhere"]
    assert conmon.create("--runtime-arg", "--log-format=json", "--runtime-arg", "--log", "--runtime-arg", log)["data"] == -1
    records = [json.loads(line) for line in read(log).splitlines()]
    assert [each["level"] for each in records] == ["error"]
    assert "/nowhere" in records[-1]["msg"] and "no such file or directory" in records[-1]["msg"].lower()


@pytest.mark.rows("ENG-23", "ENG-16")
@pytest.mark.parametrize("number, code", [(9, 137), (15, 143)])
def test_killed(conmon, number, code):
    conmon.box.ops("echo up", "pause")
    conmon.create()
    conmon.rt.call("start", conmon.box.id)
    host.until(lambda: os.path.exists(conmon.log) and lines(conmon, "stdout") == "up\n", "it runs")
    assert conmon.rt.call("kill", conmon.box.id, str(number)).code == 0
    if number == 15:    # the first process of a pid namespace has no handler for it
        assert conmon.rt.state(conmon.box.id)["status"] == "running"
        conmon.rt.call("kill", conmon.box.id, "9")
        code = 137
    assert conmon.exit_code() == code
    assert "container not running" in conmon.rt.call("kill", conmon.box.id, "9").err


@pytest.mark.rows("ENG-06", "TTY-15")
def test_partial_lines(conmon):
    conmon.box.ops(["echo", "x" * 20000])
    conmon.create()
    conmon.rt.call("start", conmon.box.id)
    assert conmon.exit_code() == 0
    assert lines(conmon, "stdout") == "x" * 20000 + "\n" and " stdout P x" in read(conmon.log)


def exec_(conmon, argv, *more, **process):
    """An exec session with somebody attached, as Podman has conmon make it. Returns the socket; then the
    sync pipe tells the pid or the failure, and the exit code."""
    directory = f"{conmon.work}/exec{len(conmon.pipes)}"
    os.mkdir(directory)
    path = directory + "/process.json"
    with open(path, "w", encoding="utf-8") as file:
        json.dump(dict(conmon.box.process, args=argv, **process), file)
    conmon.pid_file, session = directory + "/pidfile", os.path.basename(directory)
    conmon.begin("--exec", "--exec-process-spec", path, "--exec-attach", *more, attach=True,
                 bundle=directory, log=directory + "/log", name=session)
    line = conmon.attach(directory)
    os.write(conmon.started, b"\0")
    return line


def received(line):
    """(standard output, standard error) of an attach socket: the first byte of a packet says which."""
    out = {2: b"", 3: b""}
    while True:
        data = line.recv(65536)
        if not data:
            return out[2].decode(), out[3].decode()
        out[data[0]] += data[1:]


@pytest.fixture
def running(conmon):
    conmon.box.ops("pause")
    conmon.create()
    assert conmon.rt.call("start", conmon.box.id).code == 0
    return conmon


@pytest.mark.rows("ENG-02", "ENG-10", "EXE-13")
def test_exec(running):
    line = exec_(running, ["/bin/probe", "echo", "inside", ";", "complain", "trouble", ";", "exit", "5"])
    pid = running.told()["data"]
    assert pid > 0 and read(running.pid_file) == str(pid)
    assert received(line) == ("inside\n", "trouble\n")
    assert running.told()["data"] == 5
    line.close()


@pytest.mark.rows("ENG-02", "ENG-06")
def test_exec_with_standard_input(running):
    line = exec_(running, ["/bin/probe", "copy"], "--stdin")
    assert running.told()["data"] > 0
    line.send(b"from outside\n")
    line.shutdown(socket.SHUT_WR)
    assert received(line)[0] == "from outside\n"
    assert running.told()["data"] == 0
    line.close()


@pytest.mark.rows("ENG-09", "ENG-10", "ENG-17")
@pytest.mark.parametrize("argv, words", [
    (["nowhere"], "executable file not found in $path"), (["/bin/nowhere"], "no such file or directory"),
    (["/etc"], "permission denied")])
def test_exec_fails(running, argv, words):
    """No pid file; -1 and the reason by the sync pipe: Podman makes 126 or 127 of these words."""
    line = exec_(running, argv)
    told = running.told()
    assert told["data"] == -1 and words in told["message"].lower(), told
    assert not os.path.exists(running.pid_file)
    assert running.rt.state(running.box.id)["status"] == "running"
    line.close()


@pytest.mark.rows("ENG-02", "EXE-13")
def test_exec_is_killed(running):
    line = exec_(running, ["/bin/probe", "pause"])
    os.kill(running.told()["data"], signal.SIGKILL)
    assert running.told()["data"] == 137
    line.close()


@pytest.mark.rows("ENG-14", "EXE-10")
def test_terminals(conmon):
    """Of the container and of an exec: the console socket is conmon's, what is typed comes by the attach
    socket, the window's size by the control pipe."""
    conmon.box.process["terminal"] = True
    conmon.box.ops("tty", "copy")
    assert conmon.create("--terminal", "--stdin")["data"] > 0
    line = conmon.attach(conmon.box.dir)
    with open(conmon.box.dir + "/ctl", "w", encoding="ascii") as control:
        control.write("1 33 99\n")
    assert conmon.rt.call("start", conmon.box.id).code == 0
    told = b""
    while b"}" not in told:
        told += line.recv(65536)[1:]
    assert json.loads(told)["op"] == "tty"
    line.send(b"typed\n\x04")     # ctrl-d
    out, _ = received(line)
    assert out.replace("\r", "").startswith("typed\n") and out.count("typed") == 2, "echo, and copy"
    assert conmon.exit_code() == 0
    line.close()


@pytest.mark.rows("ENG-13")
def test_time_limit(conmon):
    """conmon's own --timeout kills, and tells -1."""
    conmon.box.ops("pause")
    conmon.create("--timeout", "1")
    conmon.rt.call("start", conmon.box.id)
    assert conmon.exit_code() == -1
    host.until(lambda: conmon.rt.state(conmon.box.id)["status"] == "stopped", "it has been killed")


@pytest.mark.rows("ENG-24")
def test_exit_command(conmon):
    """What Podman cleans up with runs after the exit file is there, and finds a container to delete."""
    conmon.box.ops("exit 3")
    done = conmon.work + "/cleaned"
    words = ["-c", f'"$1" --root "$2" delete --force "$3" && cat {conmon.exits}/* >{done}', "sh",
             conmon.rt.path, conmon.rt.root, conmon.box.id]
    conmon.create("--exit-command", "/bin/sh", *[each for word in words for each in ("--exit-command-arg", word)])
    conmon.rt.call("start", conmon.box.id)
    host.until(lambda: os.path.exists(done) and read(done) == "3", "cleaned up", 20)
    assert "does not exist" in conmon.rt.call("state", conmon.box.id).err


@pytest.mark.needs("memory")
@pytest.mark.rows("ENG-25")
def test_out_of_memory(conmon):
    """It watches the cgroup that it finds in /proc/PID/cgroup right after `create`: init's own."""
    conmon.box.linux["resources"] = {"memory": {"limit": 8 << 20, "swap": 8 << 20}}
    conmon.box.ops("memory 67108864")
    pid = conmon.create()["data"]
    assert conmon.box.cgroups.path(pid, "memory").endswith("/" + conmon.box.cgroup)
    conmon.rt.call("start", conmon.box.id)
    assert conmon.exit_code() == 137
    assert os.path.exists(conmon.work + "/oom") or not conmon.box.cgroups.is_v2("memory")
