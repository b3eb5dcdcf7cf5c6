# SPDX-License-Identifier: Apache-2.0
"""checkpoint with a real CRIU, and that what it has written comes back."""

import json
import os
import shutil
import signal
import socket

import pytest

import host
from bundle import label
from counting import begin, checkpoint, count, counter, mounts, restore, there_and_back  # noqa: F401 (a fixture)

pytestmark = [pytest.mark.needs("criu", "root: CRIU"), pytest.mark.own]


@pytest.mark.rows("CKP-01", "CKP-02", "CKP-27", "CKP-29", "CKP-38")
def test_there_and_back(counter):
    box = counter()
    begin(box)
    count(box, 1)
    count(box, 2)
    before = mounts(box)
    checkpoint(box)
    assert box.rt.call("state", box.id).code == 1
    assert box.cgroups.dirs(box.cgroup) == []
    assert os.stat(box.images).st_mode & 0o777 == 0o700
    with open(f"{box.images}/descriptors.json", encoding="ascii") as file:
        streams = json.load(file)
    assert streams[0] == "/dev/null" and streams[1].startswith("pipe:[")

    restore(box)
    assert box.status() == "running"
    assert mounts(box) == before
    count(box, 3)
    told = box.exec().report["namespaces"]
    kinds = os.listdir(f"/proc/{box.pid}/ns")
    assert all(told[kind] == os.stat(f"/proc/{box.pid}/ns/{kind}").st_ino for kind in kinds if kind in told)
    assert set(kinds) >= set(told) - {""}
    box.kill("KILL")
    assert box.wait() == 137
    box.delete()


@pytest.mark.rows("CKP-04")
def test_leave_running(counter):
    box = counter()
    begin(box)
    count(box, 1)
    checkpoint(box, "--leave-running")
    assert box.status() == "running"
    count(box, 2)
    box.delete("--force")
    restore(box)
    count(box, 2)       # what came after the checkpoint is not in it


@pytest.mark.rows("CKP-03")
def test_work_path(counter):
    box = counter()
    begin(box)
    work = os.path.join(box.dir, "work")
    checkpoint(box, "--work-path", work)
    assert "dump.log" in os.listdir(work) and "dump.log" not in os.listdir(box.images)
    restore(box, "--work-path", work)
    assert "restore.log" in os.listdir(work) and "restore.log" not in os.listdir(box.images)
    count(box, 1)


@pytest.mark.rows("CKP-11", "CKP-12")
@pytest.mark.needs("soft-dirty")
def test_pre_dump(counter):
    box = counter("memory 16")
    begin(box)
    first = os.path.join(box.dir, "first")
    checkpoint(box, "--pre-dump", images=first)
    assert box.status() == "running"
    count(box, 1)
    checkpoint(box, "--parent-path", "../first")
    assert os.path.realpath(f"{box.images}/parent") == first
    restore(box)
    count(box, 2)


@pytest.mark.rows("CKP-11")
@pytest.mark.needs("soft-dirty")
def test_a_pre_dump_alone_is_no_checkpoint(counter, fails):
    box = counter()
    begin(box)
    checkpoint(box, "--pre-dump")
    box.delete("--force")
    fails(restore(box, code=1), "criu could not restore")


@pytest.mark.rows("CKP-11", "CKP-22")
@pytest.mark.needs("no-soft-dirty")
def test_a_kernel_that_does_not_say_what_has_changed(counter, fails):
    box = counter()
    begin(box)
    fails(checkpoint(box, "--pre-dump", code=1), "Tracking memory is not available", f"see {box.images}/dump.log")
    count(box, 1)


@pytest.mark.rows("CKP-12", "CKP-18")
@pytest.mark.parametrize("parent, words", [("/first", "is not relative"), ("../first", "no such file or directory"),
                                           ("../file", "not a directory")], ids=label)
def test_parent_path_is_looked_for_first(counter, fails, parent, words):
    box = counter()
    begin(box)
    box.beside("file", "")
    fails(checkpoint(box, "--parent-path", parent, code=1), f"--parent-path {parent}", words)
    count(box, 1)


@pytest.mark.rows("CKP-18")
def test_only_what_runs(counter, fails):
    box = counter()
    fails(checkpoint(box, code=1), "does not exist")
    box.create()
    fails(checkpoint(box, code=1), "container not running", f"{box.id} is created", "rt start")
    box.start()
    box.kill("KILL")
    host.wait_dead(box.pid)
    fails(checkpoint(box, code=1), "container not running", f"{box.id} is stopped")
    assert not os.path.exists(box.images)


@pytest.mark.rows("CKP-18")
@pytest.mark.needs("freezer")
def test_paused(counter):
    """Paused it comes back running: nobody would know how to resume it."""
    box = counter()
    begin(box)
    assert box.rt.call("pause", box.id).code == 0
    checkpoint(box)
    restore(box)
    assert box.status() == "running"
    count(box, 1)


@pytest.mark.rows("CKP-25", "CKP-26")
def test_binds(counter):
    """Files, directories, one in another, through a link; and a new copy of the bundle whose sources
    are elsewhere and whose root file system is a fresh one."""
    box = counter()
    for name in ("a", "b"):
        box.beside(name)
        box.beside(f"{name}/file", name)
        box.beside(f"{name}-single", f"single {name}")
        box.beside(f"{name}-inner")
        box.beside(f"{name}-inner/deep", f"deep {name}")
    os.symlink("/target", box.path("/link"))

    def bind(name):
        box.bind(box.dir + f"/{name}", "/data")
        box.bind(box.dir + f"/{name}-inner", "/data/inner")
        box.bind(box.dir + f"/{name}-single", "/etc/single", "ro")
        box.bind(box.dir + f"/{name}", "/link/below", "ro")
    mounted = len(box.config["mounts"])
    bind("a")
    begin(box)
    before = mounts(box)
    checkpoint(box)

    fresh = box.path("") + "-fresh"
    os.makedirs(f"{fresh}/bin")
    shutil.copy(box.probe, f"{fresh}/bin/probe")
    os.symlink("/target", f"{fresh}/link")
    box.config["root"]["path"] = fresh
    del box.config["mounts"][mounted:]
    os.mkdir(box.dir + "/b/inner")
    bind("b")
    restore(box)
    assert [mount[1:] for mount in mounts(box)] == [mount[1:] for mount in before]
    told = box.exec(ops=("read /data/file", "read /data/inner/deep", "read /etc/single", "read /target/below/file",
                         "create /etc/single", "create /data/new"))
    assert [told.text(each) for each in ("/data/file", "/data/inner/deep", "/etc/single", "/target/below/file")] == \
        ["b", "deep b", "single b", "b"]
    assert os.path.exists(box.dir + "/b/new")
    count(box, 1)


@pytest.mark.rows("CKP-25")
def test_mounts_below_a_recursive_bind(counter):
    box = counter()
    source = box.beside("source")
    box.beside("source/sub")
    host.mount("tmpfs", f"{source}/sub", "tmpfs")
    try:
        box.beside("source/sub/file", "of the host")
        box.mount("/data", "bind", source, ["rbind"])
        there_and_back(box)
        assert box.exec(ops=("read /data/sub/file",)).text("/data/sub/file") == "of the host"
        box.delete("--force")
    finally:
        host.umount(f"{source}/sub")


@pytest.mark.rows("CKP-25")
@pytest.mark.parametrize("word", ["rslave", "rshared", "rprivate"])
def test_propagation(counter, word):
    """A volume keeps hearing of the host's mounts, if it did."""
    box = counter()
    source = box.beside("source")
    host.mount("tmpfs", source, "tmpfs")
    try:
        box.mount("/data", "bind", source, ["rbind", word])
        there_and_back(box)
        os.mkdir(f"{source}/late")
        host.mount("tmpfs", f"{source}/late", "tmpfs")
        with open(f"/proc/{box.pid}/mountinfo", encoding="ascii") as file:
            heard = any(line.split()[4] == "/data/late" for line in file)
        host.umount(f"{source}/late")
        assert heard == (word != "rprivate")
        box.delete("--force")
    finally:
        host.umount(source)


@pytest.mark.rows("CKP-29")
def test_many_processes(counter):
    box = counter("children 8")
    there_and_back(box)
    assert len(json.loads(box.rt.call("ps", "--format", "json", box.id).out)) == 9


@pytest.mark.rows("CKP-29")
def test_user_namespace(counter):
    box = counter()
    box.userns()
    begin(box)
    before = mounts(box)
    count(box, 1)
    checkpoint(box)
    restore(box)
    count(box, 2)
    assert mounts(box) == before
    with open(f"/proc/{box.pid}/uid_map", encoding="ascii") as file:
        assert file.read().split() == ["0", "100000", "65536"]
    assert box.exec(ops=("tty",)).line("tty")["isatty"] == 0
    assert os.stat(box.images).st_mode & 0o777 == 0o700


@pytest.mark.rows("CKP-23")
def test_network_namespace_of_somebody_else(counter, new_box):
    other = new_box("pause")
    other.up()
    box = counter()
    box.join("network", other.pid)
    there_and_back(box)
    assert os.readlink(f"/proc/{box.pid}/ns/net") == os.readlink(f"/proc/{other.pid}/ns/net")


@pytest.mark.rows("CKP-24")
@pytest.mark.parametrize("kind", ["ipc", "uts"])
def test_other_namespaces_of_somebody_else(counter, new_box, kind):
    other = new_box("pause")
    other.up()
    box = counter()
    if kind == "uts":
        del box.config["hostname"]
    box.join(kind, other.pid)
    there_and_back(box)
    assert os.readlink(f"/proc/{box.pid}/ns/{kind}") == os.readlink(f"/proc/{other.pid}/ns/{kind}")


@pytest.mark.rows("CKP-24")
def test_namespaces_that_cannot_come_back(counter, new_box, fails):
    other = new_box("pause")
    other.up()
    box = counter()
    box.join("cgroup", other.pid)
    begin(box)
    fails(checkpoint(box, code=1), "CRIU cannot restore a container in the cgroup namespace of somebody else",
          at="/linux/namespaces/5/path")
    count(box, 1)


@pytest.mark.rows("CKP-22")
def test_what_criu_cannot_dump(counter, fails):
    """Its own reason, not only that it failed; and the container runs on."""
    box = counter()
    here, there = socket.socketpair()
    with here, there:
        box.create(stdin=there, shell='exec "$@" 2>/dev/null')
        box.start()
        box.lines_until("up")
    told = fails(checkpoint(box, code=1), "criu could not dump the container: ", f"see {box.images}/dump.log")
    assert "unix" in told.err
    count(box, 1)


@pytest.mark.rows("CKP-18")
def test_a_process_of_exec(counter, fails):
    """It would be gone without a word: CRIU writes what descends from init."""
    box = counter()
    begin(box)
    path = os.path.join(box.dir, "exec-pid")
    assert box.rt.call("exec", "-d", "--pid-file", path, box.id, "/bin/probe", "pause").code == 0
    with open(path, encoding="ascii") as file:
        pid = int(file.read())
    fails(checkpoint(box, code=1), f"its process {pid} does not descend from its init", "rt exec")
    checkpoint(box, "--leave-running")
    os.kill(pid, signal.SIGKILL)
    host.wait_dead(pid)         # not reaped yet, but nobody any more
    count(box, 1)
    assert host.reap(pid) == 137
    checkpoint(box)
    restore(box)
    count(box, 2)
