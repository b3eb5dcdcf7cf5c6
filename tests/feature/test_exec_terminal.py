# SPDX-License-Identifier: Apache-2.0
"""exec with a terminal: in front of a person's, over the console socket, and with none outside."""

import array
import fcntl
import json
import os
import pty
import signal
import socket
import struct
import subprocess
import termios

import pytest

import host
from bundle import probe_args
from test_terminal import ConsoleSocket, console, read_all, told_of  # noqa: F401 (a fixture)


@pytest.fixture
def box(new_box):
    made = new_box("pause")
    made.up()
    return made


class Front:
    """`exec` with a terminal of ours, as in a person's shell."""

    def __init__(self, box, *flags, ops, rows=24, columns=80):
        self.ours, self.theirs = pty.openpty()
        self.resize(rows, columns)
        self.mode = termios.tcgetattr(self.theirs)

        def session():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        argv = [box.rt.path, "--root", box.rt.root, "exec", *flags, box.id]
        self.process = subprocess.Popen(argv + (["/bin/probe"] + probe_args(ops) if ops else []),
                                        stdin=self.theirs, stdout=self.theirs, stderr=self.theirs,
                                        preexec_fn=session)

    def resize(self, rows, columns):
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def close(self):
        for fd in (self.ours, self.theirs):
            os.close(fd)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@pytest.fixture
def front(box):
    made = []

    def make(*flags, **more):
        made.append(Front(box, *flags, **more))
        return made[-1]
    yield make
    for each in made:
        each.close()


@pytest.mark.rows("EXE-09", "EXE-41", "TTY-10")
@pytest.mark.own
@pytest.mark.parametrize("flag", ["-t", "--tty", "--tty=true"])
def test_in_front(front, flag):
    shown = front(flag, ops=["tty", "report", "echo all", "exit 5"], rows=33, columns=99)
    text = read_all(shown.ours, b"all\r\n")
    assert shown.process.wait(host.PATIENCE) == 5
    tty, report = told_of(text, "tty"), told_of(text, "report")
    assert (tty["isatty"], tty["controlling"], tty["foreground"]) == (1, 1, report["pid"])
    assert (tty["rows"], tty["columns"], tty["name"]) == (33, 99, "/dev/pts/0")
    assert termios.tcgetattr(shown.theirs) == shown.mode
    assert "\r\r" not in text
    assert set(report["fds"]) == {"0", "1", "2"}


@pytest.mark.rows("EXE-09")
def test_without_asking(front):
    """The terminal of `config.json` is that of init."""
    shown = front(ops=["tty"])
    assert told_of(read_all(shown.ours, b"}"), "tty")["isatty"] == 1   # ours, as it is
    assert shown.process.wait(host.PATIENCE) == 0


@pytest.mark.rows("EXE-09")
def test_not_because_init_has_one(new_box, console):  # noqa: F811
    box = new_box("pause")
    box.process["terminal"] = True
    box.create("--console-socket", console.path)
    fd, _ = console.receive()
    box.start()
    try:
        assert box.exec(ops=["tty"]).line("tty")["isatty"] == 0
    finally:
        os.close(fd)


@pytest.mark.rows("EXE-41", "TTY-10", "CRT-22")
def test_resize_and_signals(front):
    shown = front("-t", ops=["trap 28", "echo up", "until 28", "tty", "exit 7"])
    read_all(shown.ours, b"up")
    shown.resize(50, 150)
    shown.process.send_signal(signal.SIGWINCH)
    tty = told_of(read_all(shown.ours, b"}"), "tty")
    assert (tty["rows"], tty["columns"]) == (50, 150)
    assert shown.process.wait(host.PATIENCE) == 7


@pytest.mark.rows("EXE-41", "TTY-12")
def test_loses_no_output(front):
    shown = front("-t", ops=["flood 1000000", "echo end"])
    text = read_all(shown.ours, b"end")
    assert text.count("0" * 63) == 1000000 // 64
    assert shown.process.wait(host.PATIENCE) == 0


@pytest.mark.rows("TTY-13", "EXE-09")
@pytest.mark.own
def test_no_terminal_outside(box):
    tty = told_of(box.exec("-t", ops=["tty"]).out, "tty")
    assert (tty["isatty"], tty["rows"], tty["columns"]) == (1, 0, 0)


@pytest.mark.rows("EXE-09", "EXE-42", "EXE-02")
def test_process_file(box, front):
    """Its terminal wins without --tty; its size where the caller has none."""
    path = box.beside("process.json", json.dumps({
        "terminal": True, "consoleSize": {"height": 10, "width": 110}, "cwd": "/",
        "user": {"uid": 0, "gid": 0}, "args": ["/bin/probe", "tty"], "env": ["PATH=/bin"]}))
    tty = told_of(box.rt.call("exec", "-p", path, box.id).out, "tty")
    assert (tty["isatty"], tty["rows"], tty["columns"]) == (1, 10, 110)
    assert box.rt.call("exec", "--tty=false", "-p", path, box.id).line("tty")["isatty"] == 0
    shown = front("-p", path, ops=None, rows=7, columns=8)
    tty = told_of(read_all(shown.ours, b"}"), "tty")
    assert (tty["rows"], tty["columns"]) == (7, 8)
    assert shown.process.wait(host.PATIENCE) == 0


@pytest.mark.rows("EXE-10", "EXE-09", "EXE-12", "ENG-02", "ENG-14", "TTY-06")
@pytest.mark.needs("ids")
def test_console_socket(box, console):  # noqa: F811
    pid_file = box.dir + "/pid"
    box.exec("-t", "-d", "-u", "1000:1000", "--pid-file", pid_file, "--console-socket",
             console.path, ops=["tty", "exit 3"])
    fd, payload = console.receive()
    try:
        tty = told_of(read_all(fd, b"}"), "tty")
        with open(pid_file, encoding="ascii") as file:
            assert host.reap(int(file.read())) == 3
    finally:
        os.close(fd)
    assert (tty["isatty"], tty["controlling"], tty["uid"], tty["gid"]) == (1, 1, 1000, 5)
    assert payload == b"/dev/pts/0"


@pytest.mark.rows("EXE-09", "EXE-10")
def test_who_takes_it(box, console, fails):  # noqa: F811
    fails(box.exec("-t", "-d", code=None), own=("--console-socket",))
    fails(box.exec("-t", "--console-socket", console.path, code=None), own=("--console-socket",))
    fails(box.exec("-d", "--console-socket", console.path, code=None), own=("--console-socket",))
    fails(box.exec("-t", "-d", "--console-socket", "/none", code=None), "/none")


@pytest.mark.rows("EXE-09", "TTY-08")
@pytest.mark.own
def test_no_devpts(new_box, fails):
    box = new_box("pause")
    box.config["mounts"] = [each for each in box.config["mounts"] if "pts" not in each["destination"]]
    box.up()
    fails(box.exec("-t", code=None), "/dev/pts")


@pytest.mark.rows("EXE-09", "EXE-27")
@pytest.mark.own
@pytest.mark.needs("ids")
def test_in_a_user_namespace(new_box):
    box = new_box("pause")
    box.userns()
    box.up()
    tty = told_of(box.exec("-t", "-u", "7", ops=["tty"]).out, "tty")
    assert (tty["isatty"], tty["uid"]) == (1, 7)


@pytest.mark.rows("EXE-11", "FDS-19")
@pytest.mark.own
def test_pidfd_socket(box, work, fails):
    receiver = ConsoleSocket(work + "/pidfd")
    pid_file = box.dir + "/pid"
    try:
        box.exec("-d", "--pid-file", pid_file, "--pidfd-socket", receiver.path, ops=["pause"])
        line, _ = receiver.server.accept()
        with line:
            fds = array.array("i")
            data, ancillary, _, _ = line.recvmsg(100, socket.CMSG_SPACE(8 * 4))
            for _, _, bytes_ in ancillary:
                fds.frombytes(bytes_)
        assert data == b"setns" and len(fds) == 1
        signal.pidfd_send_signal(fds[0], signal.SIGTERM)
        os.close(fds[0])
        with open(pid_file, encoding="ascii") as file:
            assert host.reap(int(file.read())) == 128 + 15
    finally:
        receiver.close()
    fails(box.exec("--pidfd-socket", "/none", code=None), "--pidfd-socket", "/none")
