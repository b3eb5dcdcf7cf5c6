# SPDX-License-Identifier: Apache-2.0
"""A pipe, a device or a link in the place of a file that an option names: it neither holds rt past
--timeout nor is it replaced."""

import os
import stat
import subprocess
import threading

import pytest

import host
from test_patience import SOON


def fifo(box, name):
    path = os.path.join(box.dir, name)
    os.mkfifo(path)
    return path


@pytest.mark.rows("CRT-03", "LCY-12")
@pytest.mark.own
def test_a_document_that_nobody_writes(new_box, fails):
    box = new_box("report")
    fifo(box, "config.json")
    fails(box.create(code=None, save=False, globals=SOON), "config.json", "timed out",
          "waited 0.7 s for its writer")


@pytest.mark.rows("CRT-03")
@pytest.mark.own
@pytest.mark.needs("root: makes device nodes")
def test_a_document_that_is_a_device(new_box, fails):
    box = new_box("report")
    os.mknod(os.path.join(box.dir, "config.json"), 0o666 | stat.S_IFCHR, os.makedev(1, 5))   # zeros
    fails(box.create(code=None, save=False), "config.json` is not a regular file")


@pytest.mark.rows("CRT-03")
@pytest.mark.own
def test_a_document_of_a_pipe(new_box):
    """Also one that comes late, as from a shell's <(COMMAND)."""
    box = new_box("echo done")
    box.save()
    path = os.path.join(box.dir, "config.json")
    with open(path, encoding="utf-8") as file:
        text = file.read()
    os.unlink(path)
    fifo(box, "config.json")

    def write():
        with open(path, "w", encoding="utf-8") as file:    # when rt has opened it
            file.write(text)
    writer = threading.Thread(target=write)
    writer.start()
    assert box.run(save=False).out == "done\n"
    writer.join()


@pytest.mark.rows("CLI-05")
@pytest.mark.own
def test_a_log_without_a_reader(new_box):
    box = new_box("report")
    told = box.rt.call("state", "none", globals=("--log", fifo(box, "log"), *SOON))
    assert told.code == 1 and "a pipe needs a reader" in told.err, told


@pytest.mark.rows("CLI-05")
@pytest.mark.own
def test_a_log_whose_reader_sleeps(new_box):
    box = new_box("report")
    path = fifo(box, "log")
    reader = os.open(path, os.O_RDWR | os.O_NONBLOCK)
    try:
        while True:
            os.write(reader, b"x" * 4096)
    except BlockingIOError:
        pass
    told = box.rt.call("state", "none", globals=("--log", path, *SOON))
    os.close(reader)
    assert told.code == 1 and "none" in told.err, told     # standard error has it


@pytest.fixture
def node(new_box):
    """(box, path of a character device of its own)."""
    box = new_box("pause")
    path = os.path.join(box.dir, "node")
    os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3))
    return box, path


@pytest.mark.rows("CRT-06")
@pytest.mark.own
@pytest.mark.needs("root: makes device nodes")
@pytest.mark.parametrize("fails_late", [False, True], ids=["made", "undone"])
def test_a_pid_file_that_is_a_device(node, fails_late):
    """Not even where the container is undone after it was written."""
    box, path = node
    before = os.lstat(path)
    if fails_late:
        box.hook("poststart", "exit 3")
    told = box.create("-d", "--pid-file", path, verb="run", code=None)
    assert told.code == (1 if fails_late else 0), told
    after = os.lstat(path)
    assert (before.st_ino, before.st_mode, before.st_rdev) == (after.st_ino, after.st_mode, after.st_rdev)
    if not fails_late:
        box.rt.call("delete", "-f", box.id)
    host.reap_all()
    box.exists = False


@pytest.mark.rows("CRT-06")
@pytest.mark.own
def test_a_pid_file_that_is_a_link(new_box):
    """/dev/stdout and its like."""
    box = new_box("pause")
    target, link = os.path.join(box.dir, "target"), os.path.join(box.dir, "link")
    box.beside("target", "123456789 and a rest")
    os.symlink("target", link)
    box.create("--pid-file", link)
    assert os.readlink(link) == "target"
    with open(target, encoding="ascii") as file:
        assert file.read() == str(box.pid)


@pytest.mark.rows("CRT-06")
@pytest.mark.own
def test_a_pid_file_that_is_a_pipe(new_box):
    box = new_box("pause")
    path = fifo(box, "pid")
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    box.create("--pid-file", path)
    assert os.read(reader, 64) == str(box.pid).encode()
    os.close(reader)


@pytest.mark.rows("CRT-06", "CRT-08")
@pytest.mark.own
def test_a_pid_file_that_nobody_reads(new_box, fails):
    box = new_box("pause")
    path = fifo(box, "pid")
    fails(box.create("--pid-file", path, code=None), "cannot write the pid file", "needs a reader")
    assert stat.S_ISFIFO(os.lstat(path).st_mode)
    assert box.rt.call("state", box.id).code == 1


@pytest.mark.rows("CRT-27")
@pytest.mark.own
def test_undoing_removes_the_pid_file_that_rt_made_and_no_other(new_box):
    """A hook that replaces it has made another one."""
    box = new_box("pause")
    own, path = box.beside("own", "1"), os.path.join(box.dir, "pid")
    box.config["hooks"] = {"poststart": [{"path": "/bin/sh", "args": [
        "sh", "-c", "[ -s pid ] && if [ -e own ]; then mv own pid; fi; exit 3"]}]}
    assert box.run("-d", "--pid-file", path, code=None).code == 1
    with open(path, encoding="ascii") as file:
        assert file.read() == "1"
    os.unlink(path)
    assert not os.path.exists(own)
    assert box.run("-d", "--pid-file", path, code=None).code == 1
    assert not os.path.exists(path)
    host.reap_all()


@pytest.mark.rows("LCY-12")
@pytest.mark.own
def test_limits_that_nobody_writes(new_box, fails):
    box = new_box("pause")
    box.create()
    reader, writer = os.pipe()
    with subprocess.Popen([box.rt.path, "--root", box.rt.root, *SOON, "update", "-r", "-", box.id],
                          stdin=reader, stderr=subprocess.PIPE, text=True) as process:
        _, err = process.communicate(timeout=host.PATIENCE)
        assert process.returncode == 1 and "waited 0.7 s for its writer" in err, err
    os.close(reader)
    os.close(writer)
