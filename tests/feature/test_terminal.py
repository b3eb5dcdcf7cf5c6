# SPDX-License-Identifier: Apache-2.0
"""process.terminal: the console socket, the foreground, the device."""

import array
import fcntl
import json
import os
import pty
import select
import signal
import socket
import stat
import struct
import subprocess
import termios
import time

import pytest

import host
from bundle import label


class ConsoleSocket:
    """What conmon is to a runtime: listens, takes one message with one descriptor."""

    def __init__(self, path):
        self.path = path
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        directory = os.open(os.path.dirname(path), os.O_PATH)
        self.server.bind(f"/proc/self/fd/{directory}/{os.path.basename(path)}")
        os.close(directory)
        self.server.listen(5)
        self.server.settimeout(host.PATIENCE)

    def receive(self):
        """(descriptor, payload), and that nothing follows."""
        line, _ = self.server.accept()
        with line:
            line.settimeout(host.PATIENCE)
            fds = array.array("i")
            data, ancillary, _, _ = line.recvmsg(4096, socket.CMSG_SPACE(8 * 4))
            for _, kind, bytes_ in ancillary:
                assert kind == socket.SCM_RIGHTS
                fds.frombytes(bytes_)
            assert len(fds) == 1 and data
            assert line.recv(100) == b""
            return fds[0], data

    def close(self):
        self.server.close()


@pytest.fixture
def console(work):
    made = ConsoleSocket(work + "/console")
    yield made
    made.close()


def read_all(fd, until=None, timeout=host.PATIENCE):
    """Everything from a pty's outside until it closes or `until` appears."""
    data, end = b"", time.monotonic() + timeout
    while until is None or until not in data:
        assert select.select([fd], [], [], max(0, end - time.monotonic()))[0], data
        try:
            chunk = os.read(fd, 65536)
        except OSError:
            break
        if not chunk:
            break
        data += chunk
    return data.decode()


def told_of(text, op):
    for line in text.splitlines():
        if line.startswith('{"op": "%s"' % op):
            return json.loads(line)
    raise AssertionError(text)


@pytest.fixture
def terminal_box(new_box, console):
    box = new_box("tty", "pause")
    box.process["terminal"] = True
    fds = []

    def create():
        box.create("--console-socket", console.path)
        fd, box.payload = console.receive()
        fds.append(fd)
        box.start()
        return fd
    box.open = create
    yield box
    for fd in fds:
        os.close(fd)


@pytest.mark.rows("TTY-01", "TTY-03", "TTY-06", "TTY-09", "CRT-05", "ENG-14", "PRC-38", "TTY-08")
@pytest.mark.needs("ids")
def test_console_socket(terminal_box):
    box = terminal_box
    box.process["consoleSize"] = {"height": 10, "width": 110}
    fd = box.open()
    tty = told_of(read_all(fd, b"}"), "tty")
    assert (tty["isatty"], tty["isatty1"], tty["isatty2"], tty["controlling"]) == (1, 1, 1, 1)
    assert (tty["rows"], tty["columns"], tty["name"]) == (10, 110, "/dev/pts/0")
    assert (tty["foreground"], tty["uid"], tty["gid"]) == (1, 0, 5)


@pytest.mark.rows("TTY-06", "PRC-16")
@pytest.mark.needs("ids")
def test_the_terminal_belongs_to_the_user(terminal_box):
    terminal_box.process["user"] = {"uid": 1000, "gid": 1000}
    tty = told_of(read_all(terminal_box.open(), b"}"), "tty")
    assert (tty["uid"], tty["gid"], tty["mode"]) == (1000, 5, 0o620)


@pytest.mark.rows("TTY-03")
@pytest.mark.parametrize("size, want", [(None, (0, 0)), ({"height": 0, "width": 0}, (0, 0)),
                                        ({"height": 1, "width": 65535}, (1, 65535))], ids=label)
def test_console_size(terminal_box, size, want):
    if size:
        terminal_box.process["consoleSize"] = size
    tty = told_of(read_all(terminal_box.open(), b"}"), "tty")
    assert (tty["rows"], tty["columns"]) == want


@pytest.mark.rows("TTY-03")
def test_console_size_without_terminal(new_box):
    box = new_box("tty")
    box.process["consoleSize"] = {"height": 10, "width": 110}
    assert box.run().line("tty")["isatty"] == 0


@pytest.mark.rows("TTY-04", "DEV-02", "TTY-05")
@pytest.mark.parametrize("readonly", [False, True])
def test_dev_console(terminal_box, readonly):
    box = terminal_box
    box.config["root"]["readonly"] = readonly
    box.ops("stat /dev/console", "write /dev/console hello\n", "pause")
    box.process["args"][-3] = "hello"
    text = read_all(box.open(), b'"write"')
    line = told_of(text, "stat")
    assert line["type"] == "char" and line["major"] in (136, 5)
    assert "hello" in text


@pytest.mark.rows("TTY-07", "TTY-05")
@pytest.mark.own
def test_terminal_without_devpts(terminal_box, fails, console):
    box = terminal_box
    box.config["mounts"] = [each for each in box.config["mounts"]
                            if each["destination"] in ("/proc", "/dev")]
    fails(box.create("--console-socket", console.path, code=None), "pts", at="/process/terminal")


@pytest.mark.rows("TTY-05", "HDN-07")
@pytest.mark.own
def test_dev_console_that_the_image_makes_a_link(terminal_box):
    box = terminal_box
    outside = box.dir + "/new"
    box.config["mounts"] = [each for each in box.config["mounts"]
                            if each["destination"] in ("/proc", "/dev/pts")]
    os.symlink(outside, box.path("/dev/console"))
    box.ops("stat /dev/console", "pause")
    told_of(read_all(box.open(), b"}"), "stat")
    assert not os.path.lexists(outside)


@pytest.mark.rows("TTY-09", "CRT-27")
@pytest.mark.parametrize("what", ["missing", "nobody"])
def test_nobody_listens(new_box, fails, what):
    box = new_box("tty")
    box.process["terminal"] = True
    path = box.dir + "/console"
    if what == "nobody":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(path)
    fails(box.create("--console-socket", path, code=None), "console",
          "no such file or directory" if what == "missing" else "connection refused", own=(path,))


@pytest.mark.rows("CRT-05", "TTY-09")
@pytest.mark.own
def test_long_path_of_the_console_socket(new_box, work):
    box = new_box("tty", "pause")
    box.process["terminal"] = True
    directory = os.path.join(work, "d" * 100, "e" * 100)
    os.makedirs(directory)
    console = ConsoleSocket(directory + "/console")
    box.create("--console-socket", console.path)
    os.close(console.receive()[0])
    console.close()


@pytest.mark.rows("TTY-01", "UID-01", "TTY-06")
@pytest.mark.needs("ids")
def test_terminal_in_a_user_namespace(terminal_box):
    box = terminal_box
    box.userns()
    box.process["user"]["uid"] = 7
    tty = told_of(read_all(box.open(), b"}"), "tty")
    assert (tty["isatty"], tty["uid"]) == (1, 7)


@pytest.mark.rows("TTY-02", "TTY-13")
def test_no_terminal(new_box):
    tty = new_box("tty").run().line("tty")
    assert (tty["isatty"], tty["isatty1"], tty["controlling"]) == (0, 0, 0)


class Foreground:
    """`run` with a terminal of ours, as in a person's shell."""

    def __init__(self, box, rows=24, columns=80):
        self.ours, self.theirs = pty.openpty()
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))
        self.mode = termios.tcgetattr(self.theirs)
        box.save()

        def session():
            os.setsid()
            fcntl.ioctl(0, termios.TIOCSCTTY, 0)
        self.process = subprocess.Popen(
            [box.rt.path, "--root", box.rt.root, "run", "-b", box.dir, box.id],
            stdin=self.theirs, stdout=self.theirs, stderr=self.theirs, preexec_fn=session)

    def resize(self, rows, columns):
        fcntl.ioctl(self.theirs, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def close(self):
        for fd in (self.ours, self.theirs):
            os.close(fd)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()


@pytest.fixture
def foreground():
    made = []

    def make(*args, **more):
        made.append(Foreground(*args, **more))
        return made[-1]
    yield make
    for each in made:
        each.close()


@pytest.mark.rows("TTY-10", "TTY-01", "TTY-14", "CRT-02", "TTY-11")
@pytest.mark.own
def test_foreground_terminal(new_box, foreground):
    box = new_box("tty", "echo one", "exit 5")
    box.process["terminal"] = True
    front = foreground(box, 33, 99)
    text = read_all(front.ours, b"one")
    assert front.process.wait(host.PATIENCE) == 5
    tty = told_of(text, "tty")
    assert (tty["isatty"], tty["rows"], tty["columns"]) == (1, 33, 99)
    assert termios.tcgetattr(front.theirs) == front.mode
    assert "\r\r" not in text
    assert not fcntl.fcntl(front.theirs, fcntl.F_GETFL) & os.O_NONBLOCK


@pytest.mark.rows("TTY-10", "CRT-22")
@pytest.mark.own
def test_foreground_resize(new_box, foreground):
    box = new_box("trap 28", "echo up", "until 28", "tty")
    box.process["terminal"] = True
    front = foreground(box)
    read_all(front.ours, b"up")
    front.resize(50, 150)
    front.process.send_signal(signal.SIGWINCH)
    tty = told_of(read_all(front.ours, b"}"), "tty")
    assert (tty["rows"], tty["columns"]) == (50, 150)
    assert front.process.wait(host.PATIENCE) == 0


@pytest.mark.rows("TTY-10")
def test_foreground_input(new_box, foreground):
    box = new_box("echo up", "copy", "exit 3")
    box.process["terminal"] = True
    front = foreground(box)
    read_all(front.ours, b"up")
    os.write(front.ours, b"typed\n")
    read_all(front.ours, b"typed\r\ntyped")
    os.write(front.ours, b"\x04")      # end of file, by the container's own line discipline
    assert front.process.wait(host.PATIENCE) == 3


@pytest.mark.rows("TTY-12", "EXE-41")
def test_foreground_loses_no_output(new_box, foreground):
    box = new_box("flood 1000000", "echo end")
    box.process["terminal"] = True
    front = foreground(box)
    text = read_all(front.ours, b"end")
    assert text.count("0" * 63) == 1000000 // 64
    assert front.process.wait(host.PATIENCE) == 0


@pytest.mark.rows("TTY-10", "CRT-22")
def test_foreground_ends_by_a_signal(new_box, foreground):
    box = new_box("trap 15", "echo up", "until 15", "exit 9")
    box.process["terminal"] = True
    front = foreground(box)
    read_all(front.ours, b"up")
    front.process.send_signal(signal.SIGTERM)
    assert front.process.wait(host.PATIENCE) == 9
    assert termios.tcgetattr(front.theirs) == front.mode


@pytest.mark.rows("TTY-02", "CRT-21")
@pytest.mark.own
def test_stdio_of_the_caller_is_not_a_terminal_for_long(new_box, work):
    """A terminal in the container, pipes outside."""
    box = new_box("tty", "exit 4")
    box.process["terminal"] = True
    told = box.run(code=None)
    assert told.code == 4, told
    assert told_of(told.out, "tty")["isatty"] == 1


@pytest.mark.rows("CRT-20", "PRC-17")
@pytest.mark.own
@pytest.mark.needs("root: makes device nodes")
def test_dev_null_of_the_host_is_replaced_by_the_container_s(new_box):
    """What stands on 0 to 2 is the same device, but no way out of the container's mounts."""
    box = new_box("report", "pause")
    told = box.up()
    assert told.report["fds"]["0"] == "/dev/null"
    inside = os.stat(f"/proc/{box.pid}/fd/0")
    assert stat.S_ISCHR(inside.st_mode) and inside.st_rdev == os.makedev(1, 3)
    assert inside.st_dev != os.stat("/dev/null").st_dev
