# SPDX-License-Identifier: Apache-2.0
"""restore with a real CRIU: what stands around the processes is as the document says."""

import os
import pty
import signal
import struct
import subprocess

import pytest

import criu_images
import host
from bundle import label
from counting import begin, checkpoint, count, counter, mounts, restore, there_and_back  # noqa: F401 (a fixture)
from test_terminal import console, read_all  # noqa: F401 (a fixture)

pytestmark = [pytest.mark.needs("criu", "root: CRIU"), pytest.mark.own]


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


@pytest.mark.rows("CKP-35", "CKP-16")
def test_a_network_that_a_hook_makes(counter):
    """Docker's way: the hook makes it again, so it is not in the images."""
    box = counter()
    box.config["hooks"] = {"createRuntime": [{"path": "/bin/sh", "args": ["sh", "-c", (
        "PATH=/usr/sbin:/usr/bin:/sbin:/bin nsenter -n -t $(sed 's/.*\"pid\": *\\([0-9]*\\).*/\\1/') "
        "ip link add rt0 type veth peer name rt1")]}]}
    there_and_back(box)
    links = subprocess.run(["nsenter", "-n", "-t", str(box.pid), "ip", "-o", "link"], check=True, text=True,
                           stdout=subprocess.PIPE).stdout.splitlines()
    assert [line.split()[1].rstrip(":").partition("@")[0] for line in links] == ["lo", "rt1", "rt0"]
    assert "LOWER_UP" in links[0]


@pytest.mark.rows("CKP-35", "CKP-37")
@pytest.mark.parametrize("kind", ["createRuntime", "poststart"])
def test_a_hook_that_fails(counter, fails, kind):
    box = counter()
    begin(box)
    checkpoint(box)
    box.hook(kind, "exit 3")
    fails(restore(box, code=1), "exit status 3", at=f"/hooks/{kind}/0")


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
def test_a_filter_comes_back(counter):
    box = counter()
    box.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW",
                            "syscalls": [{"names": ["getpriority"], "action": "SCMP_ACT_ERRNO", "errnoRet": 42}]}
    there_and_back(box)
    with open(f"/proc/{box.pid}/status", encoding="ascii") as file:
        words = dict(line.split(":", 1) for line in file)
    assert (words["Seccomp"].strip(), words["NoNewPrivs"].strip()) == ("2", "1")


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
@pytest.mark.parametrize("kind, words", [("core-", "of the images is not what CRIU writes"),
                                         ("mm-", "criu could not restore the container")], ids=["rt", "criu"])
def test_broken_images(counter, fails, kind, words):
    """Some are read by rt first, all others by CRIU."""
    box = counter()
    begin(box)
    checkpoint(box)
    name = next(name for name in os.listdir(box.images) if name.startswith(kind))
    os.truncate(f"{box.images}/{name}", 10)
    told = fails(restore(box, code=1), words, name)
    assert (f"see {box.images}/restore.log" in told.err) == (kind == "mm-")
    assert box.rt.call("state", box.id).code == 1
    assert box.cgroups.dirs(box.cgroup) == []


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


def allow_all(path):
    """In the place of each filter one instruction: return SECCOMP_RET_ALLOW."""
    allow = struct.pack("<HBBI", 6, 0, 0, 0x7FFF0000)
    criu_images.save(os.path.dirname(path), "seccomp", os.path.basename(path), [[[1, [[1, allow], [3, 0]]]]])


@pytest.mark.rows("CKP-29")
def test_a_filter_that_was_exchanged(counter, fails):
    """CRI-O CVE-2026-92574: its number is right, its text allows everything."""
    box = counter()
    box.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW",
                            "syscalls": [{"names": ["getpriority"], "action": "SCMP_ACT_ERRNO", "errnoRet": 42}]}
    begin(box)
    checkpoint(box)
    allow_all(f"{box.images}/seccomp.img")
    fails(restore(box, code=1), "has another filter for its system calls", at="/linux/seccomp")


@pytest.mark.rows("CKP-29", "CKP-26")
@pytest.mark.parametrize("caps, code", [([], 1), (["CAP_SYS_CHROOT"], 0)], ids=["may-not", "may"])
def test_a_root_that_the_process_could_not_have_chosen(counter, fails, caps, code):
    """By a chroot in the images it does not see what is masked, and neither would rt through /proc/PID/root. rt
    reads no fs-1.img: it looks at the outcome."""
    box = counter()
    box.process["cwd"] = "/tmp"
    box.process["capabilities"] = {name: ["CAP_KILL", *caps] for name in ("bounding", "permitted", "effective")}
    begin(box)
    checkpoint(box)
    path = f"{box.images}/fs-1.img"
    with open(path, "rb") as file:
        data = file.read()
    head, entry = data[:12], bytearray(data[12:])
    assert (entry[0], entry[2]) == (0x08, 0x10) and entry[1] < 0x80     # cwd_id and root_id, of one byte
    entry[3] = entry[1]
    with open(path, "wb") as file:
        file.write(head + entry)
    told = restore(box, code=code)
    if code:
        fails(told, "a restored process has another root than the container")
    else:
        assert os.readlink(f"/proc/{box.pid}/root").endswith("/tmp")
        assert box.exec("--cwd", "/", ops=("stat /bin/probe",)).errno("stat", "/bin/probe") is None


@pytest.mark.rows("CKP-25")
@pytest.mark.parametrize("flags", [(), ("ro",)], ids=["writable", "read-only"])
def test_a_bind_in_a_bind_that_is_empty_by_now(counter, flags):
    """Its mount point is made again in the source of the outer one, unless the container may only read that."""
    box = counter()
    outer = box.beside("outer")
    os.makedirs(f"{outer}/for/nested")
    box.beside("inner")
    box.beside("inner/file", "inner")
    box.bind(outer, "/test", *flags)
    box.bind(box.dir + "/inner", "/test/for/nested")
    begin(box)
    checkpoint(box)
    os.removedirs(f"{outer}/for/nested")
    os.mkdir(outer)
    told = restore(box, code=1 if flags else 0)
    if flags:
        assert "/for/nested" in told.err and os.listdir(outer) == []
    else:
        assert box.exec(ops=("read /test/for/nested/file",)).text("/test/for/nested/file") == "inner"


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


@pytest.mark.rows("CKP-29", "CKP-26")
@pytest.mark.parametrize("kind, path, words", [
    ("maskedPaths", "/proc/version", "/proc/version of a restored container is not masked"),
    ("maskedPaths", "/etc", "/etc of a restored container is not masked"),
    ("readonlyPaths", "/etc", "/etc of a restored container can be written to"),
    ("maskedPaths", "/proc/no", None), ("readonlyPaths", "/proc/no", None)], ids=label)
def test_images_do_not_decide_about_paths(counter, fails, kind, path, words):
    """Mounts are in the images, and whose these are may have left some out."""
    box = counter()
    begin(box)
    checkpoint(box)
    box.linux[kind].append(path)
    told = restore(box, code=1 if words else 0)
    if words:
        fails(told, words, at=f"/linux/{kind}/{len(box.linux[kind]) - 1}")


@pytest.mark.rows("CKP-29")
@pytest.mark.parametrize("before", [False, True])
def test_a_read_only_root(counter, fails, before):
    box = counter()
    box.config["root"]["readonly"] = before
    begin(box)
    checkpoint(box)
    box.config["root"]["readonly"] = True
    told = restore(box, code=None)
    if before:
        assert told.code == 0, told
        assert box.exec(ops=("create /new",)).errno("create", "/new") == "EROFS"
    else:
        fails(told, "the mount at / of a restored container", "can be written to", at="/root/readonly")


@pytest.mark.rows("CKP-29")
def test_images_do_not_decide_about_namespaces(counter, fails):
    box = counter()
    box.namespace("ipc", absent=True)
    begin(box)
    checkpoint(box)
    box.namespace("ipc")
    fails(restore(box, code=1), "is in the host's ipc namespace", at="/linux/namespaces")


@pytest.mark.rows("CKP-31")
def test_what_engines_give_beside(counter):
    """CRIU changes the root, and what is detached leaves its children to whoever reaps."""
    box = counter()
    begin(box)
    count(box, 1)
    checkpoint(box)
    restore(box, "--no-pivot", "-no-subreaper")
    count(box, 2)


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


def started_on_terminal(counter, console):
    """The container, and the outside of its terminal."""
    box = counter()
    box.process["terminal"] = True
    box.create("--console-socket", console.path)
    fd, _ = console.receive()
    box.start()
    assert read_all(fd, b"\r\n") == "up\r\n"
    return box, fd


@pytest.mark.rows("CKP-30")
def test_terminal(counter, console, fails):
    """Its outside comes over the socket once more, and in the foreground it is rt's."""
    box, fd = started_on_terminal(counter, console)
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
    box, fd = started_on_terminal(counter, console)
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
