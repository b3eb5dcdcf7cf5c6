# SPDX-License-Identifier: Apache-2.0
"""--log: where the messages of rt go when it is not a file."""

import os
import re
import socket

import pytest

import host


class Daemon:
    """What listens in the place of a log daemon; rt sees it there in a mount namespace of its own."""

    def __init__(self, rt, work):
        self.rt, self.path = rt, work + "/log"
        self.server = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.server.bind(self.path)
        self.server.settimeout(host.PATIENCE)
        self.old = work + "/old"
        os.mkdir(self.old)

    def call(self, place, *args):
        directory = "/dev" if place.startswith("/dev") else "/run"
        script = (f"mount --rbind {directory} {self.old} && mount -t tmpfs tmpfs {directory} && "
                  f"mkdir -p {os.path.dirname(place)} && ln -s {self.path} {place} && "
                  "{ [ -e /dev/null ] || ln -s " + self.old + "/null /dev/null; } && exec \"$@\"")
        return self.rt.execute(["unshare", "-m", "sh", "-c", script, "sh", self.rt.path,
                                "--root", self.rt.root, *args])

    def receive(self):
        return self.server.recv(4096).decode()


@pytest.fixture
def daemon(rt, work):
    made = Daemon(rt, work)
    yield made
    made.server.close()


@pytest.mark.rows("CLI-07")
@pytest.mark.own
@pytest.mark.needs("root: mounts over the machine's log socket, in a namespace of its own")
def test_log_to_the_journal(daemon):
    place = "/run/systemd/journal/socket"
    told = daemon.call(place, "--log", "journald:my-engine", "state", "nobody")
    assert told.code == 1
    entry = dict(line.split("=", 1) for line in daemon.receive().splitlines())
    assert entry["SYSLOG_IDENTIFIER"] == "my-engine" and entry["PRIORITY"] == "3"
    assert "nobody" in entry["MESSAGE"] and "does not exist" in entry["MESSAGE"]
    assert entry["RT_CODE"] == "RT-STATE-MISSING"
    assert "does not exist" in told.err     # and for who reads only this
    os.mkdir(daemon.rt.root)
    told = daemon.call(place, "--log", "journald:", "--criu", "x", "list", "-q")
    assert (told.code, told.err) == (0, "")
    assert "PRIORITY=4\nSYSLOG_IDENTIFIER=rt\n" in daemon.receive()


@pytest.mark.rows("CLI-08")
@pytest.mark.own
@pytest.mark.needs("root: mounts over the machine's log socket, in a namespace of its own")
def test_log_to_syslog(daemon):
    told = daemon.call("/dev/log", "--log", "syslog:my-engine", "state", "nobody")
    assert told.code == 1, told
    line = daemon.receive()
    assert re.fullmatch(r"<27>[A-Z][a-z]{2} [ 1-3]\d \d\d:\d\d:\d\d my-engine\[\d+\]: "
                        r".*nobody.*does not exist.*", line), line


@pytest.mark.rows("CLI-07", "CLI-08")
@pytest.mark.own
@pytest.mark.parametrize("backend, place", [("journald", "/run/systemd/journal/socket"),
                                            ("syslog", "/dev/log")])
def test_log_without_a_daemon(rt, fails, backend, place):
    if os.path.exists(place):
        pytest.skip("this machine has a log daemon")
    told = rt.call("list", globals=["--log", f"{backend}:x"])
    fails(told, f"--log {backend}:x", place)
    assert told.out == ""


@pytest.mark.own
def test_debug_tells_the_steps(new_box):
    """A few lines that name the container, of each verb that makes a process."""
    box = new_box("pause")
    told = box.create(globals=["--debug"])
    assert f"container {box.id} is created" in told.err, told
    box.start()
    told = box.exec(ops=("report",), globals=["--debug"])
    assert f"exec in container {box.id}" in told.err and "runs as process" in told.err, told
    assert told.err.count("\n") < 12
