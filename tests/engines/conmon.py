# SPDX-License-Identifier: Apache-2.0
"""conmon: the monitor of one container, without an engine above it."""

import json
import os
import re
import select
import socket
import subprocess
import uuid

import pytest

import host
from podman import read, require

READY = 30000   # ms


class Conmon:
    """The monitor of one container, started as Podman starts it."""

    def __init__(self, box, rt, work):
        self.box, self.rt, self.work = box, rt, work
        self.exits = work + "/exits"
        self.log, self.pid_file = work + "/container.log", work + "/pidfile"
        self.pipes = []
        os.mkdir(self.exits)

    def argv(self, *more, bundle=None, log=None, name="box"):
        return ["conmon", "--api-version", "1", "-c", self.box.id, "-u", uuid.uuid4().hex, "-n", name,
                "-r", self.rt.path, "--runtime-arg", "--root", "--runtime-arg", self.rt.root,
                "-b", bundle or self.box.dir, "-p", self.pid_file, "--exit-dir", self.exits,
                "-l", f"k8s-file:{log or self.log}", "--conmon-pidfile", self.work + "/conmon.pid",
                "--full-attach", *more]

    def begin(self, *more, attach=False, **options):
        """Starts it; self.sync is the end where it tells, self.started where it is told to go on."""
        theirs = {}
        for name, ours in (("SYNC", 0), ("START", 1), ("ATTACH", 0))[:3 if attach else 2]:
            pair = os.pipe()
            theirs[f"_OCI_{name}PIPE"] = pair[1 - ours]
            self.pipes.append(pair[ours])
        told = open(self.work + "/conmon.out", "w+", encoding="utf-8")
        env = {"PATH": os.environ["PATH"]} | {name: str(fd) for name, fd in theirs.items()}
        process = subprocess.Popen(self.argv(*more, **options), env=env, stdin=subprocess.DEVNULL, stdout=told,
                                   stderr=told, pass_fds=list(theirs.values()), cwd=self.work)
        for fd in theirs.values():
            os.close(fd)
        self.sync, self.started = self.pipes[-3 if attach else -2:][:2]
        self.attached = self.pipes[-1] if attach else None
        os.write(self.started, b"\0")      # it is in its cgroup; now it may call the runtime
        assert process.wait(30) == 0, read(self.work + "/conmon.out")    # the monitor itself has forked away
        told.close()

    def told(self):
        """The next line of the sync pipe."""
        line = b""
        while not line.endswith(b"\n"):
            assert select.select([self.sync], [], [], READY / 1000)[0], f"conmon says nothing after {line!r}"
            char = os.read(self.sync, 1)
            if not char:
                break
            line += char
        return json.loads(line) if line else None

    def create(self, *more, **options):
        self.box.save()
        self.begin(*more, **options)
        told = self.told()
        if told["data"] > 0:
            self.box.exists, self.box.pid = True, told["data"]
        return told

    def exit_code(self):
        path = f"{self.exits}/{self.box.id}"
        host.until(lambda: os.path.exists(path) and read(path), "conmon has written the exit code", 20)
        return int(read(path))

    def attach(self, bundle):
        """To the socket, which is there when the attach pipe says so, or by the first word of the sync
        pipe; its path is short enough only from where it lies."""
        if self.attached is not None:
            assert select.select([self.attached], [], [], READY / 1000)[0] and os.read(self.attached, 100)
        line = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        directory = os.open(bundle, os.O_PATH)
        line.connect(f"/proc/self/fd/{directory}/attach")
        os.close(directory)
        line.settimeout(20)
        return line

    def close(self):
        for fd in self.pipes:
            os.close(fd)


@pytest.fixture
def conmon(new_box, rt, work):
    require("conmon")
    made = Conmon(new_box("report"), rt, work)
    yield made
    made.close()
    # Its monitor ends with the container.
    if made.box.exists:
        rt.call("delete", "--force", made.box.id)
        made.box.exists = False


def lines(conmon, stream):
    """What the log has of a stream: `TIME STREAM F|P TEXT`."""
    found = re.findall(rf"^\S+ {stream} ([FP]) (.*)$", read(conmon.log), re.M)
    return "".join(text + ("\n" if kind == "F" else "") for kind, text in found)
