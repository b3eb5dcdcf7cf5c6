# SPDX-License-Identifier: Apache-2.0
"""Where mounts go by what an image has put there, and what rt changes below them: nothing of the host's.

A directory beside the bundle stands for the host's /dev or for a folder that is shown read-only.
Positive controls: RT=/usr/sbin/runc without RT_PEER. Version 1.1.5 changes the host's /dev where it is
bound at "dev", through a link, or was mounted below the root; crun 1.8.1 changes a node's owner.
"""

import os
import stat

import pytest

import host
from test_paths import tree_of
from test_terminal import ConsoleSocket

OWN = pytest.mark.own
makes_nodes = pytest.mark.needs("root: makes device nodes")


@pytest.fixture
def hosts_dev(new_box):
    """A container without a /dev of its own, and a directory with what the host's /dev has."""
    box = new_box("ls /dev")
    dev = box.beside("hostdev")
    for name, major, minor, owner in (("null", 1, 3, 7), ("ptmx", 5, 2, 0)):
        os.mknod(f"{dev}/{name}", stat.S_IFCHR | 0o666, os.makedev(major, minor))
        os.chown(f"{dev}/{name}", owner, owner)
    os.mkdir(dev + "/pts")
    box.config["mounts"] = [box.config["mounts"][0]]
    box.linux["devices"] = [
        {"type": "c", "path": path, "major": 1, "minor": 3, "uid": 9, "gid": 9}
        for path in ("/dev/null", "/dev/new", "/dev/deep/new", "/dev/./dot", "/etc/../dev/dots")]
    before = tree_of(dev)
    yield box, dev
    assert tree_of(dev) == before


def seen_names(told):
    """The container sees in /dev what the host has there, no more."""
    if told.code == 0:
        assert sorted(told.line("ls", "/dev")["names"]) == ["null", "ptmx", "pts"]


@pytest.mark.rows("DEV-06", "HDN-08")
@makes_nodes
@pytest.mark.parametrize("spelling", ["/dev", "/dev/", "/dev/.", "//dev", "dev", "/etc/../dev"])
def test_dev_of_the_host_by_any_name(hosts_dev, spelling):
    """Its ptmx is the host's terminal multiplexer, its links and owners are the host's."""
    box, dev = hosts_dev
    box.bind(dev, spelling, "rbind")
    seen_names(box.run(code=None))


@pytest.mark.rows("DEV-06", "HDN-08", "DEV-18")
@makes_nodes
@pytest.mark.parametrize("link, target, destination", [
    ("/host", "/", "/host/dev"), ("/host", "dev", "/host"), ("/host", "/etc/../dev", "/host")])
def test_dev_of_the_host_through_a_link(hosts_dev, link, target, destination):
    """CVE-2026-41579 is related: monitoring agents ask for the host's /dev at /host/dev, and the image
    says where that is."""
    box, dev = hosts_dev
    os.symlink(target, box.path(link))
    box.bind(dev, destination, "rbind")
    seen_names(box.run(code=None))


@pytest.mark.rows("DEV-06", "DEV-14")
@makes_nodes
@OWN
def test_nodes_by_a_link_into_dev_of_the_host(hosts_dev):
    box, dev = hosts_dev
    os.symlink("dev", box.path("/host"))
    box.bind(dev, "/dev", "rbind")
    for entry in box.linux["devices"]:
        entry["path"] = entry["path"].replace("/dev", "/host").replace("deep", "pts")
    seen_names(box.run(code=None))


@pytest.mark.rows("DEV-06")
@pytest.mark.needs("root: mounts on the host")
@OWN
def test_dev_of_the_host_was_mounted_below_the_root(hosts_dev):
    """As for a chroot: mount --bind /dev ROOT/dev."""
    box, dev = hosts_dev
    host.mount(dev, box.path("/dev"), flags=host.MS_BIND)
    try:
        seen_names(box.run(code=None))
    finally:
        host.umount(box.path("/dev"))


@pytest.mark.rows("DEV-06", "TTY-05", "HDN-07")
@makes_nodes
@OWN
@pytest.mark.parametrize("what", ["missing", "link", "file"])
def test_no_console_is_made_in_dev_of_the_host(hosts_dev, work, fails, what):
    """It would stay there when the container is gone; a link would be taken away for all."""
    box, dev = hosts_dev
    if what == "link":
        os.symlink("null", f"{dev}/console")
    elif what == "file":
        os.mknod(f"{dev}/console", stat.S_IFREG | 0o600)
    before = tree_of(dev)
    box.bind(dev, "/dev", "bind")
    box.mount("/dev/pts", "devpts", "devpts", ["newinstance", "ptmxmode=0666"])
    box.process["terminal"] = True
    box.ops("stat /dev/console")
    server = ConsoleSocket(os.path.join(work, "console"))
    told = box.create("--console-socket", server.path, code=None)
    if what == "file":
        assert told.code == 0, told
        os.close(server.receive()[0])
        box.delete("-f")
    else:
        fails(told, "`/dev/console`", "the host's /dev", at="/process/terminal")
    server.close()
    assert tree_of(dev) == before
    for name in {"missing": [], "link": ["console"], "file": ["console"]}[what]:
        os.unlink(f"{dev}/{name}")


@pytest.mark.rows("DEV-14", "DEV-13")
@makes_nodes
@OWN
def test_node_that_is_in_a_folder_of_the_host(new_box):
    """It is what was asked for, and its owner is the host's matter."""
    box = new_box("stat /data/null")
    folder = box.beside("folder")
    os.mknod(folder + "/null", stat.S_IFCHR | 0o640, os.makedev(1, 3))
    os.chown(folder + "/null", 7, 7)
    before = tree_of(folder)
    box.bind(folder, "/data", "rbind")
    box.linux["devices"] = [{"type": "c", "path": "/data/null", "major": 1, "minor": 3, "uid": 9}]
    assert box.run().line("stat", "/data/null")["uid"] == 7
    assert tree_of(folder) == before


@pytest.mark.rows("MNT-31", "MNT-04", "PRC-10")
@pytest.mark.parametrize("readonly", [["ro"], pytest.param(["rro"], marks=pytest.mark.needs("mount-setattr"))],
                         ids=["ro", "rro"])
@pytest.mark.parametrize("what", ["directory", "file", "cwd",
                                  pytest.param("node", marks=makes_nodes), "link"])
@OWN
def test_nothing_is_made_in_a_read_only_folder(new_box, fails, readonly, what):
    """moby#39587: the mount points that are missing, and an image's WORKDIR."""
    box = new_box("report")
    folder = box.beside("folder")
    at = "/process/cwd"
    box.mount("/data", "bind", folder, ["rbind"] + readonly)
    if what == "directory":
        at = box.mount("/data/a/b")
    elif what == "file":
        at = box.bind(box.beside("source", "x"), "/data/a/file")
    elif what == "cwd":
        box.process["cwd"] = "/data/made/by/image"
    elif what == "node":
        at = "/linux/devices/0"
        box.linux["devices"] = [{"type": "c", "path": "/data/node", "major": 1, "minor": 3}]
    else:
        os.symlink("/data", box.path("/link"))
        at = box.mount("/link/a")
    fails(box.create(code=None), "read-only file system", at=at)
    assert os.listdir(folder) == []


@pytest.mark.rows("MNT-06", "MNT-69", "HDN-05")
@pytest.mark.parametrize("target", ["/proc/self/attr", "/proc/self/fd", "/proc/sys/kernel", "/proc"])
def test_mount_on_procfs_through_a_link(new_box, fails, target):
    """CVE-2019-16884, CVE-2025-52881: rt, and the process, would be told what the volume says."""
    box = new_box("report")
    os.symlink(target, box.path("/vol"))
    at = box.bind(box.beside("volume"), "/vol", "rbind")
    fails(box.create(code=None), "/proc", at=at)


@pytest.mark.rows("MNT-06")
@OWN
def test_files_of_procfs_through_a_link(new_box, fails):
    """The same few as by their own names."""
    box = new_box("read /proc/meminfo")
    os.symlink("/proc/meminfo", box.path("/info"))
    os.symlink("/proc/version", box.path("/version"))
    box.bind(box.beside("fake", "fake"), "/info")
    assert box.run().text("/proc/meminfo") == "fake"
    at = box.bind(box.dir + "/fake", "/version")
    fails(box.create(code=None), "inside /proc", at=at)


@pytest.mark.rows("MNT-05")
@pytest.mark.parametrize("kind", ["bind", "tmpfs"])
@pytest.mark.parametrize("target", ["/", "..", "/etc/.."])
def test_mount_on_the_root_through_a_link(new_box, fails, kind, target):
    """It would lie unseen below the container."""
    box = new_box("report")
    os.symlink(target, box.path("/vol"))
    at = box.mount("/vol") if kind == "tmpfs" else box.bind(box.beside("volume"), "/vol")
    fails(box.create(code=None), "/vol", at=at, own=("the root itself",))
