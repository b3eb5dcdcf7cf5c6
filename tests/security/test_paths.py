# SPDX-License-Identifier: Apache-2.0
"""What an image or a bundle puts in the way of paths: rt must not touch the host through it.

`canary` is a directory beside the bundle that stands for the host. Each flaw is named where it was
known. Positive controls: RT=/usr/sbin/runc without RT_PEER. Version 1.1.5 fails the tests of
CVE-2025-31133, CVE-2026-41579, CVE-2026-88265, CVE-2025-23266 and of --preserve-fds.
"""

import hashlib
import os
import stat

import pytest

import host
from test_terminal import ConsoleSocket

OWN = pytest.mark.own
makes_nodes = pytest.mark.needs("root: makes device nodes")


def tree_of(directory):
    """Everything that can be seen of a tree: names, kinds, modes, owners, contents."""
    seen = []
    for path, names, files in os.walk(directory):
        for name in sorted(names + files):
            each = os.path.join(path, name)
            status = os.lstat(each)
            entry = [each, stat.S_IFMT(status.st_mode), stat.S_IMODE(status.st_mode), status.st_uid,
                     status.st_gid, status.st_rdev]
            if stat.S_ISREG(status.st_mode):
                with open(each, "rb") as file:
                    entry.append(hashlib.sha256(file.read()).hexdigest())
            elif stat.S_ISLNK(status.st_mode):
                entry.append(os.readlink(each))
            seen.append(entry)
    status = os.lstat(directory)
    return seen + [[stat.S_IMODE(status.st_mode), status.st_uid]]


@pytest.fixture
def canary(work):
    """A part of the host; after the test it must be as it was."""
    directory = os.path.join(work, "outside")
    os.makedirs(directory + "/sub")
    for name in ("file", "ptmx", "sub/file"):
        with open(f"{directory}/{name}", "w", encoding="ascii") as file:
            file.write("of the host")
    before = tree_of(directory)
    yield directory
    assert tree_of(directory) == before


def replace(box, inside, target):
    path = box.path(inside)
    if os.path.isdir(path) and not os.path.islink(path):
        os.rmdir(path)
    os.symlink(target, path)


def only_proc(box):
    box.config["mounts"] = [box.config["mounts"][0]]


@pytest.mark.rows("MNT-03", "HDN-04", "RFS-14")
@pytest.mark.parametrize("shape", ["parent", "last", "relative", "chain", "dotdot", "dangling"])
def test_destination_links(new_box, canary, shape):
    """CVE-2015-3629, CVE-2019-18837: the link leads outside, the mount stays inside."""
    box = new_box("report")
    links = {"parent": ("/mnt", canary, "/mnt/sub"), "last": ("/mnt", canary + "/file", "/mnt"),
             "relative": ("/mnt", "../" * 12 + canary.lstrip("/"), "/mnt/sub"),
             "chain": ("/mnt", "/one", "/mnt/sub"), "dotdot": ("/mnt", "..", "/mnt/../../x"),
             "dangling": ("/mnt", canary + "/absent/deep", "/mnt/x")}
    name, target, destination = links[shape]
    os.symlink(target, box.path(name))
    os.symlink(canary, box.path("/one"))
    if shape == "last":
        box.bind(box.beside("source", "x"), destination)
    else:
        box.mount(destination)
    assert box.run(code=None).code in (0, 1)


@pytest.mark.rows("MNT-03")
@OWN
def test_destination_loop(new_box, canary, fails):
    box = new_box("report")
    os.symlink("/b", box.path("/a"))
    os.symlink("/a", box.path("/b"))
    at = box.mount("/a/x")
    fails(box.create(code=None), "/a/x", "symbolic link", at=at)


@pytest.mark.rows("HDN-08", "DEV-18")
@OWN
@pytest.mark.parametrize("absolute", [True, False])
def test_dev_is_a_link(new_box, canary, absolute):
    """CVE-2026-41579, CVE-2026-47766: no mount on /dev, and the image's /dev leads outside. (runc
    1.1.5 removes outside/ptmx and makes five links there.)"""
    box = new_box("report")
    only_proc(box)
    replace(box, "/dev", canary if absolute else "../" * 12 + canary.lstrip("/"))
    assert box.run(code=None).code in (0, 1)


@pytest.mark.rows("HDN-08", "DEV-18", "DEV-09")
@OWN
@pytest.mark.parametrize("name", ["null", "ptmx", "fd", "stdin", "pts", "deep"])
def test_things_in_dev_are_links(new_box, canary, name):
    box = new_box("report")
    only_proc(box)
    os.symlink(canary + "/new", box.path(f"/dev/{name}"))
    box.linux["devices"] = [{"type": "c", "path": "/dev/deep/node", "major": 1, "minor": 3}]
    assert box.run(code=None).code in (0, 1)


@pytest.mark.rows("HDN-08", "PRC-16", "PRC-17")
@OWN
@pytest.mark.parametrize("stdin", ["null", "file"])
def test_dev_null_is_a_link_to_a_file(new_box, canary, stdin):
    """CVE-2026-88265: what is opened again as /dev/null must be that device."""
    box = new_box("report")
    only_proc(box)
    box.file("/etc/f", "x")
    os.symlink("/etc/f", box.path("/dev/null"))
    box.process["user"] = {"uid": 1000, "gid": 1000}
    told = box.run(code=None, **({"text": "x"} if stdin == "file" else {}))
    assert os.stat(box.path("/etc/f")).st_uid == os.getuid()
    if told.code == 0:
        assert told.report["fds"]["0"] != "/etc/f"


@pytest.mark.rows("HDN-05", "MNT-07")
@pytest.mark.parametrize("where", ["/proc", "/sys"])
@pytest.mark.parametrize("deep", [False, True])
def test_proc_or_sys_is_a_link(new_box, canary, fails, where, deep):
    """CVE-2019-19921, CVE-2023-27561, CVE-2025-54867."""
    box = new_box("report")
    os.makedirs(box.path("/fake"))
    replace(box, where, "/fake")
    if deep:
        os.unlink(box.path(where))
        os.symlink("fake/../fake", box.path(where))
    fails(box.create(code=None), where, own=("ordinary directory",))


@pytest.mark.rows("HDN-05", "LSM-08")
@OWN
def test_fake_proc(new_box, canary):
    """CVE-2019-16884, CVE-2025-52881: a directory that looks like procfs lies on /proc. sysctl and
    labels must reach the real one, or it must be refused."""
    box = new_box("read /proc/fake")
    fake = box.beside("fake")
    for name in ("self/attr", "self/fd", "sys/kernel", "1"):
        os.makedirs(f"{fake}/{name}")
    for name in ("fake", "self/attr/exec", "self/status", "sys/kernel/msgmax", "self/uid_map"):
        with open(f"{fake}/{name}", "w", encoding="ascii") as file:
            file.write("of the fake")
    before = tree_of(fake)
    box.config["mounts"][0] = {"destination": "/proc", "type": "bind", "source": fake,
                               "options": ["rbind"]}
    box.linux["sysctl"] = {"kernel.msgmax": "9003"}
    box.linux["maskedPaths"] = []
    box.linux["readonlyPaths"] = []
    assert box.run(code=None).code in (0, 1)
    assert tree_of(fake) == before


@pytest.mark.rows("HDN-05", "NET-04")
@OWN
@pytest.mark.parametrize("where", ["/proc/sys/kernel", "/proc/self/attr", "/proc/1/uid_map",
                                   "/proc/self/oom_score_adj"])
def test_mounts_over_proc(new_box, canary, where):
    box = new_box("report")
    cover = box.beside("cover", "of the cover") if "." in where or where.endswith(("adj", "map")) \
        else box.beside("cover")
    box.bind(cover, where)
    box.process["oomScoreAdj"] = 500
    box.linux["sysctl"] = {"kernel.msgmax": "9003"}
    told = box.run(code=None)
    if told.code == 0:
        if os.path.isfile(cover):
            with open(cover, encoding="ascii") as file:
                assert file.read() == "of the cover"
        else:
            assert os.listdir(cover) == []


@pytest.mark.rows("HDN-06", "MPH-01", "MPH-07")
@OWN
@pytest.mark.parametrize("null", ["link", "absent", "file", "directory",
                                  pytest.param("other device", marks=makes_nodes)])
def test_masking_does_not_trust_the_container_s_dev_null(new_box, canary, null):
    """CVE-2025-31133: /dev comes from the image. (runc 1.1.5 shows /proc/loadavg.)"""
    box = new_box("read /proc/version", "write /proc/version x", "read /proc/loadavg")
    dev = box.beside("dev")
    path = dev + "/null"
    if null == "link":
        os.symlink("/proc/loadavg", path)
    elif null == "file":
        with open(path, "w", encoding="ascii") as file:
            file.write("of the image")
    elif null == "directory":
        os.mkdir(path)
    elif null == "other device":
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))
    only_proc(box)
    box.bind(dev, "/dev", "rbind")
    box.linux["maskedPaths"] = ["/proc/version"]
    before = tree_of(dev)
    told = box.run(code=None)
    if told.code == 0:
        assert told.text("/proc/version") == ""
        assert told.text("/proc/loadavg") != ""
    else:
        assert told.code == 1
    assert tree_of(dev) == before


@pytest.mark.rows("MPH-07", "MPH-10")
@pytest.mark.parametrize("name", ["maskedPaths", "readonlyPaths"])
def test_masked_links_stay_inside(new_box, canary, name):
    box = new_box("report")
    os.symlink(canary, box.path("/etc/a"))
    os.symlink("../" * 12 + canary.lstrip("/") + "/file", box.path("/etc/b"))
    box.linux[name] = box.linux[name] + ["/etc/a", "/etc/b", "/etc/a/sub", "/../../etc/a"]
    assert box.run(code=None).code in (0, 1)


@pytest.mark.rows("HDN-07", "TTY-05")
@OWN
@pytest.mark.parametrize("target", ["new", "file"])
@pytest.mark.parametrize("readonly", [False, True])
def test_dev_console_is_a_link(new_box, canary, work, target, readonly):
    """CVE-2026-88264, CVE-2025-52565."""
    box = new_box("report", "pause")
    box.config["mounts"] = [each for each in box.config["mounts"]
                            if each["destination"] in ("/proc", "/dev/pts")]
    box.config["root"]["readonly"] = readonly
    box.process["terminal"] = True
    os.symlink(f"{canary}/{target}", box.path("/dev/console"))
    console = ConsoleSocket(work + "/console")
    told = box.create("--console-socket", console.path, code=None)
    if told.code == 0:
        master = console.receive()[0]    # a terminal that hangs up ends what waits in it
        node = os.stat(f"/proc/{box.pid}/root/dev/console", follow_symlinks=False)
        os.close(master)
        assert stat.S_ISCHR(node.st_mode) and os.major(node.st_rdev) in (136, 5)
    console.close()


@pytest.mark.rows("TTY-08", "HDN-07")
@OWN
@pytest.mark.parametrize("what", ["file", "link", pytest.param("null", marks=makes_nodes)])
def test_ptmx_of_the_image(new_box, canary, work, what, fails):
    """The terminal comes from the container's own devpts or not at all."""
    box = new_box("report", "pause")
    pts = box.beside("pts")
    if what == "file":
        with open(pts + "/ptmx", "w", encoding="ascii") as file:
            file.write("x")
    elif what == "link":
        os.symlink("/proc/loadavg", pts + "/ptmx")
    else:
        os.mknod(pts + "/ptmx", stat.S_IFCHR | 0o666, os.makedev(5, 2))
    box.config["mounts"] = [each for each in box.config["mounts"]
                            if each["destination"] in ("/proc", "/dev")]
    box.bind(pts, "/dev/pts")
    box.process["terminal"] = True
    console = ConsoleSocket(work + "/console")
    fails(box.create("--console-socket", console.path, code=None), "pt")
    console.close()


@pytest.mark.rows("PRC-10", "HDN-03", "EXE-06")
@pytest.mark.parametrize("number", [*range(3, 21)])
def test_cwd_through_a_descriptor(new_box, fails, number):
    """CVE-2024-21626."""
    box = new_box("report", "ls .")
    box.process["cwd"] = f"/proc/self/fd/{number}"
    told = box.run(code=None)
    assert told.code == 1 and told.err.strip(), told


@pytest.mark.rows("PRC-10", "HDN-03")
@pytest.mark.parametrize("target", ["/proc/self/fd/7", "/proc/self/fd/7/../../..", "/proc/1/cwd",
                                    "/proc/self/root/../.."])
def test_cwd_is_a_link(new_box, target):
    box = new_box("report", "ls .")
    os.symlink(target, box.path("/work"))
    box.process["cwd"] = "/work"
    told = box.run(code=None)
    if told.code == 0:
        assert set(told.line("ls", ".")["names"]) <= {"bin", "proc", "sys", "dev", "etc", "tmp",
                                                      "work"}


@pytest.mark.rows("MNT-51", "MNT-47", "LCY-08")
def test_nothing_is_removed_outside(new_box, canary):
    """Cleaning up never follows what the container bound or linked."""
    box = new_box("pause")
    box.bind(canary, "/data", "rbind")
    os.symlink(canary, box.path("/etc/link"))
    box.up()
    box.delete("-f")
    box.wait()


@pytest.mark.rows("PRC-08", "PRC-07", "LCY-17")
@OWN
def test_no_program_and_no_library_of_the_image_runs(new_box, canary):
    """CVE-2026-84042, CVE-2019-14271: helpers of the same name as the host's lie in the image."""
    box = new_box("report")
    box.file("/etc/nsswitch.conf", "passwd: evil\n")
    for directory in ("/bin", "/sbin", "/usr/bin", "/usr/sbin"):
        for name in ("newuidmap", "newgidmap", "criu", "mount", "sh", "modprobe"):
            path = box.file(f"{directory}/{name}", f"#!/bin/probe append /ran {name}\n", 0o755)
            os.chmod(path, 0o755)
    box.userns()
    box.run()
    assert not os.path.exists(box.path("/ran"))


@pytest.mark.rows("RFS-16", "CRT-37")
@OWN
def test_cgroup_directories_of_the_host_are_not_reached(new_box, cgroups):
    """CVE-2023-25809: without a cgroup namespace, /sys bound from the host."""
    box = new_box("mkdir /sys/fs/cgroup/rt-escape", "mkdir /sys/fs/cgroup/memory/rt-escape")
    box.namespace("cgroup", absent=True)
    box.config["mounts"][5] = {"destination": "/sys", "type": "bind", "source": "/sys",
                               "options": ["rbind", "rro"]}
    del box.config["mounts"][6]
    told = box.run(code=None)
    assert cgroups.dirs("rt-escape") == []
    if told.code == 0:
        assert told.errno("mkdir", "/sys/fs/cgroup/rt-escape") is not None


@pytest.mark.rows("HDN-04", "RFS-12")
def test_mountinfo_of_the_host_does_not_change(new_box, canary):
    before = host.mountinfo()
    box = new_box("pause")
    box.bind(canary, "/data", "rbind", "ro")
    box.up()
    assert host.mountinfo() == before


@pytest.mark.rows("RFS-04")
@OWN
def test_read_only_whatever_the_image_has_for_proc(new_box, canary):
    """crun CVE-2026-115521: the image's /proc/self/fd led the change to read-only to another mount."""
    box = new_box("create /x", "create /data/x")
    for number in range(32):
        os.makedirs(box.path(f"/proc/self/fd/{number}"))
        os.makedirs(box.path(f"/proc/thread-self/fd/{number}"))
    del box.config["mounts"][0]
    box.linux["maskedPaths"] = box.linux["readonlyPaths"] = []
    box.bind(canary, "/data", "ro")
    box.config["root"]["readonly"] = True
    told = box.run()
    assert told.errno("create", "/x") == told.errno("create", "/data/x") == "EROFS"
