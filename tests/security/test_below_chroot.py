# SPDX-License-Identifier: Apache-2.0
"""rt itself below a chroot: rescue roots, test beds, snaps. pivot_root changes the root of the caller only, and
the root of the mount namespace stays the host's: an exec would land there, and a container that may chroot or
setns would walk out to it. The host's file here is one that the host and the chroot see, and no container."""

import os
import shutil

import pytest

import compiled
import host
from bundle import CAPS
from criu_images import Images
from fixtures import TOOLS
from test_criu import RESTORE, criu, restore, running  # noqa: F401 (two are fixtures)
from test_shared_mounts import share

pytestmark = [pytest.mark.needs("root: makes a chroot"), pytest.mark.rows("RFS-01", "RFS-02", "RFS-09")]
BEDS = pytest.mark.parametrize("bed", ["mount", "directory"], indirect=True)
PR_CAPBSET_DROP, CAP_SYS_CHROOT = 24, 18
PIVOT = pytest.mark.parametrize("flags", [(), ("--no-pivot",)], ids=["pivot", "no-pivot"])


@pytest.fixture(scope="session")
def walkout():
    return compiled.program("walkout", [os.path.join(TOOLS, "walkout.c")])


def bind_what_is_in(source, target):
    """The same view in a directory that is no mount point."""
    for entry in os.scandir(source):
        path = os.path.join(target, entry.name)
        if entry.is_symlink():
            os.symlink(os.readlink(entry.path), path)
            continue
        if entry.is_dir():
            os.mkdir(path)
        else:
            os.mknod(path)
        host.mount(entry.path, path, flags=host.MS_BIND | host.MS_REC)


@pytest.fixture
def bed(request, work):
    """For preexec_fn: below a chroot that shows what the host shows. Its mounts end with the process."""
    place = os.path.join(work, "bed")
    os.mkdir(place)

    def enter():
        host.checked(host.LIBC.unshare(host.CLONE_NEWNS), "unshare")
        host.mount("none", "/", flags=host.MS_REC | host.MS_PRIVATE)
        if request.param == "mount":
            host.mount("/", place, flags=host.MS_BIND | host.MS_REC)
            host.mount("none", place, flags=host.MS_REC | host.MS_SHARED)
        else:
            host.mount("tmpfs", place, "tmpfs")
            os.mkdir(f"{place}/root")
            bind_what_is_in("/", f"{place}/root")
        os.chroot(place if request.param == "mount" else f"{place}/root")
        os.chdir("/")
    return enter


@pytest.fixture
def armed(new_box, walkout, work):
    """A container with all rights of the document, and the host's file."""
    def make(*words):
        box = new_box()
        shutil.copy(walkout, box.path("/bin/walkout"))
        box.process["args"] = ["/bin/walkout", *words]
        box.process["capabilities"] = {each: CAPS + ["CAP_SYS_ADMIN"]
                                               for each in ("bounding", "effective", "permitted")}
        return box
    make.canary = os.path.join(work, "canary")
    with open(make.canary, "w", encoding="ascii") as file:
        file.write("the host's")
    return make


@pytest.mark.parametrize("way", ["chroot", "setns"])
@BEDS
@PIVOT
def test_no_way_out(armed, bed, way, flags):
    box = armed(way, armed.canary)
    assert box.run(*flags, preexec_fn=bed).out == f"{way} No such file or directory\n"


@BEDS
@PIVOT
@pytest.mark.rows("EXE-28")
def test_exec_lands_in_the_container(armed, bed, flags):
    """From below the chroot and from the host, and what is exec'd stays in, too."""
    box = armed("pause")
    box.file("/etc/inside", "yes")
    box.create(*flags, preexec_fn=bed)
    box.start()
    assert box.line() == "up"
    for where in ({}, {"preexec_fn": bed}):
        told = box.exec(ops=("read /etc/inside", f"stat {armed.canary}"), **where)
        assert told.text("/etc/inside") == "yes"
        assert told.errno("stat", armed.canary) == "ENOENT"
        for way in ("chroot", "setns"):
            told = box.rt.call("exec", box.id, "/bin/walkout", way, armed.canary, **where)
            assert told.out == f"{way} No such file or directory\n", told


@BEDS
@pytest.mark.rows("NSP-19")
def test_a_joined_mount_namespace(armed, bed):
    """Its root is the first container's, for those that join it and their execs."""
    first = armed("pause")
    first.file("/etc/inside", "yes")
    first.create(preexec_fn=bed)
    first.start()
    assert first.line() == "up"
    second = share(armed("chroot", armed.canary), first.pid)
    second.config["root"] = {"path": "/"}
    assert second.run().out == "chroot No such file or directory\n"
    third = share(armed("pause"), first.pid)
    third.config["root"] = {"path": "/"}
    third.create(preexec_fn=bed)
    third.start()
    assert third.line() == "up"
    told = third.exec(ops=("read /etc/inside", f"stat {armed.canary}"))
    assert told.text("/etc/inside") == "yes"
    assert told.errno("stat", armed.canary) == "ENOENT"


@BEDS
@pytest.mark.rows("HKS-03")
def test_hooks_see_the_chroot(armed, bed, work):
    """Until the root is entered, paths are those of rt's caller."""
    box = armed("chroot", armed.canary)
    told = os.path.join(work, "told")
    box.hook("createContainer", f"hook {told}")
    box.run(preexec_fn=bed)
    assert len(box.hook_reports(told)) == 1


@BEDS
@pytest.mark.own
@pytest.mark.rows("NSP-09")
def test_no_user_namespace(armed, bed, fails):
    """The kernel makes none below a chroot, and says no more than that it is not permitted."""
    box = armed("chroot", armed.canary)
    box.userns()
    fails(box.run(code=None, preexec_fn=bed), "namespaces", "below a chroot", at="/linux/namespaces")


@BEDS
@pytest.mark.own
@pytest.mark.rows("CKP-22")
def test_no_restore(criu, running, bed, fails):  # noqa: F811
    """CRIU, as root of the chroot, would make the container's root there."""
    criu.tell("answer", "no")
    fails(restore(running, images=Images(running), preexec_fn=bed), "below a chroot")
    assert not os.path.exists(f"{criu.directory}/requests") or RESTORE not in [task for task, _ in criu.requests]


@pytest.mark.own
def test_a_root_that_is_not_the_containers(armed, fails):
    """A record says which root init had, and init which it has: what joins another one is not executed. Here the
    record's is gone, and init has gone into a directory: the namespace's root is neither."""
    box = armed("pause")
    box.process["args"] = ["/bin/walkout", "pause", "/etc"]
    box.create()
    box.start()
    assert box.line() == "up"
    record = os.path.join(box.rt.root, box.id, "record.json")
    box.exec(ops=("stat /bin/probe",))
    with open(record, encoding="utf-8") as file:
        text = file.read()
    number = next(line for line in text.splitlines() if '"rootInode"' in line)
    with open(record, "w", encoding="utf-8") as file:
        file.write(text.replace(number, '    "rootInode": 1,'))
    fails(box.exec("--cwd", "/", ops=("stat /bin/probe",), code=None), "root directory of the process", at="/root")


def test_where_rt_cannot_see_whether_it_is_below_one(new_box, fails):
    """The kernel tells it to a process with CAP_SYS_CHROOT; without, a root that may be left is not made."""
    box = new_box("report")
    told = box.create(code=None, preexec_fn=lambda: host.checked(
        host.LIBC.prctl(PR_CAPBSET_DROP, CAP_SYS_CHROOT, 0, 0, 0), "PR_CAPBSET_DROP"))
    fails(told, "cannot enter the root of the mount namespace", "CAP_SYS_CHROOT")
