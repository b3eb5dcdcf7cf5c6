# SPDX-License-Identifier: Apache-2.0
"""Mounts that rt copies outside, before the container's mount namespace is there: what lies below them, what
may not be bound, and what is in sight only inside."""

import os
import subprocess

import pytest

import host

MS_UNBINDABLE = 1 << 17
pytestmark = [pytest.mark.own, pytest.mark.needs("root: mounts on the host")]
MAPS = [{"containerID": 0, "hostID": 1000, "size": 100}]


@pytest.fixture
def mounted(work):
    """A tmpfs of the host's, private or what `flags` says."""
    made = []

    def make(name, flags=host.MS_PRIVATE):
        path = os.path.join(work, name)
        os.makedirs(path, exist_ok=True)
        host.mount("tmpfs", path, "tmpfs")
        made.append(path)
        host.mount("none", path, flags=flags)
        return path
    make.made = made
    yield make
    for path in reversed(made):
        host.umount(path)


@pytest.fixture
def pinned(mounted):
    """A folder of the host with a mount namespace below it, as snapd has them in /run/snapd/ns. All runs on
    one processor, where the kernel counts namespaces upwards: ours is older than the pinned one, as it has to
    be, and a container's is younger."""
    before, cwd = os.sched_getaffinity(0), os.getcwd()
    former = os.open("/proc/self/ns/mnt", os.O_RDONLY)
    os.sched_setaffinity(0, {min(before)})
    host.own_mount_namespace()
    folder = mounted("hostrun")
    for name in ("ns", "file"):
        with open(f"{folder}/{name}", "w", encoding="ascii") as file:
            file.write("of the host")
    subprocess.run(["unshare", f"--mount={folder}/ns", "true"], check=True)
    yield folder
    host.umount(folder + "/ns")
    host.umount(folder)
    mounted.made.remove(folder)
    host.checked(host.LIBC.setns(former, host.CLONE_NEWNS), "setns")
    os.close(former)
    os.chdir(cwd)
    os.sched_setaffinity(0, before)


@pytest.mark.rows("MNT-23", "UID-19")
@pytest.mark.parametrize("kind", ["plain", "userns", pytest.param("idmapped", marks=pytest.mark.needs("idmap-tmpfs")),
                                  pytest.param("shared", marks=pytest.mark.needs("open-tree"))])
def test_pinned_mount_namespaces_below_a_source(new_box, pinned, kind):
    """They have no place in a younger namespace, and are left out."""
    box = new_box("read /data/file", "read /data/ns")
    options, more = ["rbind"], {}
    if kind == "userns":
        box.userns()
    elif kind == "idmapped":
        more = {"uidMappings": MAPS, "gidMappings": MAPS}
    elif kind == "shared":
        host.mount("none", pinned, flags=host.MS_SHARED)
        box.linux["rootfsPropagation"] = "rshared"
        options.append("rshared")
    box.mount("/data", "bind", pinned, options, **more)
    told = box.run()
    assert told.text("/data/file") == told.text("/data/ns") == "of the host"


@pytest.mark.rows("RFS-01", "MNT-23")
def test_pinned_mount_namespaces_below_the_root(new_box, pinned):
    box = new_box("read /run/file", "read /run/ns")
    os.mkdir(box.path("/run"))
    host.mount(pinned, box.path("/run"), flags=host.MS_BIND | host.MS_REC)
    try:
        told = box.run()
        assert told.text("/run/file") == told.text("/run/ns") == "of the host"
    finally:
        host.umount(box.path("/run/ns"))
        host.umount(box.path("/run"))


@pytest.mark.rows("RFS-01", "RFS-08")
@pytest.mark.parametrize("userns", [False, True], ids=["plain", "userns"])
def test_root_on_an_unbindable_mount(new_box, userns):
    box = new_box("create /tmp/x", "read /proc/self/mountinfo")
    os.chmod(box.path("/tmp"), 0o777)
    host.mount(box.rootfs, box.rootfs, flags=host.MS_BIND)
    try:
        host.mount("none", box.rootfs, flags=MS_UNBINDABLE)
        if userns:
            box.userns()
        told = box.run()
        assert told.errno("create", "/tmp/x") is None
    finally:
        host.umount(box.rootfs)


@pytest.mark.rows("MNT-23", "UID-19")
@pytest.mark.parametrize("userns", [False, True], ids=["plain", "userns"])
def test_source_on_an_unbindable_mount(new_box, mounted, userns):
    box = new_box("stat /data/f", "read /proc/self/mountinfo")
    source = mounted("volume", MS_UNBINDABLE)
    with open(source + "/f", "w", encoding="ascii"):
        pass
    if userns:
        box.userns()
    box.bind(source, "/data")
    told = box.run()
    assert told.line("stat", "/data/f")["type"] == "file"
    line = next(each for each in told.text("/proc/self/mountinfo").splitlines() if " /data " in each)
    assert "shared:" not in line


@pytest.mark.rows("MNT-01", "MNT-40", "MNT-41", "MNT-44")
@pytest.mark.needs("idmap-tmpfs")
@pytest.mark.parametrize("userns", [False, True], ids=["plain", "userns"])
def test_idmapped_source_that_an_earlier_mount_has_brought(new_box, mounted, userns):
    """Also over a directory that the image has there: what is seen is what is mapped. The ids of a container
    in a user namespace can be mapped only from outside."""
    box = new_box("stat /final/f", "stat /other/f", "pause")
    first = 100000 if userns else 0
    volume = mounted("volume")
    os.mkdir(volume + "/x")
    for directory in (volume + "/x", box.path("/mnt/x")):
        os.makedirs(directory, exist_ok=True)
        with open(directory + "/f", "w", encoding="ascii"):
            pass
    os.chown(volume + "/x/f", 5, 6)
    if userns:
        box.userns()
    maps = [{"containerID": 0, "hostID": first + 1000, "size": 100}]
    box.bind(volume, "/mnt")
    for destination in ("/final", "/other"):
        box.bind(box.rootfs + "/mnt/x", destination, uidMappings=maps, gidMappings=maps)
    told = box.up()
    for path in ("/final/f", "/other/f"):
        line = told.line("stat", path)
        assert (line["uid"], line["gid"]) == (1005, 1006)
    assert "rt:idmapper" not in [host.comm(pid) for pid in host.children()]


@pytest.mark.rows("MNT-42")
@pytest.mark.needs("mount-setattr")
def test_idmapped_source_below_the_root_that_cannot_be_mapped(new_box, fails):
    box = new_box("report")
    box.userns()
    at = box.bind(box.rootfs + "/proc/sys", "/data", uidMappings=MAPS, gidMappings=MAPS)
    fails(box.create(code=None), "id-mapped", "/data", at=at)
