# SPDX-License-Identifier: Apache-2.0
"""checkpoint and restore with a real CRIU, which RT_TEST_CRIU names (tests/tools/criu.sh makes one).

The containers count signals: how far they are is in their memory alone, so whose next line is "count 3"
is the one that had said "count 2" before."""

import json
import os
import pty
import shutil
import signal
import socket

import pytest

import host
from bundle import label
from test_terminal import console, read_all  # noqa: F401 (a fixture)

CRIU = os.environ.get("RT_TEST_CRIU")

pytestmark = [pytest.mark.needs("criu", "root: CRIU"), pytest.mark.own]
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


@pytest.mark.rows("CKP-20", "CKP-35")
def test_hooks(counter):
    box = counter()
    path = box.beside("told", "")
    kinds = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")
    for kind in kinds:
        inside = {"path": "/bin/probe"} if kind == "startContainer" else {}
        box.hook(kind, f"hook {path}", **inside)
    box.bind(path, path)
    begin(box)
    before = len(box.hook_reports(path))
    first = box.pid
    checkpoint(box)
    (stopped,) = box.hook_reports(path)[before:]
    assert stopped[1]["status"] == "stopped"
    restore(box)
    made = box.hook_reports(path)[before + 1:]
    assert [state["status"] for _, state in made] == ["creating", "creating", "running"]
    assert {state["pid"] for _, state in made} == {box.pid} != {first}
    assert {report["namespaces"]["mnt"] for report, _ in made} == {os.stat("/proc/self/ns/mnt").st_ino}
    count(box, 1)


@pytest.mark.rows("CKP-35", "CKP-37")
@pytest.mark.parametrize("kind", ["createRuntime", "poststart"])
def test_a_hook_that_fails(counter, fails, kind):
    box = counter()
    begin(box)
    checkpoint(box)
    box.hook(kind, "exit 3")
    fails(restore(box, code=1), "exit status 3", at=f"/hooks/{kind}/0")


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


@pytest.mark.rows("CKP-26")
def test_masks(counter):
    box = counter()
    box.file("/etc/secret", "secret")
    box.file("/etc/hidden/secret", "secret")
    box.linux["maskedPaths"] += ["/etc/secret", "/etc/hidden", "/proc/version"]
    there_and_back(box)
    told = box.exec(ops=("read /etc/secret", "ls /etc/hidden", "read /proc/version", "create /proc/sys/x"))
    assert told.text("/etc/secret") == "" == told.text("/proc/version")
    assert told.line("ls", "/etc/hidden")["names"] == []


@pytest.mark.rows("CKP-29")
def test_many_processes(counter):
    box = counter("children 8")
    there_and_back(box)
    assert len(json.loads(box.rt.call("ps", "--format", "json", box.id).out)) == 9


@pytest.mark.rows("CKP-29")
def test_a_filter_comes_back(counter):
    box = counter()
    box.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW",
                            "syscalls": [{"names": ["getpriority"], "action": "SCMP_ACT_ERRNO", "errnoRet": 42}]}
    there_and_back(box)
    with open(f"/proc/{box.pid}/status", encoding="ascii") as file:
        words = dict(line.split(":", 1) for line in file)
    assert (words["Seccomp"].strip(), words["NoNewPrivs"].strip()) == ("2", "1")


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


@pytest.mark.rows("CKP-23")
def test_of_another_network_namespace_than_before(counter, new_box):
    others = [new_box("pause"), new_box("pause")]
    for other in others:
        other.up()
    box = counter()
    box.join("network", others[0].pid)
    begin(box)
    checkpoint(box)
    box.join("network", others[1].pid)
    restore(box)
    assert os.readlink(f"/proc/{box.pid}/ns/net") == os.readlink(f"/proc/{others[1].pid}/ns/net")


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


@pytest.mark.rows("CKP-34", "CKP-13")
@pytest.mark.needs("pids")
@pytest.mark.parametrize("flags", [[], ["--manage-cgroups-mode", "soft"], ["--manage-cgroups-mode", "ignore"]],
                         ids=label)
def test_cgroups(counter, flags):
    """In the document's cgroup, another than before, with its limits; shown as the root."""
    box = counter()
    begin(box)
    count(box, 1)
    checkpoint(box, *flags)
    box.cgroup += "-new"
    box.linux["cgroupsPath"] = f"/{box.cgroup}"
    box.linux["resources"]["pids"] = {"limit": 17}
    restore(box, *flags)
    count(box, 2)
    with open(f"/proc/{box.pid}/cgroup", encoding="ascii") as file:
        paths = {line.split(":", 2)[2].strip() for line in file}
    assert paths == {f"/{box.cgroup}"}
    assert box.cgroups.read(box.pid, "pids", "pids.max", "pids.max") == "17"
    shown = box.exec(ops=("read /proc/self/cgroup",)).text("/proc/self/cgroup")
    assert {line.split(":", 2)[2] for line in shown.splitlines()} == {"/"}


@pytest.mark.rows("CKP-34")
@pytest.mark.needs("devices")
def test_device_rules(counter):
    box = counter()
    there_and_back(box)
    told = box.exec(ops=("mknod /tmp/disk b 8 0", "open /tmp/disk r", "open /dev/null rw"))
    assert (told.errno("open", "/tmp/disk"), told.errno("open", "/dev/null")) == ("EPERM", None)


@pytest.mark.rows("CKP-36")
def test_the_id_is_taken(counter, fails):
    box = counter()
    begin(box)
    checkpoint(box, "--leave-running")
    told = box.rt.call("restore", "-d", "--image-path", box.images, "-b", box.dir, box.id)
    fails(told, "already exists")
    count(box, 1)


@pytest.mark.rows("CKP-37", "CKP-22")
def test_broken_images(counter, fails):
    box = counter()
    begin(box)
    checkpoint(box)
    core = next(name for name in os.listdir(box.images) if name.startswith("core-"))
    os.truncate(f"{box.images}/{core}", 10)
    told = fails(restore(box, code=1), "criu could not restore the container", f"see {box.images}/restore.log")
    assert core in told.err
    assert box.rt.call("state", box.id).code == 1
    assert box.cgroups.dirs(box.cgroup) == []


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


@pytest.mark.rows("CKP-37")
def test_no_images(counter, fails):
    box = counter()
    fails(restore(box, code=1), "--image-path", "no such file or directory")


@pytest.mark.rows("CKP-37")
def test_killed_in_the_middle(counter):
    """What a dead rt leaves, `delete --force` takes away."""
    box = counter()
    begin(box)
    checkpoint(box)
    box.config["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", "kill -9 $PPID"]}]}
    told = restore(box, code=137)
    assert told.code == 137
    box.exists = True
    box.delete("--force")


@pytest.mark.rows("CKP-29")
@pytest.mark.parametrize("change, at", [
    (lambda box: box.process["capabilities"].update(bounding=["CAP_KILL"], effective=[], permitted=[]),
     "/process/capabilities/bounding"),
    (lambda box: box.linux.update(seccomp={"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["getpriority"], "action": "SCMP_ACT_ERRNO"}]}), "/linux/seccomp"),
    (lambda box: box.process.update(noNewPrivileges=True), "/process/noNewPrivileges")],
    ids=["capabilities", "seccomp", "no_new_privs"])
def test_images_do_not_decide_about_rights(counter, fails, change, at):
    """CVE-2026-94603 and its kin: what the document does not allow does not run."""
    box = counter("children 2")
    box.process["noNewPrivileges"] = False
    begin(box)
    checkpoint(box)
    change(box)
    told = fails(restore(box, code=1), "a restored process", "not of a container with this document", at=at)
    assert box.rt.call("state", box.id).code == 1 and told


@pytest.mark.rows("CKP-29")
def test_images_do_not_decide_about_namespaces(counter, fails):
    box = counter()
    box.namespace("ipc", absent=True)
    begin(box)
    checkpoint(box)
    box.namespace("ipc")
    fails(restore(box, code=1), "is in the host's ipc namespace", at="/linux/namespaces")


@pytest.mark.rows("CKP-30")
def test_pid_file(counter):
    box = counter()
    begin(box)
    checkpoint(box)
    path = os.path.join(box.dir, "pid")
    restore(box, "--pid-file", path)
    with open(path, encoding="ascii") as file:
        assert file.read() == str(box.pid)


@pytest.mark.rows("CKP-27")
def test_output_goes_to_a_file(counter, rt):
    """What stood outside of the container's mounts is given anew."""
    box = counter()
    box.save()
    out = os.path.join(box.dir, "out")

    def call(*words):
        with open(out, "a", encoding="ascii") as file:
            told = rt.call(*words, "-b", box.dir, box.id, stdout=file, shell='exec "$@" 2>/dev/null')
        assert told.code == 0, told
        box.exists, box.pid = True, box.state()["pid"]

    def counted(words):
        with open(out, encoding="ascii") as file:
            return file.read().split("\n")[:-1] == words

    call("run", "--detach")
    host.until(lambda: counted(["up"]), "up")
    checkpoint(box)
    call("restore", "--detach", "--image-path", box.images)
    box.kill("USR1")
    host.until(lambda: counted(["up", "count 1"]), "count 1")


def counted(box, fd, number):
    """By its terminal."""
    box.kill("USR1")
    assert read_all(fd, b"\r\n") == f"count {number}\r\n"


@pytest.mark.rows("CKP-30")
def test_terminal(counter, console, fails):
    """Its outside comes over the socket once more, and in the foreground it is rt's."""
    box = counter()
    box.process["terminal"] = True
    box.create("--console-socket", console.path)
    fd, _ = console.receive()
    box.start()
    assert read_all(fd, b"\r\n") == "up\r\n"
    counted(box, fd, 1)
    checkpoint(box, "--leave-running")
    os.close(fd)
    box.delete("--force")
    fails(restore(box, code=1), "a detached container with a terminal needs --console-socket")
    restore(box, "--console-socket", console.path)
    fd, name = console.receive()
    assert name.startswith(b"/dev/pts/")
    counted(box, fd, 2)
    os.close(fd)
    box.delete("--force")

    pid, fd = pty.fork()
    if pid == 0:
        os.execv(box.rt.path, [box.rt.path, "--root", box.rt.root, "restore", "-b", box.dir, "--image-path",
                               box.images, box.id])
    host.until(lambda: box.rt.call("state", box.id).code == 0 and box.status() == "running", "running")
    counted(box, fd, 2)
    box.kill("KILL")
    assert host.reap(pid) == 137
    os.close(fd)


@pytest.mark.rows("CKP-30")
def test_a_terminal_that_the_document_does_not_have(counter, console, fails):
    box = counter()
    box.process["terminal"] = True
    box.create("--console-socket", console.path)
    fd, _ = console.receive()
    box.start()
    assert read_all(fd, b"\r\n") == "up\r\n"
    checkpoint(box)
    os.close(fd)
    box.process["terminal"] = False
    fails(restore(box, code=1), "the images have a terminal, and the document none")


@pytest.mark.rows("CKP-30")
def test_a_terminal_that_the_images_do_not_have(counter, console, fails):
    box = counter()
    begin(box)
    checkpoint(box)
    box.process["terminal"] = True
    fails(restore(box, "--console-socket", console.path, code=1), "the document has a terminal, and the images none")


@pytest.mark.rows("CKP-40", "CKP-30")
def test_foreground(counter, rt):
    box = counter()
    begin(box)
    checkpoint(box)
    read, write = os.pipe()
    argv = [rt.path, "--root", rt.root, "restore", "-b", box.dir, "--image-path", box.images, box.id]
    pid = os.posix_spawn(argv[0], argv, os.environ, file_actions=[(os.POSIX_SPAWN_DUP2, write, 1)])
    os.close(write)
    box.buffer, box.pipe = b"", read
    host.until(lambda: rt.call("state", box.id).code == 0 and box.status() == "running", "running")
    os.kill(pid, signal.SIGUSR1)        # it forwards
    assert box.line() == "count 1"
    box.kill("KILL")
    assert host.reap(pid) == 137
    assert rt.call("state", box.id).code == 1
