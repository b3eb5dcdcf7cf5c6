# SPDX-License-Identifier: Apache-2.0
"""counting: containers that count signals, for checkpoint and restore. How far they are is in their
memory alone, so whose next line is "count 3" is the one that had said "count 2" before."""

import os
import signal

import pytest

import host

CRIU = os.environ.get("RT_TEST_CRIU")   # made by tests/tools/criu.sh
USR1 = str(signal.SIGUSR1.value)


@pytest.fixture
def counter(new_box, monkeypatch):
    """A container that counts; `counter.images` is where its images go."""
    monkeypatch.setenv("PATH", os.path.dirname(CRIU) + ":" + os.environ["PATH"])

    def make(*ops):
        box = new_box(*ops, f"count {USR1}")
        box.images = os.path.join(box.dir, "images")
        return box
    return make


def begin(box):
    """Its standard error is /dev/null: CRIU cannot open the tests' own file, which has no name."""
    box.create(shell='exec "$@" 2>/dev/null')
    box.start()
    return box.lines_until("up")


def count(box, number):
    box.kill("USR1")
    assert box.line() == f"count {number}"


def checkpoint(box, *flags, code=0, images=None):
    told = box.rt.call("checkpoint", "--image-path", images or box.images, *flags, box.id)
    assert told.code == code, told
    if told.code == 0 and not {"--leave-running", "--pre-dump"} & set(flags):
        box.exists = False
        assert host.reap(box.pid) == 137        # its parent by now is the test
    return told


def restore(box, *flags, code=0, images=None, **options):
    """Its standard output is a new pipe."""
    box.buffer = b""
    return box.create("--detach", "--image-path", images or box.images, *flags, code=code, verb="restore",
                      **options)


def there_and_back(box, *flags):
    begin(box)
    count(box, 1)
    checkpoint(box, *flags)
    restore(box, *flags)
    count(box, 2)


def mounts(box):
    """Of init: root, point, options and file system of each, without ids."""
    with open(f"/proc/{box.pid}/mountinfo", encoding="ascii") as file:
        lines = [line.split() for line in file]
    return sorted((line[3], line[4], line[5], line[line.index("-") + 1]) for line in lines)
