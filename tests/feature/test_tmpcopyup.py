# SPDX-License-Identifier: Apache-2.0
"""The option tmpcopyup: what is copied and what is not. (test_mounts.py: modes, owners, links.)"""

import os

import pytest

pytestmark = [pytest.mark.own, pytest.mark.rows("MNT-47"), pytest.mark.needs("fsopen")]


def test_holes_stay_holes(new_box):
    """256 MiB that are nothing on the disk are nothing in memory: they would not fit."""
    box = new_box("stat /data/sparse", "read /data/middle", "stat /data/middle")
    box.file("/data/sparse")
    os.truncate(box.path("/data/sparse"), 256 << 20)
    with open(box.file("/data/middle"), "r+b") as file:
        file.seek(100000)
        file.write(b"middle")
        file.truncate(300000)
    box.mount("/data", options=["tmpcopyup", "size=1m"])
    told = box.run()
    assert told.line("stat", "/data/sparse")["size"] == 256 << 20
    assert told.line("stat", "/data/middle")["size"] == 300000
    assert told.line("read", "/data/middle")["data"].strip("\0") == "middle"


@pytest.mark.parametrize("what", ["directory", "file"])
def test_mounts_below_are_left_out(new_box, what):
    """A bind of the same file system has the same device number, and is another mount all the same: a
    read-only volume would become a copy that can be written."""
    box = new_box("ls /data", "read /data/own")
    box.file("/data/own", "own")
    if what == "directory":
        source = box.beside("volume")
        box.beside("volume/file", "of the volume")
        os.mkdir(box.path("/data/place"))
    else:
        source = box.beside("volume", "of the volume")
        box.file("/data/place")
    box.bind(source, "/data/place", "ro")
    box.mount("/data", options=["tmpcopyup"])
    told = box.run()
    assert told.line("ls", "/data")["names"] == ["own"]
    assert told.text("/data/own") == "own"


@pytest.mark.needs("root: attributes of files")
def test_large_attributes(new_box):
    """None is left out for its size, and none of many."""
    box = new_box("pause")
    path = box.file("/data/file", "x")
    try:
        for number in range(60):
            os.setxattr(path, f"trusted.rt-{'n' * 60}-{number}", b"v")
        os.setxattr(path, "trusted.rt-large", b"v" * 6000)
    except OSError as error:
        pytest.skip(f"this file system takes no such attributes: {error}")
    box.mount("/data", options=["tmpcopyup"])
    box.up()
    seen = f"/proc/{box.pid}/root/data/file"
    assert set(os.listxattr(path)) <= set(os.listxattr(seen))
    assert len(os.getxattr(seen, "trusted.rt-large")) == 6000


@pytest.mark.needs("root: makes device nodes")
def test_special_files(new_box):
    box = new_box("stat /data/fifo", "stat /data/null")
    os.mkdir(box.path("/data"))
    os.mkfifo(box.path("/data/fifo"), 0o622)
    os.chmod(box.path("/data/fifo"), 0o622)
    os.mknod(box.path("/data/null"), 0o20640, os.makedev(1, 3))
    os.chown(box.path("/data/null"), 7, 8)
    box.mount("/data", options=["tmpcopyup"])
    told = box.run()
    fifo, null = told.line("stat", "/data/fifo"), told.line("stat", "/data/null")
    assert (fifo["type"], fifo["mode"]) == ("fifo", 0o622)
    assert (null["type"], null["major"], null["minor"], null["uid"], null["gid"]) == ("char", 1, 3, 7, 8)
