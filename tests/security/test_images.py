# SPDX-License-Identifier: Apache-2.0
"""Images of a checkpoint that say more than the document (CRI-O CVE-2026-92574, criu#1793). What CRIU does with
images it does as root, long before rt can look: so each of these is refused before CRIU hears of it. A program in
CRIU's place remembers what it was asked for."""

import json
import os
import shutil

import pytest

import criu_images
import fake_criu
from criu_images import (DEVICE, EGID, EUID, GROUPS, HOST, KEY, MOUNT_FLAGS, NAME, NO_NEW_PRIVS, PLUGIN, POINT, ROOT,
                         SETS, SOURCE, UID, Images)

pytestmark = [pytest.mark.own, pytest.mark.needs("root: CRIU")]

RESTORE = 2


@pytest.fixture
def asked(work, monkeypatch):
    """The tasks that CRIU was given."""
    directory = f"{work}/fake-criu"
    os.mkdir(directory)
    shutil.copy(fake_criu.__file__, f"{directory}/criu")
    os.chmod(f"{directory}/criu", 0o755)
    with open(f"{directory}/answer", "w", encoding="ascii") as file:
        file.write("no")
    monkeypatch.setenv("PATH", f"{directory}:{os.environ['PATH']}")

    def tasks():
        try:
            with open(f"{directory}/requests", encoding="utf-8") as file:
                return [dict(json.loads(line))[1] for line in file]
        except FileNotFoundError:
            return []
    return tasks


@pytest.fixture
def victim(new_box):
    """It has few rights, and a volume that it may read."""
    box = new_box("pause")
    box.process["noNewPrivileges"] = True
    box.process["capabilities"] = {name: ["CAP_KILL"] for name in ("bounding", "permitted", "effective")}
    box.process["user"] = {"uid": 1000, "gid": 1000, "additionalGids": [5]}
    box.bind(box.beside("volume"), "/volume", "ro", "nosuid")
    box.up()
    box.images = os.path.join(box.dir, "images")
    os.mkdir(box.images, 0o700)
    return box


def restore(box, images, *flags):
    images.write(box.images)
    box.linux["cgroupsPath"] = f"/{box.cgroup}-other"
    box.save()
    return box.rt.call("restore", "-d", "-b", box.dir, "--image-path", box.images, *flags, "other")


def change(entry, field, value):
    for each in entry:
        if each[0] == field:
            each[1] = value
            return
    entry.append([field, value])


def add_to_set(name, bit):
    """A bit in the low word of a set."""
    def apply(images):
        for each in images.credentials:
            if each[0] == SETS[name]:
                each[1] |= 1 << bit
                return
    return apply


def packed(images):
    """CRIU's reader takes a packed list for the same."""
    kept = [each for each in images.credentials if each[0] != SETS["permitted"]]
    images.credentials[:] = kept + [[SETS["permitted"], fake_criu.number(1 << 21) + fake_criu.number(0)]]


def twice(images):
    """The last one counts for CRIU; for others it may be the first."""
    images.thread.append([10, [each[:] for each in images.credentials]])


def without_credentials(images):
    images.thread[:] = [each for each in images.thread if each[0] != 10]


def another_thread(images):
    images.tree[0].append([5, 2])


def twice_in_the_tree(images):
    images.tree.append([[1, 1], [2, 1], [3, 1], [4, 1], [5, 1]])


def mount_more(images, **fields):
    images.bind("/tmp")
    mount = images.mounts[-1]
    mount[:] = [each for each in mount if each[0] != KEY]
    for name, value in fields.items():
        change(mount, getattr(criu_images, name), value)


def change_mount(point, field, value):
    return lambda images: change(images.mount(point), field, value)


def without(point):
    return lambda images: images.mounts.remove(images.mount(point))


def without_key(images):
    mount = images.mount("/volume")
    mount[:] = [each for each in mount if each[0] != KEY]


RIGHTS = {
    **{name: (add_to_set(name, 21), f"/process/capabilities/{name}", f"{name} set: 200000") for name in SETS},
    "packed": (packed, "/process/capabilities/permitted", "permitted set: 200000"),
    "twice": (twice, "", "core-1.img of the images is not what CRIU writes"),
    "no_credentials": (without_credentials, "/process", "has no credentials"),
    "uid": (lambda images: change(images.credentials, UID, 0), "/process/user/uid", "has the uid 0"),
    "euid": (lambda images: change(images.credentials, EUID, 0), "/process/user/uid", "has the uid 0"),
    "egid": (lambda images: change(images.credentials, EGID, 0), "/process/user/gid", "has the gid 0"),
    "group": (lambda images: images.credentials.append([GROUPS, 0]), "/process/user/additionalGids",
              "has the group 0"),
    "no_new_privs": (lambda images: change(images.credentials, NO_NEW_PRIVS, 0), "/process/noNewPrivileges",
                     "may gain privileges"),
    "thread": (another_thread, "", "core-2.img of the images"),
    "tree": (twice_in_the_tree, "", "pstree.img of the images is not"),
    "ipc": (lambda images: change(images.ids, 7, HOST), "/linux/namespaces", "in the host's ipc namespace"),
    "version": (lambda images: change(images.inventory, 1, 1), "", "the images have the version 1"),
    "apparmor": (lambda images: images.more.update({"apparmor.img": b""}), "", "would become the host's"),
}


@pytest.mark.rows("CKP-29")
@pytest.mark.parametrize("kind", RIGHTS)
def test_rights(victim, asked, fails, kind):
    apply, at, words = RIGHTS[kind]
    images = Images(victim)
    apply(images)
    told = restore(victim, images)
    if at:
        fails(told, words, at=at)
    else:
        fails(told, words)
    assert asked() == []
    assert victim.rt.call("state", "other").code == 1 and victim.cgroups.dirs(f"{victim.cgroup}-other") == []


@pytest.mark.rows("CKP-29")
def test_what_the_document_allows_reaches_criu(victim, asked):
    """What all others differ from by one thing."""
    assert restore(victim, Images(victim)).code == 1
    assert RESTORE in asked()


@pytest.mark.rows("CKP-29")
def test_no_capabilities_in_the_document_are_none(victim, asked, fails):
    images = Images(victim)
    del victim.process["capabilities"]
    fails(restore(victim, images), "has more capabilities in its bounding set: 20", at="/process")
    assert asked() == []


MOUNTS = {
    "block_device": (mount_more, "/mounts", "is not in the document"),
    "ramfs": (lambda images: mount_more(images, NAME=b"ramfs"), "/mounts", "is not in the document"),
    "writable": (change_mount("/volume", MOUNT_FLAGS, 2), "volume", "can be written to"),
    "setuid": (change_mount("/volume", MOUNT_FLAGS, 1), "volume", "is not nosuid"),
    "other_key": (change_mount("/volume", KEY, b"/dev/null"), "volume", "is something else of the host"),
    "no_key": (without_key, "volume", "is not the one of the host"),
    "point": (change_mount("/volume", POINT, b"/volume/../../etc"), "/mounts", "leads out of the root"),
    "relative": (change_mount("/volume", POINT, b"volume"), "/mounts", "leads out of the root"),
    "root": (change_mount("/proc", ROOT, b"/x/../../etc"), "/mounts", "leads out of the root"),
    "type": (change_mount("/proc", NAME, b"ext4"), "/mounts/0", "is of another type"),
    "plugin": (change_mount("/proc", PLUGIN, 1), "/mounts/0", "is of another type"),
    "missing": (without("/volume"), "volume", "is not there"),
}


@pytest.mark.rows("CKP-29", "CKP-25")
@pytest.mark.parametrize("kind", MOUNTS)
def test_mounts(victim, asked, fails, kind):
    """CRIU would mount it: a host's device is written to by that alone."""
    apply, at, words = MOUNTS[kind]
    images = Images(victim)
    apply(images)
    if at == "volume":
        at = f"/mounts/{len(victim.config['mounts']) - 1}"
    fails(restore(victim, images), words, at=at)
    assert asked() == []


@pytest.mark.rows("CKP-29")
@pytest.mark.parametrize("kind, more", [(b"tmpfs", True), (b"ext4", False)])
def test_who_may_mount_may_have_mounted(victim, asked, kind, more):
    """A tmpfs, but nothing of the host."""
    for name in ("bounding", "permitted", "effective"):
        victim.process["capabilities"][name] = ["CAP_SYS_ADMIN"]
    images = Images(victim)
    mount_more(images, NAME=kind, ROOT=b"/", SOURCE=b"x", DEVICE=7)
    restore(victim, images)
    assert (RESTORE in asked()) == more


GROUP, CHILD, PROPERTY = 1, 2, 3


@pytest.mark.rows("CKP-13", "CKP-29")
@pytest.mark.parametrize("entry", [
    [[2, [[2, [[GROUP, b"/../../etc"]]]]]],
    [[2, [[2, [[GROUP, b"/box"], [CHILD, [[GROUP, b"../../etc"]]]]]]]],
    [[2, [[2, [[GROUP, b"/box"], [CHILD, [[GROUP, b".."]]]]]]]],
    [[2, [[2, [[GROUP, b"/box"], [PROPERTY, [[1, b"../../etc/passwd"], [2, b"x"]]]]]]]],
    [[1, [[1, 1], [2, [[1, b"pids"], [2, b"/a/../../etc"]]]]]]])
def test_names_of_cgroups(victim, asked, fails, entry):
    """They are believed where the caller asks for it, but lead nowhere else; and not at all without."""
    images = Images(victim)
    images.cgroup = entry
    fails(restore(victim, images, "--manage-cgroups-mode", "soft"), "cgroup.img of the images leads out")
    assert asked() == []
    restore(victim, images)
    assert RESTORE in asked()


@pytest.mark.rows("CKP-29")
@pytest.mark.parametrize("name", ["inventory.img", "pstree.img", "core-1.img", "ids-1.img", "mountpoints-13.img"])
@pytest.mark.parametrize("how", ["cut", "magic", "empty", "writable"])
def test_rubbish(victim, asked, fails, name, how):
    images = Images(victim)
    images.write(victim.images)
    with open(f"{victim.images}/{name}", "rb") as file:
        data = file.read()
    changed = {"cut": data[:-1], "magic": b"\0\0\0\0" + data[4:], "empty": b"", "writable": data}[how]
    images.more[name] = changed
    if how == "writable":
        os.chmod(f"{victim.images}/{name}", 0o666)
    fails(restore(victim, images), name)
    assert asked() == []


@pytest.mark.rows("CKP-25")
def test_no_place_of_the_image_is_named_as_another(asked, new_box, fails):
    """runc CVE-2026-119101, crun CVE-2026-115520: by a link of the image a volume lies at a path that CRIU reads
    as another mount's name, with a host's directory behind it."""
    box = new_box("pause")
    box.file("/volume]:/etc/x/keep")
    os.symlink("volume]:/etc/x", box.path("/volume"))
    box.bind(box.beside("source"), "/volume")
    box.up()
    images = os.path.join(box.dir, "images")
    fails(box.rt.call("checkpoint", "--leave-running", "--image-path", images, box.id), "]:", "/volume]:/etc/x")
    assert 1 not in asked() and not os.path.exists(images)      # a dump


@pytest.mark.rows("CKP-25")
def test_no_place_of_the_document_is_named_as_another(asked, victim, fails):
    """The same at a restore, where the names are those of the document."""
    images = Images(victim)
    images.bind("/volume]:/etc/x")
    victim.bind(victim.beside("source"), "/volume]:/etc/x")
    fails(restore(victim, images), "]:", "/volume]:/etc/x")
    assert RESTORE not in asked()
