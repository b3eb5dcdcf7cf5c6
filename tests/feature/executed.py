# SPDX-License-Identifier: Apache-2.0
"""executed: containers that wait, and processes that exec puts beside their init."""

import json
import os
import signal

import pytest

import host


@pytest.fixture
def up_box(new_box):
    """A container that runs and waits."""
    def make(*ops, change=None):
        box = new_box(*(ops or ("report", "pause")))
        if change:
            change(box)
        box.told = box.up()
        return box
    return make


def detached(box, *flags, ops=("pause",)):
    """The pid of a process that was executed detached; ours to reap."""
    path = box.dir + "/exec.pid"
    out = os.open(os.devnull, os.O_WRONLY)
    try:
        box.exec("-d", "--pid-file", path, *flags, ops=ops, stdout=out)
    finally:
        os.close(out)
    with open(path, encoding="ascii") as file:
        text = file.read()
    assert text == str(int(text))
    os.unlink(path)
    return int(text)


def end(pid):
    os.kill(pid, signal.SIGKILL)
    assert host.reap(pid) == 137


def process_file(box, **changes):
    process = {"user": {"uid": 0, "gid": 0}, "args": ["/bin/probe", "report"],
               "env": ["PATH=/bin"], "cwd": "/"}
    process.update(changes)
    return box.beside("process.json", json.dumps(process))
