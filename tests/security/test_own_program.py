# SPDX-License-Identifier: Apache-2.0
"""What a container can see of rt's program has an inode of its own (kernel/selfcopy): what it does to that reaches
neither the host's program nor other containers."""

import ctypes
import fcntl
import hashlib
import os
import re
import resource
import shutil
import signal
import stat
import subprocess

import pytest

import host

OWN = pytest.mark.own
ROOT = pytest.mark.needs("root: a copy is kept for the host's root")
KEPT = pytest.mark.needs("copy-without-memfd")
BASE = "/run/rt-program"
COPY_MODE = 0o1555
AT_FDCWD = -100
SYS_MOUNT_SETATTR = 442
MOUNT_ATTR_RDONLY = 1
PR_CAPBSET_DROP = 24
CAP_SYS_RESOURCE = 24
HOLD = ["/proc/self/exe", "--root", "/none", "update", "--resources", "-", "x"]    # reads its standard input first


def inode(path):
    status = os.stat(path)
    return status.st_dev, status.st_ino


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def build_id(program):
    """Where the linker's note has it in the file, and what it is; empty where it was linked without."""
    with open(program, "rb") as file:
        found = re.search(rb"\x04\0\0\0([\x08-\x20])\0\0\0\x03\0\0\0GNU\0", file.read(4096))
        if not found:
            return 0, b""
        file.seek(found.end())
        return found.end(), file.read(found.group(1)[0])


def directory_of(program, the_id=None):
    status = os.stat(program)
    parts = [os.major(status.st_dev), os.minor(status.st_dev), status.st_ino, status.st_size]
    for time in (status.st_mtime_ns, status.st_ctime_ns):
        parts += [time // 10**9, time % 10**9]
    the_id = build_id(program)[1] if the_id is None else the_id
    return os.path.join(BASE, "".join(f"{part:x}-" for part in parts) + the_id.hex())


def kept(program):
    return os.path.join(directory_of(program), "rt")


@pytest.fixture
def own_rt(rt, work):
    """A program of this test's own, so that its copy is, too."""
    made = []

    def make(more=b""):
        path = os.path.join(work, f"rt{len(made)}")
        shutil.copy(rt_path, path)
        with open(path, "ab") as file:
            file.write(more)
        made.append(directory_of(path))
        return path
    rt_path = rt.path
    rt.path = make()
    yield make
    for directory in made:
        shutil.rmtree(directory, ignore_errors=True)


@pytest.mark.rows("HDN-01")
@OWN
@pytest.mark.parametrize("verb", ["waiting init", "entry point"])
def test_inode_of_its_own(own_rt, new_box, rt, verb):
    box = new_box("pause")
    if verb == "entry point":
        box.process["args"] = HOLD
        reader, writer = os.pipe()
        box.create(stdin=reader)
        os.close(reader)
        box.start()
    else:
        box.create()
    assert inode(f"/proc/{box.pid}/exe") != inode(rt.path)
    assert digest(f"/proc/{box.pid}/exe") == digest(rt.path)
    with open(rt.path, "r+b"):     # ETXTBSY: it would be busy
        pass
    if verb == "entry point":
        os.close(writer)
        box.wait()


@pytest.mark.rows("HDN-01")
@OWN
@ROOT
@KEPT
def test_the_copy_cannot_be_made_writable(own_rt, new_box, rt):
    """With all rights of the host: no way leads from the process to its file, but that to the kept copy itself."""
    box = new_box("pause")
    box.create()
    path = f"/proc/{box.pid}/exe"
    assert inode(path) == inode(kept(rt.path))
    attributes = (ctypes.c_uint64 * 4)(0, MOUNT_ATTR_RDONLY, 0, 0)      # struct mount_attr
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.syscall(SYS_MOUNT_SETATTR, AT_FDCWD, path.encode(), 0, attributes, 32) == -1
    for change in (lambda: os.close(os.open(path, os.O_WRONLY)), lambda: os.truncate(path, 0),
                   lambda: os.chmod(path, 0o777), lambda: os.chown(path, 1, 1), lambda: os.utime(path, (0, 0)),
                   lambda: os.link(path, rt.path + ".link", follow_symlinks=True)):
        with pytest.raises(OSError):
            change()
    assert digest(kept(rt.path)) == digest(rt.path)


@pytest.fixture
def sigio():
    """What the kernel sends to the holder of a lease that is to be given up."""
    before = signal.signal(signal.SIGIO, lambda number, frame: None)
    yield
    signal.signal(signal.SIGIO, before)


@pytest.mark.rows("HDN-01")
@OWN
@ROOT
@KEPT
def test_holding_the_copy_stops_no_other_container(own_rt, new_box, rt, sigio):
    """To open a file the kernel waits 45 s for a lease, and for ever for a lock."""
    box, other = new_box("pause"), new_box("report")
    box.create()
    held = os.open(f"/proc/{box.pid}/exe", os.O_RDONLY)
    before = inode(kept(rt.path))
    fcntl.flock(held, fcntl.LOCK_EX)
    fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_RDLCK)
    assert other.run().report["pid"] == 1
    assert inode(kept(rt.path)) == before
    fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_UNLCK)
    box.delete("--force")
    host.reap(box.pid)
    fcntl.fcntl(held, fcntl.F_SETLEASE, fcntl.F_WRLCK)      # no rt runs from it: now it can be had
    assert other.run(timeout=20).report["pid"] == 1
    assert inode(kept(rt.path)) != before
    os.close(held)


@pytest.mark.rows("HDN-01")
@OWN
@ROOT
@KEPT
def test_an_upgrade_has_a_copy_of_its_own(own_rt, new_box, rt):
    old, new = new_box("pause"), new_box("pause")
    old.create()
    before = kept(rt.path)
    os.rename(own_rt(b"newer"), rt.path)
    new.create()
    assert kept(rt.path) != before
    assert inode(f"/proc/{new.pid}/exe") == inode(kept(rt.path)) != inode(f"/proc/{old.pid}/exe")
    assert digest(kept(rt.path)) == digest(rt.path)
    shutil.rmtree(directory_of(rt.path))


@pytest.mark.rows("HDN-01")
@OWN
@ROOT
@KEPT
@pytest.mark.needs("build-id")
def test_another_build_of_the_same_place_size_and_times(own_rt, new_box, rt):
    """On an image with clamped times all numbers can be those of another build, whose copy is kept still. A
    change time cannot be set: here it is the kept copy that gets the numbers of the other build."""
    old, new = new_box("pause"), new_box("pause")
    old.create()
    seen, before = inode(f"/proc/{old.pid}/exe"), directory_of(rt.path)
    assert seen == inode(kept(rt.path))
    at, old_id = build_id(rt.path)
    times = os.stat(rt.path)
    with open(rt.path, "r+b") as file:
        file.seek(at)
        file.write(bytes(byte ^ 0xff for byte in old_id))
    os.utime(rt.path, ns=(times.st_atime_ns, times.st_mtime_ns))
    after = directory_of(rt.path, old_id)
    os.rename(before, after)
    try:
        new.create()
        assert inode(f"/proc/{new.pid}/exe") == inode(kept(rt.path)) != seen
        assert digest(f"/proc/{new.pid}/exe") == digest(rt.path) != digest(f"{after}/rt")
    finally:
        shutil.rmtree(after)
        shutil.rmtree(directory_of(rt.path), ignore_errors=True)


LOW = 1 << 16   # less than the program, and more than what rt and the container write


def limited(soft, hard, may_raise):
    """For preexec_fn."""
    def limit():
        if not may_raise and os.geteuid() == 0:
            host.checked(host.LIBC.prctl(PR_CAPBSET_DROP, CAP_SYS_RESOURCE, 0, 0, 0), "PR_CAPBSET_DROP")
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    return limit


@pytest.mark.rows("HDN-01")
@OWN
@pytest.mark.parametrize("hard, may_raise", [
    pytest.param(resource.RLIM_INFINITY, False, id="soft"),
    pytest.param(LOW, True, id="hard", marks=pytest.mark.needs("sys_resource"))])
def test_a_file_size_limit_of_the_caller(own_rt, new_box, rt, hard, may_raise):
    """It is not for the copy, and the container has it still."""
    box = new_box("report")
    for _ in ("made", "kept"):
        report = box.run(preexec_fn=limited(LOW, hard, may_raise)).report
        assert report["rlimits"]["FSIZE"] == [LOW, hard % (1 << 64)]
        assert int(report["status"]["SigIgn"], 16) == 0
    if os.path.exists(directory_of(rt.path)):
        assert os.listdir(directory_of(rt.path)) == ["rt"]


@pytest.mark.rows("HDN-01")
@OWN
def test_a_file_size_limit_that_may_not_be_raised(own_rt, new_box, rt, fails):
    """No death by SIGXFSZ, and nothing that was begun is left."""
    box = new_box("report")
    for _ in range(2):
        told = box.create(code=None, preexec_fn=limited(LOW, LOW, False))
        fails(told, "cannot copy rt's own program", f"RLIMIT_FSIZE of {LOW} bytes")
        assert not os.path.exists(directory_of(rt.path))


@pytest.mark.rows("HDN-01")
@OWN
@pytest.mark.parametrize("handling", [signal.SIG_DFL, signal.SIG_IGN], ids=["default", "ignored"])
def test_the_caller_s_way_with_sigxfsz_stays(own_rt, new_box, rt, handling):
    """In rt, after the copy. The container finds the default action, as of each signal."""
    box = new_box("echo up", "pause")
    box.save()

    def enter():
        limited(LOW, resource.RLIM_INFINITY, False)()
        signal.signal(signal.SIGXFSZ, handling)
    with subprocess.Popen([rt.path, "--root", rt.root, "run", "-b", box.dir, box.id], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, preexec_fn=enter, restore_signals=False) as process:
        box.exists = True
        assert process.stdout.readline() == b"up\n"
        found = [ignored(pid) >> (signal.SIGXFSZ - 1) & 1 for pid in (process.pid, box.state()["pid"])]
        box.kill("KILL")
    assert found == [handling == signal.SIG_IGN, 0]


def ignored(pid):
    with open(f"/proc/{pid}/status", encoding="utf-8") as file:
        return int(next(line for line in file if line.startswith("SigIgn")).split()[1], 16)


def truncate(path):
    os.truncate(path, os.stat(path).st_size // 2)


def overwrite(path):
    with open(path, "r+b") as file:
        file.seek(os.stat(path).st_size // 2)
        file.write(b"other text")


def replace_by_link(path):
    os.rename(path, path + ".real")
    os.symlink(path + ".real", path)


def replace_by_fifo(path):
    os.remove(path)
    os.mkfifo(path, 0o1555)
    os.chmod(path, 0o1555)


def replace_by_directory(path):
    os.remove(path)
    os.makedirs(path + "/below")


DAMAGE = {"truncated": truncate, "other text": overwrite, "link": replace_by_link, "FIFO": replace_by_fifo,
          "directory": replace_by_directory, "gone": os.remove,
          "other owner": lambda path: os.chown(path, 1234, 1234) or os.chmod(path, COPY_MODE),
          "mode": lambda path: os.chmod(path, 0o1755), "second name": lambda path: os.link(path, path + ".link"),
          "directory for all": lambda path: os.rename(os.path.dirname(path), os.path.dirname(path) + "x")}


@pytest.mark.rows("HDN-01")
@OWN
@ROOT
@KEPT
@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE.keys())
def test_a_damaged_copy_is_not_executed(own_rt, new_box, rt, damage):
    """Another one takes its place; where even that cannot be, one in memory does."""
    first, second = new_box("pause"), new_box("pause")
    first.create()
    path = kept(rt.path)
    seen = inode(f"/proc/{first.pid}/exe")
    assert seen == inode(path)
    first.delete("--force")
    host.reap(first.pid)
    fd = os.open(path, os.O_RDONLY)     # keeps the number of its inode
    damage(path)
    second.create()
    now = inode(f"/proc/{second.pid}/exe")
    os.close(fd)
    assert now not in (seen, inode(rt.path))
    if damage is not replace_by_directory:
        assert now == inode(path)
        status = os.lstat(path)
        assert stat.S_ISREG(status.st_mode) and stat.S_IMODE(status.st_mode) == COPY_MODE
        assert (status.st_uid, status.st_nlink) == (0, 1)
    assert digest(f"/proc/{second.pid}/exe") == digest(rt.path)
    shutil.rmtree(os.path.dirname(path) + "x", ignore_errors=True)


@pytest.mark.rows("HDN-01")
@OWN
@ROOT
@KEPT
def test_many_at_once(own_rt, new_box, rt):
    """None waits for another one, and one copy is left."""
    boxes = [new_box("report") for _ in range(12)]
    for box in boxes:
        box.save()
    started = [subprocess.Popen([rt.path, "--root", rt.root, "run", "-b", box.dir, box.id],
                                stdout=subprocess.DEVNULL) for box in boxes]
    assert [each.wait() for each in started] == [0] * len(boxes)
    assert os.listdir(directory_of(rt.path)) == ["rt"]
    assert digest(kept(rt.path)) == digest(rt.path)


MADE = '"$1" --root "$2" create -b "$3" "$4x" >/dev/null && "$1" --root "$2" delete -f "$4x"'
PLACES = {
    "usual": ("mode=755", "", True),
    "noexec": ("mode=755,noexec", "", True),
    "read-only": ("mode=755,ro", "", False),
    "full": ("mode=755,size=64k", "", False),
    "for others, too": ("mode=755", f"mkdir -m 755 {BASE}", False),
    "another owner's": ("mode=755", f"mkdir -m 700 {BASE} && chown 1234 {BASE}", False),
    "link": ("mode=755", f"mkdir -m 700 /run/other && ln -s /run/other {BASE}", False),
    "for others, too, later": ("mode=755", f"{MADE} && chmod 755 {BASE}", False),
    "another owner's, later": ("mode=755", f"{MADE} && chown 1234 {BASE}", False),
    "link, later": ("mode=755", f"{MADE} && mv {BASE} /run/other && ln -s /run/other {BASE}", False),
    "file": ("mode=755", f"touch {BASE}", False),
}


@pytest.mark.rows("HDN-01", "HDN-02")
@OWN
@ROOT
@KEPT
@pytest.mark.parametrize("options, prepare, keeps", PLACES.values(), ids=PLACES.keys())
def test_the_place_of_the_copies(own_rt, new_box, rt, options, prepare, keeps):
    """A copy is kept only where no other user can come to it. Elsewhere rt does without: a memfd, sealed."""
    box = new_box("pause")
    box.save()
    script = """
        mount -t tmpfs -o "$5" tmpfs /run && eval "$6" || exit 90
        "$1" --root "$2" create -b "$3" --pid-file "$3/pid" "$4" >/dev/null || exit 91
        stat -L -c '%d %i' "/proc/$(cat "$3/pid")/exe"
        readlink "/proc/$(cat "$3/pid")/exe"
        find /run -type f -size +0 -printf 'left %i %m %P\\n'
        "$1" --root "$2" delete -f "$4" || exit 92
    """
    told = rt.execute(["unshare", "--mount", "sh", "-c", script, "sh", rt.path, rt.root, box.dir, box.id, options,
                       prepare])
    assert told.code == 0, told
    seen, link, *left = told.out.splitlines()
    assert seen != "{} {}".format(*inode(rt.path))
    if keeps:
        assert left == [f"left {seen.split()[1]} 1555 " + kept(rt.path).removeprefix("/run/")]
    else:
        assert left == [] or MADE in prepare
        assert link.startswith("/memfd:rt")


@pytest.fixture
def silent(work):
    """A user's file system that never answers, and asks all, as fusermount makes it."""
    path = os.path.join(work, "silent")
    os.mkdir(path)
    device = os.open("/dev/fuse", os.O_RDWR)
    options = f"fd={device},rootmode=40000,user_id=1234,group_id=1234,allow_other"
    libc = ctypes.CDLL(None, use_errno=True)
    assert libc.mount(b"fuse", path.encode(), b"fuse", 0, options.encode()) == 0, os.strerror(ctypes.get_errno())
    yield path
    os.close(device)
    assert libc.umount2(path.encode(), 0) == 0


@pytest.mark.rows("HDN-01")
@OWN
@ROOT
@KEPT
@pytest.mark.needs("root: mounts a FUSE file system")
@pytest.mark.skipif(not os.path.exists("/dev/fuse"), reason="no FUSE here")
def test_root_of_the_host_looks_for_no_copy_in_another_user_s_directory(own_rt, new_box, rt, silent):
    """`su` and `sudo -E` leave the user's XDG_RUNTIME_DIR; FUSE may say there that root owns what it shows."""
    box = new_box("report")
    box.save()
    started = subprocess.Popen([rt.path, "--root", rt.root, "run", "-b", box.dir, box.id], stdout=subprocess.DEVNULL,
                               env={"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": silent})
    try:
        assert started.wait(timeout=20) == 0
    finally:
        started.kill()
        started.wait()
