# SPDX-License-Identifier: Apache-2.0
"""mounts[]: kinds, options, destinations, sources."""

import os
import socket
import stat

import pytest

import host
import who
from bundle import label
from test_rootfs import flags_of, mounts_of


def options_of(told, point):
    """(per-mount options, optional fields, type, source, super options) in mountinfo."""
    line = mounts_of(told)[point]
    dash = line.index("-")
    return set(line[5].split(",")), line[6:dash], line[dash + 1], line[dash + 2], line[dash + 3]


@pytest.mark.rows("MNT-01")
def test_order(new_box):
    box = new_box("ls /a", "ls /a/b")
    box.mount("/a")
    box.mount("/a/b")
    one = box.beside("one")
    box.beside("one/inner", "")
    box.bind(one, "/a/b/c")
    told = box.run()
    assert told.line("ls", "/a")["names"] == ["b"] and told.line("ls", "/a/b")["names"] == ["c"]


@pytest.mark.rows("MNT-02")
def test_relative_destination_is_below_the_root(new_box):
    box = new_box("read /proc/self/mountinfo")
    box.mount("rel/a")
    assert "/rel/a" in mounts_of(box.run())


@pytest.mark.rows("MNT-03", "MNT-04", "MNT-69")
@pytest.mark.parametrize("target", ["/real", "real", "../../../../real", "/dir/../real", "/etc/l2"])
def test_destination_through_a_link(new_box, target):
    box = new_box("read /proc/self/mountinfo", "stat /real")
    os.makedirs(box.path("/dir"))
    os.symlink(target, box.path("/link"))
    os.symlink("../real", box.path("/etc/l2"))
    box.mount("/link/below")
    assert "/real/below" in mounts_of(box.run())
    assert os.path.islink(box.path("/link"))


@pytest.mark.rows("MNT-03", "MNT-04")
@pytest.mark.parametrize("destination, seen", [
    ("/a/b/../c", "/a/c"), ("/a/../b/../c", "/c"), ("/a/./b/.", "/a/b"),
    pytest.param("/gone/../c", "/deep/c", marks=pytest.mark.own)])
def test_destination_that_steps_back_from_what_is_missing(new_box, destination, seen):
    box = new_box("read /proc/self/mountinfo")
    os.symlink("/deep/er", box.path("/gone"))
    box.mount(destination)
    assert seen in mounts_of(box.run())


@pytest.mark.rows("MNT-04")
@pytest.mark.own
def test_destination_is_made(new_box):
    box = new_box("stat /made/dir", "stat /made", "stat /made2/file", "stat /made2")
    box.bind(box.beside("dir"), "/made/dir")
    box.bind(box.beside("file", "x"), "/made2/file")
    told = box.run(umask=0o77)
    assert stat.S_IMODE(os.stat(box.path("/made")).st_mode) == 0o755
    assert stat.S_IMODE(os.stat(box.path("/made/dir")).st_mode) == 0o755
    assert stat.S_IMODE(os.stat(box.path("/made2")).st_mode) == 0o755
    assert stat.S_ISREG(os.stat(box.path("/made2/file")).st_mode)
    assert told.line("stat", "/made2/file")["type"] == "file"


@pytest.mark.rows("MNT-04")
@pytest.mark.own
def test_made_file_is_0644(new_box):
    box = new_box("report")
    box.bind(box.beside("file", "x"), "/made2/file")
    box.run(umask=0o77)
    assert stat.S_IMODE(os.stat(box.path("/made2/file")).st_mode) == 0o644


@pytest.mark.rows("MNT-07", "HDN-05")
@pytest.mark.parametrize("kind, where", [("proc", "/proc"), ("sysfs", "/sys")])
def test_proc_and_sys_are_not_links(new_box, fails, kind, where):
    box = new_box("report")
    os.rmdir(box.path(where))
    os.symlink("/tmp", box.path(where))
    index = [each["type"] for each in box.config["mounts"]].index(kind)
    fails(box.create(code=None), where, own=("ordinary directory",), at=f"/mounts/{index}")


@pytest.mark.rows("MNT-08")
def test_bind_makes_the_type_irrelevant(new_box):
    box = new_box("read /data/f")
    source = box.beside("d")
    box.beside("d/f", "content")
    box.mount("/data", "ext9", source, ["rbind"])
    assert box.run().text("/data/f") == "content"


@pytest.mark.rows("MNT-08", "MNT-09")
@pytest.mark.parametrize("kind, words", [("nosuchfs", "no such device"), ("", ""), (None, "")],
                         ids=label)
def test_unknown_type(box, fails, kind, words):
    at = box.mount("/data", kind, "x", [])
    if kind is None:
        del box.config["mounts"][-1]["type"]
    fails(box.create(code=None), words, own=("/data" if words else "type",), at=at)


@pytest.mark.rows("MNT-10")
def test_source_relative_to_the_bundle(new_box):
    box = new_box("read /data/f")
    box.beside("d")
    box.beside("d/f", "content")
    box.bind("d", "/data")
    assert box.run(cwd="/").text("/data/f") == "content"


@pytest.mark.rows("MNT-11", "MNT-71")
def test_source_is_missing(box, fails):
    at = box.bind("/no/such/source", "/data")
    fails(box.create(code=None), "/no/such/source", "no such file or directory", own=("/data",),
          at=at)
    assert not os.path.exists(box.path("/data"))


@pytest.mark.rows("MNT-12", "MNT-68")
def test_special_sources(new_box):
    box = new_box("stat /x/fifo", "stat /x/socket", "stat /x/device", "read /x/link",
                  "stat /x/link",
                  "read /etc/existing")
    os.mkfifo(box.dir + "/fifo")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(box.dir + "/socket")
    if who.ROOTLESS:
        os.symlink("/dev/null", box.dir + "/device")
    else:
        os.mknod(box.dir + "/device", stat.S_IFCHR | 0o666, os.makedev(1, 3))
    box.beside("file", "content")
    os.symlink("file", box.dir + "/link")
    box.file("/etc/existing", "below")
    for name in ("fifo", "socket", "device", "link"):
        box.bind(f"{box.dir}/{name}", f"/x/{name}")
    box.bind(box.dir + "/file", "/etc/existing")
    told = box.run()
    kinds = {"fifo": "fifo", "socket": "socket", "device": "char", "link": "file"}
    for name, kind in kinds.items():
        assert told.line("stat", f"/x/{name}")["type"] == kind
    assert told.text("/x/link") == told.text("/etc/existing") == "content"


@pytest.mark.rows("MNT-68")
@pytest.mark.parametrize("source, destination", [("dir", "/etc/file"), ("file", "/etc")])
def test_directory_over_file(box, fails, source, destination):
    box.file("/etc/file")
    path = box.beside("dir") if source == "dir" else box.beside("file", "")
    at = box.bind(path, destination)
    fails(box.create(code=None), "directory", destination, at=at)


@pytest.mark.rows("MNT-14", "MNT-15", "MNT-16")
@pytest.mark.parametrize("options, want", [
    ([], {"rw", "relatime"}), (["ro"], {"ro", "relatime"}), (["ro", "rw"], {"rw", "relatime"}),
    (["nosuid", "nodev", "noexec"], {"rw", "nosuid", "nodev", "noexec", "relatime"}),
    (["nosuid", "suid", "nodev", "dev", "noexec", "exec"], {"rw", "relatime"}),
    (["noatime"], {"rw", "noatime"}), (["strictatime"], {"rw"}),
    (["nodiratime"], {"rw", "nodiratime", "relatime"}), 
    pytest.param(["defaults"], {"rw", "relatime"}, marks=pytest.mark.own),
    (["noatime", "nodiratime"], {"rw", "noatime", "nodiratime"}),
    pytest.param(["noatime", "relatime"], {"rw", "relatime"}, marks=pytest.mark.own),
], ids=label)
def test_flags_of_a_new_mount(new_box, options, want):
    box = new_box("read /proc/self/mountinfo")
    box.mount("/data", options=options)
    assert options_of(box.run(), "/data")[0] == want


@pytest.mark.rows("MNT-14", "MNT-18", "MNT-19")
@pytest.mark.own
@pytest.mark.parametrize("options, where, word", [
    (["sync"], 4, "sync"), (["dirsync"], 4, "dirsync"), (["lazytime"], 4, "lazytime"),
    (["nosymfollow"], 0, "nosymfollow"), (["silent"], 0, "rw"), (["loud"], 0, "rw"),
    (["async", "nolazytime", "symfollow", "nomand", "noiversion"], 0, "rw"),
], ids=label)
def test_rarer_flags(new_box, options, where, word):
    box = new_box("read /proc/self/mountinfo")
    box.mount("/data", options=options)
    assert word in options_of(box.run(), "/data")[where]


@pytest.mark.rows("MNT-21")
@pytest.mark.needs("ids")
def test_data_for_the_file_system(new_box):
    box = new_box("read /proc/self/mountinfo", "stat /data", "statfs /data")
    box.mount("/data", options=["size=64k", "mode=0710", "nosuid", "uid=7", "gid=8"])
    told = box.run()
    line = told.line("stat", "/data")
    assert (line["mode"], line["uid"], line["gid"]) == (0o710, 7, 8)
    assert told.line("statfs", "/data")["bytes"] == 65536


@pytest.mark.rows("MNT-21", "MNT-71")
def test_data_that_the_kernel_refuses(box, fails):
    at = box.mount("/data", options=["size=64k", "nonsense=5"])
    fails(box.create(code=None), "/data", "invalid argument", own=("tmpfs",), at=at)


@pytest.mark.rows("MNT-23", "MNT-39")
@pytest.mark.parametrize("options, deep", [(["bind"], False), (["rbind"], True),
                                           (["bind", "rbind"], True)], ids=label)
@pytest.mark.needs("root: mounts on the host")
def test_bind_and_rbind(new_box, options, deep):
    box = new_box("read /data/sub/f", "create /data/sub/new", "create /data/new")
    source = box.beside("d")
    sub = box.beside("d/sub")
    host.mount("tmpfs", sub, "tmpfs")
    try:
        box.beside("d/sub/f", "deep")
        box.mount("/data", "bind", source, options + ["ro"])
        told = box.run()
        assert told.errno("create", "/data/new") == "EROFS"
        if deep:
            assert told.text("/data/sub/f") == "deep"
            assert told.errno("create", "/data/sub/new") is None     # ro is for the top only
        else:
            assert told.errno("read", "/data/sub/f") == "ENOENT"
    finally:
        host.umount(sub)


@pytest.mark.rows("MNT-24")
@pytest.mark.own
def test_bind_with_data(box, fails):
    at = box.bind(box.beside("d"), "/data", "size=5")
    fails(box.create(code=None), "size=5", at=at)


@pytest.mark.rows("MNT-25", "MNT-26", "MNT-27", "MNT-28")
@pytest.mark.own
@pytest.mark.parametrize("options, want", [
    ([], {"nosuid", "nodev"}), (["ro"], {"ro", "nosuid", "nodev"}),
    (["noexec"], {"nosuid", "nodev", "noexec"}), (["suid"], {"nodev"}), (["dev", "suid"], set()),
], ids=label)
@pytest.mark.needs("root: mounts on the host")
def test_flags_of_a_bind_mount(new_box, options, want):
    """What the source has and the options do not name is kept."""
    box = new_box("statfs /data")
    source = box.beside("d")
    host.mount("tmpfs", source, "tmpfs", 2 | 4)
    try:
        box.bind(source, "/data", *options)
        assert flags_of(box.run(), "/data") == want
    finally:
        host.umount(source)


@pytest.mark.rows("MNT-27")
@pytest.mark.own
@pytest.mark.needs("root: mounts on the host")
def test_locked_flags_in_a_user_namespace(new_box, fails):
    box = new_box("statfs /data")
    source = box.beside("d")
    host.mount("tmpfs", source, "tmpfs", 2 | 4)
    try:
        box.userns()
        at = box.bind(source, "/data", "ro")
        assert flags_of(box.run(), "/data") == {"ro", "nosuid", "nodev"}
        box.config["mounts"][-1]["options"] = ["bind", "ro", "dev"]
        told = box.run(code=None)
        if told.code == 0:      # the host's side may clear it before the namespace locks it
            assert flags_of(told, "/data") == {"ro", "nosuid"}
        else:
            fails(told, "/data", "operation not permitted", at=at)
    finally:
        host.umount(source)


@pytest.mark.rows("MNT-29", "MNT-30")
def test_read_only_tmpfs_and_dev(new_box):
    box = new_box("create /data/x", "create /dev/x", "stat /dev/null", "ls /data")
    box.mount("/data", options=["ro"])
    box.mount("/data/inner")
    box.config["mounts"][1]["options"].append("ro")
    box.config["mounts"][-2:] = [box.config["mounts"][-2]]
    told = box.run()
    assert told.errno("create", "/data/x") == "EROFS"
    assert told.errno("create", "/dev/x") == "EROFS"
    assert told.line("stat", "/dev/null")["type"] == "char"


@pytest.mark.rows("MNT-34", "MNT-35", "MNT-38")
@pytest.mark.own
@pytest.mark.needs("mount-setattr")
@pytest.mark.parametrize("options, want", [
    (["rro"], {"ro"}), (["rnosuid", "rnodev", "rnoexec"], {"nosuid", "nodev", "noexec"}),
    (["ro", "rro"], {"ro"}), (["rro", "rrw"], set()), (["rnosuid", "rsuid"], set()),
], ids=label)
@pytest.mark.needs("root: mounts on the host")
def test_recursive_flags(new_box, options, want):
    box = new_box("statfs /data", "statfs /data/sub")
    source, sub = box.beside("d"), box.beside("d/sub")
    host.mount("tmpfs", sub, "tmpfs")
    try:
        box.mount("/data", "bind", source, ["rbind"] + options)
        told = box.run()
        assert flags_of(told, "/data") == flags_of(told, "/data/sub") == want
    finally:
        host.umount(sub)


@pytest.mark.rows("MNT-35")
@pytest.mark.own
@pytest.mark.needs("mount-setattr")
@pytest.mark.parametrize("option, want", [("rnoatime", "noatime"), ("rrelatime", "relatime"),
                                          ("rnodiratime", "nodiratime")])
@pytest.mark.needs("root: mounts on the host")
def test_recursive_atime(new_box, option, want):
    box = new_box("read /proc/self/mountinfo")
    source, sub = box.beside("d"), box.beside("d/sub")
    host.mount("tmpfs", sub, "tmpfs")
    try:
        box.mount("/data", "bind", source, ["rbind", option])
        told = box.run()
        assert want in options_of(told, "/data")[0] and want in options_of(told, "/data/sub")[0]
    finally:
        host.umount(sub)


@pytest.mark.rows("MNT-40", "MNT-41", "MNT-44")
@pytest.mark.own
@pytest.mark.needs("idmap-tmpfs")
@pytest.mark.parametrize("options", [["idmap"], [], ["ridmap"]], ids=label)
@pytest.mark.needs("root: id-mapped mounts")
def test_idmapped_mount(new_box, options):
    box = new_box("stat /data/f", "create /data/new")
    source = box.beside("d")
    box.beside("d/f", "x")
    os.chown(source + "/f", 5, 6)
    maps = [{"containerID": 0, "hostID": 1000, "size": 100}]
    box.bind(source, "/data", "rbind", *options, uidMappings=maps, gidMappings=maps)
    told = box.run()
    line = told.line("stat", "/data/f")
    assert (line["uid"], line["gid"]) == (1005, 1006)


@pytest.mark.rows("MNT-13")
def test_absent_options(new_box):
    """The kernel's defaults, wherever it is mounted; nothing is added."""
    box = new_box("read /proc/self/mountinfo")
    box.mount("/tmp", "tmpfs", "tmpfs", None)
    box.mount("/dev/more", "devpts", "devpts", None)
    told = box.run()
    for destination in ("/tmp", "/dev/more"):
        flags = mounts_of(told)[destination][5].split(",")
        assert flags[0] == "rw" and not set(flags) & {"nosuid", "nodev", "noexec"}


@pytest.mark.rows("MNT-37")
@pytest.mark.parametrize("word", ["rsync", "rasync", "rdirsync", "rmand", "rnomand"])
@pytest.mark.parametrize("bind", [
    pytest.param(True, id="bind"), pytest.param(False, id="new", marks=pytest.mark.needs("fsopen"))])
def test_words_without_a_kernel_behind_them(new_box, fails, word, bind):
    box = new_box("report")
    at = box.bind("/tmp", "/tmp", word) if bind else box.mount("/tmp", options=[word])
    fails(box.create(code=None), own=(word,), at=at)


@pytest.mark.rows("MNT-40")
@pytest.mark.own
@pytest.mark.needs("idmap-tmpfs")
@pytest.mark.needs("root: id-mapped mounts")
def test_idmapped_mount_with_the_container_s_mappings(new_box):
    box = new_box("stat /data/f", "create /data/new")
    box.userns()
    source = box.beside("d")
    box.beside("d/f", "x")
    os.chown(source + "/f", 5, 6)
    os.chmod(source, 0o777)
    box.bind(source, "/data", "idmap")
    told = box.run()
    line = told.line("stat", "/data/f")
    assert (line["uid"], line["gid"]) == (5, 6)
    assert told.errno("create", "/data/new") is None
    assert os.stat(source + "/new").st_uid == 0


@pytest.mark.rows("MNT-40", "MNT-41", "MNT-43")
@pytest.mark.own
@pytest.mark.parametrize("more, options", [
    ({}, ["bind", "idmap"]),
    ({"uidMappings": [{"containerID": 0, "hostID": 1, "size": 1}]}, ["bind"]),
    ({"uidMappings": [], "gidMappings": []}, ["bind", "idmap"]),
], ids=label)
@pytest.mark.needs("root: a container without mappings of its own")
def test_bad_idmap(box, fails, more, options):
    at = box.mount("/data", "bind", box.beside("d"), options, **more)
    fails(box.create(code=None), "mapping", at=at)


@pytest.mark.rows("MNT-42", "MNT-43")
@pytest.mark.own
@pytest.mark.needs("root: id-mapped mounts")
@pytest.mark.needs("mount-setattr")
def test_idmap_that_the_file_system_cannot(box, fails):
    maps = [{"containerID": 0, "hostID": 1000, "size": 100}]
    at = box.bind("/proc/sys", "/data", uidMappings=maps, gidMappings=maps)
    fails(box.create(code=None), "id-mapped", "/data", "/proc/sys", at=at)


@pytest.mark.rows("MNT-47")
@pytest.mark.own
@pytest.mark.needs("root: files of several owners")
@pytest.mark.needs("fsopen")
def test_tmpcopyup(new_box):
    box = new_box("read /data/sub/f", "stat /data/sub/f", "stat /data/link", "stat /data/sub",
                  "create /data/new")
    box.file("/data/sub/f", "content", 0o640)
    os.chown(box.path("/data/sub/f"), 7, 8)
    os.chmod(box.path("/data/sub"), 0o1770)
    os.symlink("sub/f", box.path("/data/link"))
    box.mount("/data", options=["tmpcopyup"])
    told = box.run(umask=0o77)
    assert told.text("/data/sub/f") == "content"
    line = told.line("stat", "/data/sub/f")
    assert (line["mode"], line["uid"], line["gid"]) == (0o640, 7, 8)
    assert told.line("stat", "/data/link")["target"] == "sub/f"
    assert told.line("stat", "/data/sub")["mode"] == 0o1770
    assert not os.path.exists(box.path("/data/new"))


@pytest.mark.rows("MNT-51")
@pytest.mark.parametrize("mode, option, want", [(0o755, None, 0o755), (0o1777, None, 0o1777),
                                                
                                                pytest.param(0o700, "mode=0711", 0o711,
                                                             marks=pytest.mark.own),
                                                (None, None, None)])
def test_mode_of_a_tmpfs(new_box, mode, option, want):
    box = new_box("stat /data")
    if mode is not None:
        os.mkdir(box.path("/data"))
        os.chmod(box.path("/data"), mode)
    box.mount("/data", options=[option] if option else [])
    got = box.run().line("stat")["mode"]
    assert got == want or (want is None and got in (0o1777, 0o755))


@pytest.mark.rows("MNT-51")
@pytest.mark.own
def test_mode_of_a_tmpfs_on_a_new_directory(new_box):
    box = new_box("stat /data")
    box.mount("/data")
    assert box.run().line("stat")["mode"] == 0o1777


@pytest.mark.rows("MNT-52", "MNT-55", "MNT-60", "DEV-21")
def test_kernel_file_systems(new_box):
    box = new_box("stat /proc", "stat /sys", "stat /dev/mqueue", "stat /dev/pts", "stat /dev/shm",
                  "read /proc/self/mountinfo", "ls /dev/pts")
    told = box.run()
    assert told.line("stat", "/proc")["mode"] == 0o555
    assert told.line("stat", "/sys")["mode"] == 0o555
    assert told.line("stat", "/dev/mqueue")["mode"] == 0o1777
    assert told.line("stat", "/dev/shm")["mode"] == 0o1777
    assert "ptmxmode=666" in options_of(told, "/dev/pts")[4]
    if who.AS != "single-id":   # there it is nobody's
        gid = who.host_id(5) if who.ROOTLESS else 5
        assert f"gid={gid}" in options_of(told, "/dev/pts")[4]
    assert told.line("ls", "/dev/pts")["names"] == ["ptmx"]
    assert options_of(told, "/sys")[0] >= {"ro", "nosuid", "nodev", "noexec"}


@pytest.mark.rows("MNT-53", "UID-16")
def test_tmpfs_data_in_a_user_namespace(new_box):
    box = new_box("statfs /data", "stat /data")
    box.userns()
    box.mount("/data", options=["size=128k", "mode=0700"])
    told = box.run()
    assert told.line("statfs", "/data")["bytes"] == 131072
    line = told.line("stat", "/data")
    assert (line["uid"], line["mode"]) == (0, 0o700)


@pytest.mark.rows("MNT-54")
@pytest.mark.needs("overlay")
def test_overlay(new_box):
    box = new_box("read /data/f", "create /data/new")
    for name in ("lower", "upper", "work"):
        box.beside(name)
    box.beside("lower/f", "content")
    box.mount("/data", "overlay", "overlay",
              [f"{key}dir={box.dir}/{key}" for key in ("lower", "upper", "work")])
    told = box.run()
    assert told.text("/data/f") == "content"
    assert os.path.exists(box.dir + "/upper/new")


@pytest.mark.rows("MNT-57", "UID-18", "HDN-10")
@pytest.mark.own
def test_sys_in_a_user_namespace_with_the_host_s_network(new_box):
    """sysfs cannot be mounted there: the host's /sys takes its place, and stays read-only."""
    box = new_box("statfs /sys", "ls /sys", "mkdir /sys/fs/cgroup/x", "ls /sys/fs/cgroup")
    box.userns()
    box.namespace("network", absent=True)
    del box.config["mounts"][6]
    told = box.run()
    assert "ro" in flags_of(told, "/sys")
    assert "kernel" in told.line("ls", "/sys")["names"]
    assert told.errno("mkdir", "/sys/fs/cgroup/x") is not None


@pytest.mark.rows("MNT-61", "MNT-63", "MNT-64", "MNT-65", "CGM-30")
@pytest.mark.parametrize("private", [True, False], ids=["cgroupns", "host-cgroupns"])
@pytest.mark.own
def test_cgroup_mount(new_box, cgroups, private):
    box = new_box("ls /sys/fs/cgroup", "mkdir /sys/fs/cgroup/x", "read /proc/self/mountinfo",
                  "statfs /sys/fs/cgroup", "mkdir /sys/fs/cgroup/memory/x",
                  "ls /sys/fs/cgroup/memory", "read /sys/fs/cgroup/pids/cgroup.procs",
                  "read /sys/fs/cgroup/cgroup.procs")
    if not private:
        box.namespace("cgroup", absent=True)
    told = box.run()
    names = told.line("ls", "/sys/fs/cgroup")["names"]
    assert told.errno("mkdir", "/sys/fs/cgroup/x") == "EROFS"
    if cgroups.layout == "v2":
        assert "cgroup.procs" in names
        assert told.text("/sys/fs/cgroup/cgroup.procs").split() == ["1"]
    else:
        assert set(names) >= {os.path.basename(each) for each in cgroups.v1.values()}
        assert told.errno("mkdir", "/sys/fs/cgroup/memory/x") == "EROFS"
        assert told.text("/sys/fs/cgroup/pids/cgroup.procs").split() == ["1"]


@pytest.mark.rows("MNT-61", "MNT-64", "CGM-19")
def test_writable_cgroup_mount(new_box, cgroups):
    box = new_box("mkdir /sys/fs/cgroup/x", "mkdir /sys/fs/cgroup/pids/x")
    box.config["mounts"][6]["options"].remove("ro")
    told = box.run()
    if cgroups.layout == "v2":
        assert told.errno("mkdir", "/sys/fs/cgroup/x") is None
    else:
        assert told.errno("mkdir", "/sys/fs/cgroup/pids/x") is None


@pytest.mark.rows("MNT-72")
@pytest.mark.own
def test_many_mounts(new_box):
    box = new_box("read /data/599/f")
    source = box.beside("d")
    box.beside("d/f", "x")
    for number in range(600):
        box.bind(source, f"/data/{number}", "ro")
    assert box.run().text("/data/599/f") == "x"


@pytest.mark.rows("MNT-17")
@pytest.mark.own
def test_remount(new_box):
    box = new_box("statfs /dev/shm")
    box.mount("/dev/shm", options=["remount", "ro", "nosuid"])
    assert "ro" in flags_of(box.run(), "/dev/shm")


@pytest.mark.rows("MNT-22")
@pytest.mark.own
def test_data_longer_than_a_page(box, fails):
    at = box.mount("/data", options=["size=1k", "x" * 9000])
    fails(box.create(code=None), "/data", at=at)


@pytest.mark.rows("MNT-05", "MNT-06")
@pytest.mark.own
def test_over_proc_only_some_files(new_box, fails):
    box = new_box("read /proc/meminfo")
    box.bind(box.beside("meminfo", "fake"), "/proc/meminfo")
    assert box.run().text("/proc/meminfo") == "fake"
    at = box.bind(box.dir + "/meminfo", "/proc/self/attr/exec")
    fails(box.create(code=None), "/proc/self/attr/exec", at=at)


@pytest.mark.rows("NSP-21")
@pytest.mark.parametrize("joined", [False, True], ids=["no namespace", "by its path"])
def test_mqueue_of_the_host_in_a_user_namespace(new_box, fails, joined):
    """The kernel lets no user namespace have the host's queues, and neither does rt."""
    box = new_box("report")
    box.userns()
    box.namespace("ipc", path="/proc/self/ns/ipc" if joined else None, absent=not joined)
    fails(box.create(code=None), "mqueue", "operation not permitted", own=("ipc namespace",),
          at="/mounts/4")
