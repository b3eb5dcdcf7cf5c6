# SPDX-License-Identifier: Apache-2.0
"""Containers without a mount namespace of their own: in the host's, or in one that is joined. What
rt mounted there would outlive them, so it mounts nothing; new_box looks for what is left."""

import os

import pytest

import host

UNSHARED = ["readonlyPaths", "maskedPaths"]


def share(box, pid=None):
    """Takes away all that needs a mount namespace; joins that of the process."""
    if pid:
        box.join("mount", pid)
    else:
        box.namespace("mount", absent=True)
    box.config["mounts"] = []
    for each in UNSHARED:
        del box.linux[each]
    return box


def mine(kind):
    return os.stat(f"/proc/self/ns/{kind}").st_ino


@pytest.fixture
def with_proc(new_box):
    """A container whose root directory has a /proc that the host has put there."""
    box = share(new_box("report", "ls /", "ls /dev"))
    host.mount("proc", box.path("/proc"), "proc")
    yield box
    host.umount(box.path("/proc"))


@pytest.mark.rows("NSP-18", "NSP-02")
@pytest.mark.needs("root: mounts on the host")
def test_the_hosts(with_proc):
    """The directory as it is: chroot, nothing mounted, no node made."""
    before = host.mountinfo()
    told = with_proc.run()
    assert told.report["namespaces"]["mnt"] == mine("mnt")
    assert told.report["namespaces"]["ipc"] != mine("ipc")
    assert set(told.line("ls", "/")["names"]) == set(os.listdir(with_proc.rootfs))
    assert told.line("ls", "/dev")["names"] == []
    assert host.mountinfo() == before


@pytest.mark.rows("NSP-18", "EXE-28")
@pytest.mark.parametrize("userns", [False, True], ids=["plain", "userns"])
def test_exec_is_in_the_same_root(new_box, userns):
    """The host's root would be the root of its mount namespace."""
    box = share(new_box("pause"))
    box.file("/etc/inside", "yes")
    if userns:
        box.userns()
    box.up()
    told = box.exec(ops=("read /etc/inside", "ls /", "chdir /../../.."))
    assert told.text("/etc/inside") == "yes"
    assert set(told.line("ls", "/")["names"]) == set(os.listdir(box.rootfs))


def what_rt_makes(dev):
    """The nodes, links and directories of a container's /dev, as they are here; of others the host may have more
    at any time."""
    names = "null zero full random urandom tty console ptmx fd stdin stdout stderr core pts shm mqueue".split()
    found = {name: os.lstat(f"{dev}/{name}") for name in names if os.path.lexists(f"{dev}/{name}")}
    return {name: (status.st_ino, status.st_mode, status.st_rdev) for name, status in found.items()}


@pytest.mark.rows("NSP-18", "RFS-15")
def test_the_hosts_root(new_box):
    """A process of the host in a cgroup, with the limits and the rights of the document."""
    box = share(new_box())
    box.config["root"] = {"path": "/"}
    box.process["args"] = [box.path("/bin/probe"), "report", ";", "stat", box.rootfs]
    before = what_rt_makes("/dev")
    told = box.run()
    assert told.report["namespaces"]["mnt"] == mine("mnt")
    assert told.report["status"]["NoNewPrivs"] == "1"
    assert "errno" not in told.line("stat", box.rootfs)
    assert what_rt_makes("/dev") == before


@pytest.mark.rows("RFS-15")
@pytest.mark.needs("open-tree")
def test_the_hosts_root_with_mounts(new_box):
    """With a mount namespace: the host's files, and what the document lays over them."""
    box = new_box()
    box.config["root"] = {"path": "/"}
    box.config["mounts"] = [each for each in box.config["mounts"]
                            if each["destination"] in ("/proc", "/dev", "/dev/pts")]
    box.mount("/media", "tmpfs", "tmpfs", ["size=64k"])
    box.process["args"] = [box.path("/bin/probe"), "report", ";", "stat", box.rootfs, ";",
                           "create", "/media/x", ";", "ls", "/media", ";", "ls", "/proc/1"]
    told = box.run()
    assert told.report["pid"] == 1
    assert told.line("ls", "/media")["names"] == ["x"]
    assert not os.path.exists("/media/x")


@pytest.mark.rows("HKS-30", "NSP-18")
def test_hooks_run_once(new_box):
    box = share(new_box("echo x"))
    files = {}
    for kind in ("prestart", "createRuntime", "createContainer", "poststart", "poststop"):
        files[kind] = os.path.join(box.dir, kind)
        box.hook(kind, f"hook {files[kind]}")
    box.create()
    box.start()
    box.finish()
    for kind, file in files.items():
        assert len(box.hook_reports(file)) == 1, kind


@pytest.mark.rows("NSP-18", "NSP-19")
@pytest.mark.own
@pytest.mark.parametrize("change, at", [
    (lambda box: box.mount("/tmp"), "/mounts"),
    (lambda box: box.config["root"].update(readonly=True), "/root/readonly"),
    (lambda box: box.linux.update(rootfsPropagation="rslave"), "/linux/rootfsPropagation"),
    (lambda box: box.linux.update(maskedPaths=["/tmp"]), "/linux/maskedPaths"),
    (lambda box: box.linux.update(readonlyPaths=["/tmp"]), "/linux/readonlyPaths"),
    (lambda box: box.linux.update(devices=[{"type": "p", "path": "/tmp/f"}]), "/linux/devices"),
], ids=["mounts", "readonly", "propagation", "masked", "readonlyPaths", "devices"])
@pytest.mark.parametrize("joined", [False, True], ids=["the hosts", "joined"])
def test_what_needs_its_own(new_box, fails, change, at, joined):
    box = share(new_box("report"), os.getpid() if joined else None)
    change(box)
    fails(box.create(code=None), "needs a mount namespace",
          *(["the one that is joined"] if joined else []), at=at)


@pytest.mark.rows("NSP-18")
@pytest.mark.own
def test_terminal_needs_a_devpts(new_box, fails):
    """It is there or it is not: none is mounted."""
    box = share(new_box("report"))
    box.process["terminal"] = True
    fails(box.run(code=None), "devpts", at="/process/terminal")


@pytest.fixture
def neighbour(new_box):
    """A container whose mount namespace is there to be joined."""
    box = new_box("pause")
    box.file("/etc/whose", "the neighbour's")
    box.up()
    return box


@pytest.mark.rows("NSP-19", "NSP-05")
@pytest.mark.own
def test_joined(new_box, neighbour):
    box = share(new_box("read /etc/whose", "pause"), neighbour.pid)
    box.config["root"] = {"path": "/"}
    told = box.up()
    for pid in (neighbour.pid, box.pid):
        assert os.stat(f"/proc/{pid}/ns/mnt").st_ino != mine("mnt")
    assert os.path.samefile(f"/proc/{neighbour.pid}/ns/mnt", f"/proc/{box.pid}/ns/mnt")
    assert told.text("/etc/whose") == "the neighbour's"
    assert box.exec(ops=("read /etc/whose",)).text("/etc/whose") == "the neighbour's"


@pytest.mark.rows("NSP-19")
@pytest.mark.own
def test_joined_root_is_looked_up_there(new_box, neighbour, fails):
    """Never the host's directory: with that, the host would be in reach."""
    os.makedirs(neighbour.path("/other/bin"))
    os.link(neighbour.path("/bin/probe"), neighbour.path("/other/bin/probe"))
    box = share(new_box("ls /"), neighbour.pid)
    box.config["root"] = {"path": "/other"}
    assert box.run().line("ls", "/")["names"] == ["bin"]
    box.config["root"] = {"path": box.rootfs}
    fails(box.create(code=None), box.rootfs, "the mount namespace that is joined", at="/root/path")


@pytest.mark.rows("NSP-19", "HKS-30")
@pytest.mark.own
def test_joined_and_hooks(new_box, neighbour, fails):
    box = share(new_box("echo x"), neighbour.pid)
    box.config["root"] = {"path": "/"}
    told = os.path.join(box.dir, "told")
    box.hook("createRuntime", f"hook {told}")
    box.run()
    assert len(box.hook_reports(told)) == 1
    box.hook("createContainer", f"hook {told}")
    fails(box.create(code=None), "mount namespace is joined", at="/hooks/createContainer")


@pytest.mark.rows("RFS-03")
@pytest.mark.parametrize("word", ["private", "rprivate", "unbindable"])
def test_private_without_pivot(new_box, fails, word):
    box = new_box("report")
    box.linux["rootfsPropagation"] = word
    told = box.create("--no-pivot", code=None)
    fails(told, at="/linux/rootfsPropagation", own=("not safe with --no-pivot",))


@pytest.mark.rows("RFS-03")
@pytest.mark.own
def test_slave_without_pivot(new_box):
    box = new_box("report")
    box.linux["rootfsPropagation"] = "rslave"
    assert box.run("--no-pivot").report["pid"] == 1
