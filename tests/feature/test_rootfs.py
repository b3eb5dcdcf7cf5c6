# SPDX-License-Identifier: Apache-2.0
"""The root file system, masked and read-only paths, devices."""

import os
import stat

import pytest

import host
import who
from bundle import label

FLAGS = {"ro": 1, "nosuid": 2, "nodev": 4, "noexec": 8}


def flags_of(told, path):
    number = told.line("statfs", path)["flags"]
    return {name for name, bit in FLAGS.items() if number & bit}


def mounts_of(told):
    """{mount point: line} of the mountinfo that the probe read; the last one wins."""
    lines = [line.split(" ") for line in told.text("/proc/self/mountinfo").splitlines()]
    return {line[4]: line for line in lines}


@pytest.mark.rows("RFS-01", "RFS-12", "NSP-17", "RFS-08")
def test_nothing_of_the_host_is_seen(new_box):
    box = new_box("read /proc/self/mountinfo", "ls /", "ls /..", "read /proc/1/mountinfo")
    told = box.run()
    mounts = mounts_of(told)
    assert set(mounts) >= {"/", "/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys"}
    assert not [point for point in mounts if box.dir in point or point.startswith("/tmp")]
    assert told.line("ls", "/")["names"] == told.line("ls", "/..")["names"]
    assert set(told.line("ls", "/")["names"]) == {"bin", "proc", "sys", "dev", "etc", "tmp"}


@pytest.mark.rows("RFS-08", "RFS-09", "MNT-33", "RFS-12")
def test_nothing_of_the_container_is_seen_on_the_host(new_box):
    """Our mounts are shared, and so is the file system that the bundle lies on."""
    box = new_box("pause")
    box.mount("/tmp/a")
    before = host.mountinfo()
    box.up()
    assert host.mountinfo() == before


@pytest.mark.rows("RFS-08", "MNT-33", "RFS-12", "HDN-04")
@pytest.mark.parametrize("user", [False, True], ids=["root", "userns"])
@pytest.mark.parametrize("kind", ["bind", "rbind"])
@pytest.mark.needs("root: mounts on the host")
def test_a_shared_source_does_not_lead_out(new_box, user, kind):
    """The source of a bind mount is shared on the host; what rt and the container mount on the copy
    must stay inside."""
    box = new_box("read /proc/self/mountinfo", "pause")
    source = box.beside("shared")
    host.mount("tmpfs", source, "tmpfs", data="mode=0755")
    try:
        os.mkdir(source + "/masked")
        os.mkdir(source + "/point")
        box.mount("/data", "bind", source, [kind])
        box.mount("/data/point")
        box.linux["maskedPaths"].append("/data/masked")
        if user:
            box.userns()
        before = host.mountinfo()
        lines = [line.split(" ") for line in box.up().text("/proc/self/mountinfo").splitlines()]
        assert host.mountinfo() == before
        [data] = [line for line in lines if line[4] == "/data"]
        assert "shared:" not in " ".join(data)
    finally:
        box.delete("-f")
        box.wait()
        for line in reversed(host.mountinfo()):
            if line[4].startswith(source):
                host.umount(line[4])


@pytest.mark.rows("RFS-12", "RFS-11")
@pytest.mark.needs("root: mounts on the host")
def test_mounts_of_the_host_reach_a_slave(new_box):
    box = new_box("pause")
    shared = box.beside("shared")
    host.mount(shared, shared, flags=host.MS_BIND)
    host.mount("none", shared, flags=host.MS_SHARED)
    os.mkdir(shared + "/sub")
    try:
        box.mount("/data", "bind", shared, ["rbind", "rslave"])
        box.up()
        host.mount("tmpfs", shared + "/sub", "tmpfs")
        points = {line[4] for line in host.mountinfo(f"/proc/{box.pid}/mountinfo")}
        assert "/data/sub" in points
        host.umount(shared + "/sub")
    finally:
        box.delete("-f")
        box.wait()
        host.umount(shared)


@pytest.mark.rows("RFS-04", "RFS-05")
def test_read_only_root(new_box):
    box = new_box("create /x", "create /made/by/rt/x", "create /dev/x", "statfs /",
                  "read /proc/self/mountinfo")
    box.config["root"]["readonly"] = True
    box.mount("/made/by/rt")
    told = box.run()
    assert told.errno("create", "/x") == "EROFS"
    assert told.errno("create", "/made/by/rt/x") is None
    assert told.errno("create", "/dev/x") is None
    assert "ro" in flags_of(told, "/")
    assert not os.path.exists(box.path("/x"))


@pytest.mark.rows("RFS-04")
def test_writable_root(new_box):
    box = new_box("create /x", "statfs /")
    told = box.run()
    assert told.errno("create", "/x") is None and "ro" not in flags_of(told, "/")
    assert os.path.exists(box.path("/x"))


@pytest.mark.rows("RFS-06")
@pytest.mark.needs("root: mounts on the host")
def test_root_on_a_read_only_file_system(new_box, fails):
    box = new_box("report")
    for point in ("/dev", "/proc", "/sys"):
        os.makedirs(box.path(point), exist_ok=True)
    host.mount(box.rootfs, box.rootfs, flags=host.MS_BIND)
    host.mount("none", box.rootfs, flags=host.MS_BIND | host.MS_REMOUNT | 1)
    try:
        assert box.run().report["pid"] == 1
        at = box.mount("/not/there")
        fails(box.create(code=None), "/not/there", "read-only file system", at=at)
    finally:
        host.umount(box.rootfs)


@pytest.mark.rows("RFS-07", "RFS-10", "RFS-11")
@pytest.mark.own
@pytest.mark.parametrize("word, shows", [("shared", "shared:"), ("rshared", "shared:"),
                                         ("slave", "master:"), ("rslave", "master:"),
                                         ("private", None), ("rprivate", None), (None, "any"),
                                         ("unbindable", "unbindable"),
                                         ("runbindable", "unbindable")])
def test_propagation_of_the_root(new_box, word, shows):
    box = new_box("read /proc/self/mountinfo")
    if word:
        box.linux["rootfsPropagation"] = word
    root = mounts_of(box.run())["/"]
    optional = " ".join(root[6:root.index("-")])
    if shows is None:
        assert optional == ""
    elif shows != "any":
        assert shows in optional
    else:
        assert "shared:" not in optional


@pytest.mark.rows("RFS-07")
@pytest.mark.own
def test_unknown_propagation(box, fails):
    box.linux["rootfsPropagation"] = "none"
    fails(box.create(code=None), "none", at="/linux/rootfsPropagation")


@pytest.mark.rows("RFS-17")
@pytest.mark.own
def test_no_proc_no_sys(new_box):
    """Masks, sysctl and rlimits work without a /proc in the container."""
    box = new_box("ls /proc", "ls /sys", "call getpid")
    box.config["mounts"] = [each for each in box.config["mounts"]
                            if each["destination"].startswith("/dev")]
    box.linux["sysctl"] = {"kernel.msgmax": "9001"}
    told = box.run()
    assert told.line("ls", "/proc")["names"] == [] and told.line("ls", "/sys")["names"] == []
    assert told.line("call")["ret"] == 1


# ---- masked and read-only paths

@pytest.mark.rows("MPH-01", "MPH-02", "MPH-04", "MPH-05", "MPH-13")
@pytest.mark.parametrize("readonly", [False, True])
def test_masked_paths(new_box, readonly):
    box = new_box("read /etc/secret", "write /etc/secret x", "unlink /etc/secret", "ls /etc/dir",
                  "create /etc/dir/x", "statfs /etc/dir", "stat /etc/dir", "umount /etc/dir",
                  "read /proc/version", "stat /etc/secret", "read /proc/self/mountinfo")
    box.file("/etc/secret", "secret")
    box.file("/etc/dir/secret", "secret")
    box.config["root"]["readonly"] = readonly
    box.linux["maskedPaths"] = ["/etc/secret", "/etc/dir", "/proc/version", "/no/such", "/etc/dir"]
    told = box.run()
    assert told.text("/etc/secret") == "" and told.text("/proc/version") == ""
    assert told.errno("unlink", "/etc/secret") in ("EBUSY", "EROFS")
    assert told.line("ls", "/etc/dir")["names"] == []
    assert told.errno("create", "/etc/dir/x") == "EROFS"
    assert told.errno("umount", "/etc/dir") == "EPERM"
    assert told.line("stat", "/etc/dir")["nlink"] == 2
    assert "ro" in flags_of(told, "/etc/dir")
    points = [line.split(" ")[4] for line in told.text("/proc/self/mountinfo").splitlines()]
    assert points.count("/etc/secret") == 1
    with open(box.path("/etc/secret"), encoding="ascii") as file:
        assert file.read() == "secret"


@pytest.mark.rows("MPH-11", "MPH-03")
@pytest.mark.parametrize("readonly", [False, True], ids=["rw", "ro"])
@pytest.mark.needs("root: kernel.* sysctls belong to the host's root")
def test_masked_and_read_only(new_box, readonly):
    """The mask lies over what is read-only; a sysctl is written before its file becomes so."""
    box = new_box("ls /etc/dir", "read /proc/sys/kernel/domainname",
                  "write /proc/sys/kernel/domainname x")
    box.file("/etc/dir/secret", "secret")
    box.config["root"]["readonly"] = readonly
    for name in ("readonlyPaths", "maskedPaths"):
        box.linux[name].append("/etc/dir")
    box.linux["sysctl"] = {"kernel.domainname": "example"}
    told = box.run()
    assert told.line("ls", "/etc/dir")["names"] == []
    assert told.text("/proc/sys/kernel/domainname") == "example\n"
    assert told.errno("write", "/proc/sys/kernel/domainname") == "EROFS"


@pytest.mark.rows("MPH-08")
def test_masks_show_nothing_of_the_host(new_box, rt):
    box = new_box("read /proc/self/mountinfo")
    box.file("/etc/dir/secret", "secret")
    box.file("/etc/secret", "secret")
    box.linux["maskedPaths"] += ["/etc/dir", "/etc/secret"]
    lines = [line.split(" ") for line in box.run().text("/proc/self/mountinfo").splitlines()]
    masks = {line[4]: line for line in lines if line[4] in box.linux["maskedPaths"]}
    assert {"/etc/dir", "/etc/secret"} <= set(masks)
    for line in masks.values():
        assert line[3] in ("/", "/null"), line
        assert not {rt.root, box.dir, "/run/rt"} & set(line), line


@pytest.mark.rows("MPH-12")
@pytest.mark.own
@pytest.mark.parametrize("name", ["maskedPaths", "readonlyPaths"])
def test_masks_need_a_mount_namespace(box, fails, name):
    for other in ("maskedPaths", "readonlyPaths"):
        box.linux[other] = ["/proc/keys"] if other == name else []
    box.namespace("mount", absent=True)
    fails(box.create(code=None), "mount namespace", own=[name])


@pytest.mark.rows("MPH-05")
@pytest.mark.own
def test_masked_twice_is_mounted_once(new_box):
    box = new_box("read /proc/self/mountinfo")
    box.file("/etc/dir/secret", "secret")
    box.linux["maskedPaths"] = ["/etc/dir"] * 3
    points = [line.split(" ")[4] for line in
              box.run().text("/proc/self/mountinfo").splitlines()]
    assert points.count("/etc/dir") == 1


@pytest.mark.rows("MPH-07")
def test_masked_link_is_resolved_inside(new_box):
    box = new_box("read /etc/target", "read /etc/outside")
    outside = box.beside("outside", "kept")
    box.file("/etc/target", "x")
    os.symlink("/etc/target", box.path("/etc/link"))
    os.symlink(outside, box.path("/etc/dangling"))
    box.linux["maskedPaths"] = ["/etc/link", "/etc/dangling"]
    told = box.run()
    assert told.text("/etc/target") == ""
    with open(outside, encoding="ascii") as file:
        assert file.read() == "kept"


@pytest.mark.rows("MPH-06")
@pytest.mark.own
@pytest.mark.parametrize("name", ["maskedPaths", "readonlyPaths"])
def test_paths_must_be_absolute(box, fails, name):
    box.linux[name] = ["/proc/keys", "etc/x"]
    fails(box.create(code=None), "absolute", at=f"/linux/{name}/1")


@pytest.mark.rows("MPH-10", "MNT-28")
def test_readonly_paths(new_box):
    box = new_box("create /etc/dir/x", "create /etc/dir/sub/x", "write /etc/file x",
                  "statfs /proc/sys",
                  "write /proc/sys/kernel/hostname x", "statfs /etc/dir", "create /etc/free",
                  "statfs /etc/dir/sub")
    box.file("/etc/dir/a")
    box.file("/etc/file")
    box.mount("/etc/dir/sub", options=["nosuid", "nodev", "noexec"])
    box.linux["readonlyPaths"] += ["/etc/dir", "/etc/file", "/no/such"]
    told = box.run()
    for op, path in (("create", "/etc/dir/x"), ("write", "/etc/file")):
        assert told.errno(op, path) == "EROFS", path
    assert told.errno("write", "/proc/sys/kernel/hostname") == who.READ_ONLY_SYSCTL
    assert flags_of(told, "/proc/sys") == {"ro", "nosuid", "nodev", "noexec"}
    assert told.errno("create", "/etc/free") is None


@pytest.mark.rows("MPH-10")
@pytest.mark.own
@pytest.mark.needs("mount-setattr")
def test_readonly_paths_are_recursive(new_box):
    box = new_box("create /etc/dir/sub/x", "statfs /etc/dir/sub")
    box.file("/etc/dir/a")
    box.mount("/etc/dir/sub", options=["nosuid", "nodev", "noexec"])
    box.linux["readonlyPaths"] += ["/etc/dir"]
    told = box.run()
    assert told.errno("create", "/etc/dir/sub/x") == "EROFS"
    assert flags_of(told, "/etc/dir/sub") == {"ro", "nosuid", "nodev", "noexec"}


@pytest.mark.rows("MPH-10", "MPH-01", "UID-01")
def test_paths_in_a_user_namespace(new_box):
    box = new_box("read /proc/timer_list", "write /proc/sys/kernel/hostname x", "ls /sys/firmware",
                  "statfs /proc/sys", "read /etc/secret")
    box.file("/etc/secret", "secret")
    box.linux["maskedPaths"].append("/etc/secret")
    box.userns()
    told = box.run()
    assert told.errno("write", "/proc/sys/kernel/hostname") in ("EROFS", "EACCES")
    assert flags_of(told, "/proc/sys") >= {"ro", "nosuid", "nodev", "noexec"}
    assert told.text("/etc/secret") == ""


# ---- devices

@pytest.mark.rows("DEV-05", "DEV-03")
def test_links_that_are_there_already(new_box):
    """Right ones are as good as new ones, others stay as the image has them."""
    box = new_box("stat /dev/fd", "stat /dev/stdin", "stat /dev/stdout", "stat /dev/stderr")
    box.config["mounts"] = [each for each in box.config["mounts"]
                            if not each["destination"].startswith("/dev")]
    os.symlink("/proc/self/fd", box.path("/dev/fd"))
    os.symlink("/tmp/log", box.path("/dev/stdout"))
    box.file("/dev/stderr")
    told = box.run()
    assert told.line("stat", "/dev/fd")["target"] == "/proc/self/fd"
    assert told.line("stat", "/dev/stdin")["target"] == "/proc/self/fd/0"
    assert told.line("stat", "/dev/stdout")["target"] == "/tmp/log"
    assert told.line("stat", "/dev/stderr")["type"] == "file"


@pytest.mark.rows("DEV-01", "DEV-03", "DEV-04", "CGD-04")
@pytest.mark.parametrize("user", [False, True], ids=["root", "userns"])
def test_default_devices(new_box, user):
    nodes = {"null": (1, 3), "zero": (1, 5), "full": (1, 7), "random": (1, 8), "urandom": (1, 9),
             "tty": (5, 0)}
    links = {"fd": "/proc/self/fd", "stdin": "/proc/self/fd/0", "stdout": "/proc/self/fd/1",
             "stderr": "/proc/self/fd/2", "ptmx": "pts/ptmx"}
    box = new_box(*[f"stat /dev/{name}" for name in [*nodes, *links]],
                  *[f"open /dev/{name} rw" for name in nodes if name != "tty"], "open /dev/ptmx rw",
                  "ls /dev")
    if user:
        box.userns()
    told = box.run()
    for name, number in nodes.items():
        node = told.line("stat", f"/dev/{name}")
        assert (node["type"], node["major"], node["minor"]) == ("char", *number), name
        assert node["mode"] == 0o666
        if not user and not who.ROOTLESS:
            assert (node["uid"], node["gid"]) == (0, 0)
        if name != "tty":
            assert told.errno("open", f"/dev/{name}") is None, name
    for name, target in links.items():
        assert told.line("stat", f"/dev/{name}").get("target") == target, name
    assert told.errno("open", "/dev/ptmx") is None
    assert "console" not in told.line("ls", "/dev")["names"]


@pytest.mark.rows("DEV-03")
def test_ptmx_of_the_image_is_replaced(new_box):
    box = new_box("stat /dev/ptmx")
    box.config["mounts"] = [each for each in box.config["mounts"]
                            if each["destination"] in ("/proc", "/dev/pts")]
    box.file("/dev/ptmx", "x")
    assert box.run().line("stat")["target"] == "pts/ptmx"


@pytest.mark.rows("DEV-06")
@pytest.mark.needs("root: makes device nodes")
def test_dev_as_a_bind_mount_is_left_alone(new_box):
    box = new_box("ls /dev")
    dev = box.beside("dev")
    for node, minor in (("null", 3), ("zero", 5)):
        os.mknod(f"{dev}/{node}", stat.S_IFCHR | 0o666, os.makedev(1, minor))
    box.config["mounts"] = [box.config["mounts"][0]]
    box.bind(dev, "/dev", "rbind")
    assert sorted(box.run().line("ls", "/dev")["names"]) == ["null", "zero"]
    assert sorted(os.listdir(dev)) == ["null", "zero"]


@pytest.mark.rows("DEV-07")
def test_dev_without_a_mount(new_box):
    box = new_box("stat /dev/null", "stat /dev/fd")
    box.config["mounts"] = [box.config["mounts"][0]]
    os.rmdir(box.path("/dev"))
    told = box.run()
    assert told.line("stat", "/dev/null")["type"] == "char"
    assert told.line("stat", "/dev/fd")["type"] == "link"


@pytest.mark.rows("DEV-08", "DEV-09", "DEV-10", "DEV-11", "DEV-14", "DEV-17")
@pytest.mark.needs("root: makes device nodes")
def test_devices(new_box):
    box = new_box("stat /dev/a", "stat /dev/deep/er/b", "stat /dev/p", "stat /etc/c", "stat /dev/u",
                  "stat /dev/deep/er")
    box.linux["devices"] = [
        {"type": "c", "path": "/dev/a", "major": 1, "minor": 5, "fileMode": 0o640, "uid": 7,
         "gid": 8},
        {"type": "b", "path": "/dev/deep/er/b", "major": 7, "minor": 300, "fileMode": 0o600},
        {"type": "p", "path": "/dev/p", "fileMode": 0o622},
        {"type": "c", "path": "/etc/c", "major": 1, "minor": 3},
        {"type": "u", "path": "/dev/u", "major": 1, "minor": 3, "fileMode": 0o20666},
    ]
    told = box.run(umask=0o77)

    def seen(path):
        line = told.line("stat", path)
        return line["type"], line["major"], line["minor"], line["mode"], line["uid"], line["gid"]
    assert seen("/dev/a") == ("char", 1, 5, 0o640, 7, 8)
    assert seen("/dev/deep/er/b") == ("block", 7, 300, 0o600, 0, 0)
    assert seen("/dev/p") == ("fifo", 0, 0, 0o622, 0, 0)
    assert seen("/dev/u") == ("char", 1, 3, 0o666, 0, 0)
    assert seen("/etc/c")[:3] == ("char", 1, 3)
    assert told.line("stat", "/dev/deep/er")["mode"] == 0o755


@pytest.mark.rows("DEV-11")
@pytest.mark.own
@pytest.mark.needs("root: makes device nodes")
def test_device_mode_defaults_to_0666(new_box):
    box = new_box("stat /etc/c")
    box.linux["devices"] = [{"type": "c", "path": "/etc/c", "major": 1, "minor": 3}]
    assert box.run(umask=0o77).line("stat")["mode"] == 0o666


@pytest.mark.rows("DEV-08", "DEV-10", "DEV-09", "CRT-32")
@pytest.mark.own
@pytest.mark.parametrize("device, at", [
    ({"type": "x", "path": "/dev/a", "major": 1, "minor": 5}, "/type"),
    ({"type": "c", "path": "/dev/a", "minor": 5}, ""),
    ({"type": "b", "path": "/dev/a", "major": 1}, ""),
    ({"type": "c", "path": "dev/a", "major": 1, "minor": 5}, "/path"),
    ({"type": "c", "major": 1, "minor": 5}, ""), ({"path": "/dev/a", "major": 1, "minor": 5}, ""),
    ({"type": "c", "path": "/dev/a", "major": 1, "minor": 99999999999}, "/minor"),
], ids=label)
def test_bad_device(box, fails, device, at):
    box.linux["devices"] = [device]
    fails(box.create(code=None), at="/linux/devices/0" + at)


@pytest.mark.rows("DEV-12")
@pytest.mark.own
@pytest.mark.needs("root: makes device nodes")
def test_device_equal_to_a_default(new_box):
    box = new_box("stat /dev/null")
    box.linux["devices"] = [{"type": "c", "path": "/dev/null", "major": 1, "minor": 3,
                             "fileMode": 0o660, "uid": 5}] * 2
    line = box.run().line("stat")
    assert (line["mode"], line["uid"], line["minor"]) == (0o660, 5, 3)


OTHER_DEVICE = pytest.param("other device", marks=pytest.mark.needs("root: makes device nodes"))


@pytest.mark.rows("DEV-13")
@pytest.mark.own
@pytest.mark.parametrize("what", ["file", OTHER_DEVICE, "directory"])
def test_something_else_lies_at_the_path(new_box, fails, what):
    box = new_box("report")
    path = box.path("/etc/thing")
    if what == "file":
        box.file("/etc/thing", "x")
    elif what == "directory":
        os.mkdir(path)
    else:
        os.mknod(path, stat.S_IFCHR | 0o666, os.makedev(1, 5))
    box.linux["devices"] = [{"type": "c", "path": "/etc/thing", "major": 1, "minor": 3}]
    fails(box.create(code=None), "/etc/thing", at="/linux/devices/0")


@pytest.mark.rows("DEV-15", "DEV-20", "UID-15")
@pytest.mark.own
def test_devices_in_a_user_namespace_come_from_the_host(new_box):
    box = new_box("stat /dev/full2", "stat /dev/null", "open /dev/full2 r")
    box.userns()
    box.linux["devices"] = [{"type": "c", "path": "/dev/null", "major": 1, "minor": 3, "uid": 9}]
    before = os.stat("/dev/null")
    told = box.run()
    assert told.line("stat", "/dev/null")["type"] == "char"
    assert os.stat("/dev/null").st_uid == before.st_uid


@pytest.mark.rows("DEV-15")
@pytest.mark.own
def test_device_that_the_host_does_not_have(new_box, fails):
    box = new_box("report")
    box.userns()
    box.linux["devices"] = [{"type": "c", "path": "/dev/nosuchdevice", "major": 1, "minor": 5}]
    fails(box.create(code=None), "/dev/nosuchdevice", "no such file or directory",
          at="/linux/devices/0")
