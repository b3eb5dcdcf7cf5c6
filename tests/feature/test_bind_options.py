# SPDX-License-Identifier: Apache-2.0
"""Binds of symbolic links and into read-only mounts: the options that crun made up for them."""

import os

import pytest

import host
from bundle import label


def link_box(new_box, *ops):
    """Beside the root: `file`, and `link` that leads to it."""
    box = new_box(*ops)
    box.beside("file", "of the host")
    os.symlink("file", os.path.join(box.dir, "link"))
    return box


@pytest.mark.rows("MNT-48")
@pytest.mark.own
@pytest.mark.parametrize("present", [None, "file"])
def test_copy_symlink(new_box, present):
    box = link_box(new_box, "stat /etc/link")
    if present:
        os.symlink(present, box.path("/etc/link"))
    box.bind(box.dir + "/link", "/etc/link", "copy-symlink")
    line = box.run().line("stat")
    assert (line["type"], line["target"]) == ("link", "file")


@pytest.mark.rows("MNT-48")
@pytest.mark.own
def test_copy_symlink_of_what_is_none(new_box):
    box = link_box(new_box, "read /etc/file")
    box.bind(box.dir + "/file", "/etc/file", "copy-symlink")
    assert box.run().text("/etc/file") == "of the host"


@pytest.mark.rows("MNT-48")
@pytest.mark.own
@pytest.mark.parametrize("present", ["elsewhere", None], ids=label)
def test_copy_symlink_onto_something_else(new_box, fails, present):
    box = link_box(new_box)
    if present:
        os.symlink(present, box.path("/etc/link"))
    else:
        box.file("/etc/link", "x")
    at = box.bind(box.dir + "/link", "/etc/link", "copy-symlink")
    fails(box.create(code=None), "/etc/link exists", at=at)
    assert os.readlink(box.path("/etc/link")) == present if present else \
        not os.path.islink(box.path("/etc/link"))


@pytest.mark.rows("MNT-49", "MNT-50")
@pytest.mark.own
@pytest.mark.needs("mount-setattr")
@pytest.mark.needs("open-tree")
def test_src_nofollow(new_box):
    """The link itself is mounted, over a link."""
    box = link_box(new_box, "stat /etc/here")
    os.symlink("elsewhere", box.path("/etc/here"))
    box.bind(box.dir + "/link", "/etc/here", "src-nofollow", "dest-nofollow")
    line = box.run().line("stat")
    assert (line["type"], line["target"]) == ("link", "file")
    assert os.readlink(box.path("/etc/here")) == "elsewhere"


@pytest.mark.rows("MNT-50")
@pytest.mark.own
@pytest.mark.parametrize("nofollow", [False, True], ids=["follow", "nofollow"])
def test_dest_nofollow(new_box, nofollow):
    box = link_box(new_box, "stat /etc/here", "read /etc/target")
    box.file("/etc/target", "of the container")
    os.symlink("target", box.path("/etc/here"))
    box.bind(box.dir + "/file", "/etc/here", *(["dest-nofollow"] if nofollow else []))
    told = box.run()
    assert told.line("stat")["type"] == ("file" if nofollow else "link")
    assert told.text("/etc/target") == ("of the container" if nofollow else "of the host")


@pytest.mark.rows("MNT-50")
@pytest.mark.own
def test_dest_nofollow_where_nothing_is(new_box):
    box = link_box(new_box, "read /etc/new")
    box.bind(box.dir + "/file", "/etc/new", "dest-nofollow")
    assert box.run().text("/etc/new") == "of the host"


@pytest.mark.rows("MNT-45")
@pytest.mark.own
@pytest.mark.needs("idmap-tmpfs")
@pytest.mark.needs("root: id-mapped mounts")
def test_idmapped_mount_of_a_symlink(new_box):
    """What it leads to is mounted, with the ids mapped."""
    box = new_box("stat /data/f")
    source = box.beside("d")
    box.beside("d/f", "x")
    os.chown(source + "/f", 5, 6)
    os.symlink("d", os.path.join(box.dir, "link"))
    maps = [{"containerID": 0, "hostID": 1000, "size": 100}]
    box.bind(box.dir + "/link", "/data", "idmap", uidMappings=maps, gidMappings=maps)
    line = box.run().line("stat")
    assert (line["uid"], line["gid"]) == (1005, 1006)


@pytest.mark.rows("MNT-31")
def test_mount_points_in_a_read_only_bind(new_box):
    """Those that are there serve, as an engine's files below a read-only /etc do."""
    box = new_box("create /data/x", "create /data/dir/x", "read /data/file")
    source = box.beside("d")
    box.beside("d/dir")
    box.beside("d/file", "below")
    box.bind(source, "/data", "ro")
    box.mount("/data/dir")
    box.bind(box.beside("f", "mounted"), "/data/file", "ro")
    told = box.run()
    assert told.errno("create", "/data/x") == "EROFS"
    assert told.errno("create", "/data/dir/x") is None
    assert told.text("/data/file") == "mounted"
    assert sorted(os.listdir(source)) == ["dir", "file"]


@pytest.mark.rows("MNT-31")
@pytest.mark.own
def test_mount_points_in_a_tmpfs_that_becomes_read_only(new_box):
    box = new_box("create /data/x", "create /data/dir/x", "read /data/file")
    box.mount("/data", options=["ro"])
    box.mount("/data/dir")
    box.bind(box.beside("f", "mounted"), "/data/file", "ro")
    told = box.run()
    assert told.errno("create", "/data/x") == "EROFS"
    assert told.errno("create", "/data/dir/x") is None
    assert told.text("/data/file") == "mounted"


@pytest.mark.rows("DEV-16")
@pytest.mark.own
@pytest.mark.needs("root: gives a right away")
def test_without_the_right_to_make_nodes(new_box):
    """As in a container: what rt may not make it binds."""
    box = new_box("stat /dev/null", "open /dev/null rw", "stat /dev/mine", "open /dev/zero r",
                  "read /proc/self/mountinfo")
    for name in ("bounding", "effective", "permitted"):
        box.process["capabilities"][name] = ["CAP_KILL"]
    box.linux["devices"] = [{"path": "/dev/mine", "type": "p", "fileMode": 0o600}]

    def drop_mknod():
        assert host.LIBC.prctl(24, 27, 0, 0, 0) == 0    # PR_CAPBSET_DROP, CAP_MKNOD
    told = box.run(preexec_fn=drop_mknod)
    line = told.line("stat", "/dev/null")
    assert (line["type"], line["major"], line["minor"]) == ("char", 1, 3)
    assert told.errno("open", "/dev/null") is None and told.errno("open", "/dev/zero") is None
    assert told.line("stat", "/dev/mine")["type"] == "fifo"
    places = [each.split()[4] for each in told.text("/proc/self/mountinfo").splitlines()]
    assert {"/dev/null", "/dev/zero", "/dev/tty"} <= set(places)


@pytest.mark.rows("MNT-46", "MNT-41")
@pytest.mark.own
@pytest.mark.needs("idmap-tmpfs")
@pytest.mark.needs("root: id-mapped mounts")
@pytest.mark.parametrize("option, userns, ids", [
    ("idmap=uids=0-1000-100;gids=0-2000-100", False, (1005, 2006)),
    ("idmap=uids=0-100-1#5-700-1;gids=6-0-1", False, (700, 0)),
    ("idmap=uids=@0-20-100;gids=@0-30-100", True, (25, 36)),
    ("ridmap=uids=@5-0-1;gids=0-100000-100", True, (0, 6))], ids=label)
def test_mappings_in_an_option(new_box, option, userns, ids):
    """As engines write them for crun."""
    box = new_box("stat /data/f")
    if userns:
        box.userns()
    source = box.beside("d")
    box.beside("d/f", "x")
    os.chown(source + "/f", 5, 6)
    box.bind(source, "/data", "rbind", option)
    line = box.run().line("stat", "/data/f")
    assert (line["uid"], line["gid"]) == ids


@pytest.mark.rows("MNT-46")
@pytest.mark.own
@pytest.mark.needs("idmap-tmpfs")
@pytest.mark.needs("root: id-mapped mounts")
@pytest.mark.parametrize("option, words", [
    ("idmap=uids=@0-20-100;gids=0-20-100", "container's own mappings"),
    ("idmap=uids=0-20;gids=0-20-100", "idmap=uids=0-20")], ids=label)
def test_mappings_in_an_option_that_are_wrong(box, fails, option, words):
    at = box.bind(box.beside("d") or box.dir + "/d", "/data", "rbind", option)
    fails(box.create(code=None), words, at=at)


@pytest.mark.rows("MNT-46")
@pytest.mark.own
@pytest.mark.needs("idmap-tmpfs")
@pytest.mark.needs("root: id-mapped mounts")
@pytest.mark.parametrize("range_", ["@0-0-65537", "@0-1-65536", "@0-65536-1", "@0-65535-2"])
def test_mappings_that_leave_the_container_s(box, fails, range_):
    """The ids behind its own are somebody else's."""
    box.userns()
    at = box.bind(box.beside("d") or box.dir + "/d", "/data", "rbind", f"idmap=uids={range_};gids=0-0-1")
    fails(box.create(code=None), "container's own mappings", at=at)
