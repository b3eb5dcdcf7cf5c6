# SPDX-License-Identifier: Apache-2.0
"""host: what the tests must know and do on the host's side: cgroups of either version, mounts,
processes, and a mount namespace of our own so that nothing we do can stay behind."""

import ctypes
import errno
import mmap
import os
import select
import signal
import time

LIBC = ctypes.CDLL(None, use_errno=True)
CLONE_NEWNS = 0x00020000
PR_SET_CHILD_SUBREAPER = 36
MS_REMOUNT, MS_BIND, MS_REC = 32, 4096, 16384
MS_PRIVATE, MS_SLAVE, MS_SHARED = 1 << 18, 1 << 19, 1 << 20
MNT_DETACH = 2

# No more than a bound, so that what hangs is told of: how long a thing takes says nothing on a machine that
# does many others.
PATIENCE = float(os.environ.get("RT_TEST_TIMEOUT", "60"))


def checked(ret, what):
    if ret < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return ret


def mount(source, target, kind="", flags=0, data=""):
    checked(LIBC.mount(source.encode(), str(target).encode(), kind.encode() or None,
                        ctypes.c_ulong(flags), data.encode() or None), f"mount {target}")


def umount(target, flags=MNT_DETACH):
    checked(LIBC.umount2(str(target).encode(), flags), f"umount {target}")


def own_mount_namespace():
    """A mount namespace whose mounts are shared, as on a host that runs systemd: what leaks from a
    container shows up in ours. What somebody else mounts on the host meanwhile does not."""
    checked(LIBC.unshare(CLONE_NEWNS), "unshare")
    mount("none", "/", flags=MS_REC | MS_PRIVATE)
    mount("none", "/", flags=MS_REC | MS_SHARED)


def become_subreaper():
    """Containers whose runtime went away become our children, as they become conmon's."""
    checked(LIBC.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl")


def mountinfo(path="/proc/self/mountinfo"):
    with open(path, encoding="utf-8") as file:
        return [line.split(" ") for line in file.read().splitlines()]


def children(pid="self"):
    with open(f"/proc/{pid}/task/{os.getpid() if pid == 'self' else pid}/children", encoding="ascii") as file:
        return [int(child) for child in file.read().split()]


def comm(pid):
    """The name of a process, or None where it has gone."""
    try:
        with open(f"/proc/{pid}/comm", encoding="utf-8", errors="replace") as file:
            return file.read().rstrip("\n")
    except OSError:
        return None


def child_named(pid, name):
    """The child of that name, which lives; the others may come and go meanwhile."""
    return next(child for child in children(pid) if comm(child) == name)


def describe(pid):
    try:
        with open(f"/proc/{pid}/cmdline", "rb") as file:
            return f"{pid}: {file.read().replace(bytes(1), b' ')[:200]!r}"
    except OSError:
        return f"{pid}"


def parent(pid):
    with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
        return int(file.read().rpartition(")")[2].split()[1])


def stat_state(pid):
    """The process's letter (R, S, T, Z ...) or None."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0]
    except OSError:
        return None


def wait_dead(pid, timeout=PATIENCE):
    """Waits until the process is dead (a zombie counts); does not reap. None: as long as it takes."""
    try:
        pidfd = os.pidfd_open(pid)
    except OSError as error:    # EINVAL: older kernels, for one that is just being reaped
        if error.errno in (errno.ESRCH, errno.EINVAL):
            return
        raise
    try:
        if not select.select([pidfd], [], [], timeout)[0]:
            raise AssertionError(f"process {describe(pid)} still lives after {timeout} s")
    finally:
        os.close(pidfd)


def kill(pid):
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def reap(pid, timeout=PATIENCE):
    """The exit status of a process that became our child: code, or 128 + signal."""
    wait_dead(pid, timeout)
    _, status = os.waitpid(pid, 0)
    return 128 + os.WTERMSIG(status) if os.WIFSIGNALED(status) else os.WEXITSTATUS(status)


def reap_all(patience=20):
    """Reaps all zombies; what still lives after the time that it may take to end is killed and returned. The
    init of a pid namespace waits for what is a zombie in it, so it comes last."""
    alive = []
    for pid in sorted(children(), key=lambda pid: stat_state(pid) != "Z"):
        try:
            wait_dead(pid, patience)
        except AssertionError:
            alive.append(describe(pid))
            os.kill(pid, signal.SIGKILL)
        try:
            os.waitpid(pid, 0)
        except ChildProcessError:
            pass
    return alive + reap_all(patience) if children() else alive


def removed(directory):
    """rmdir, for until (...): a process that has just died is in its cgroup a little longer."""
    try:
        os.rmdir(directory)
    except OSError:
        return not os.path.exists(directory)
    return True


OPENAT2, RESOLVE_CACHED = 437, 0x20     # on each processor
STATX, STATX_ATTR_IMMUTABLE = {"x86_64": 332, "aarch64": 291}.get(os.uname().machine, 0), 0x10


def openers(path):
    """How many processes rt makes to open this path of its caller's (kernel/opener): none where the kernel has it in
    memory, on a file system that is here."""
    how = (ctypes.c_uint64 * 3)(os.O_PATH | os.O_CLOEXEC, 0, RESOLVE_CACHED)
    for _ in range(2):
        fd = LIBC.syscall(OPENAT2, -100, path.encode(), how, ctypes.sizeof(how))
        if fd >= 0:
            break
    if fd < 0:
        return 1
    answer = (ctypes.c_uint8 * 256)()
    failed = LIBC.syscall(STATX, fd, b"", 0x1000 | 0x4000, 0x7ff, answer)
    os.close(fd)
    return int(failed or not answer[0x38] & STATX_ATTR_IMMUTABLE)


def until(condition, what, timeout=PATIENCE):
    """For the few things of the kernel that can only be asked for."""
    end = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > end:
            raise AssertionError(f"not within {timeout} s: {what}")
        time.sleep(0.002)


def let_go(fifo):
    """Who waits at a FIFO (the probe's await), or is on the way there, goes on. Not a plain open: that would wait
    for ever for who has ended."""
    def opened():
        try:
            os.close(os.open(fifo, os.O_WRONLY | os.O_NONBLOCK))
        except OSError as error:
            if error.errno != errno.ENXIO:
                raise
            return False
        return True
    until(opened, f"somebody waits at {fifo}")


def heard(fifo):
    """What is said at a FIFO, to the end."""
    words, end = b"", time.monotonic() + PATIENCE
    fd = os.open(fifo, os.O_RDONLY | os.O_NONBLOCK)
    try:
        while select.select([fd], [], [], max(0, end - time.monotonic()))[0]:
            more = os.read(fd, 4096)
            if not more:
                return words.decode()
            words += more
    finally:
        os.close(fd)
    raise AssertionError(f"nobody says anything at {fifo} after {words!r}")


def open_files(pid):
    """{number: link} of what a living process has open; it may close one between the list and the look."""
    links = {}
    for number in os.listdir(f"/proc/{pid}/fd"):
        try:
            links[int(number)] = os.readlink(f"/proc/{pid}/fd/{number}")
        except FileNotFoundError:
            pass
    return links


def _first_word(path):
    try:
        with open(path, encoding="utf-8") as file:
            return (file.read().split() or [""])[0]
    except OSError:
        return None


def has_soft_dirty():
    """Does the kernel tell which pages were written to since it was last asked (CONFIG_MEM_SOFT_DIRTY)?"""
    page = mmap.mmap(-1, mmap.PAGESIZE)
    page[0] = 1
    address = ctypes.addressof(ctypes.c_char.from_buffer(page))
    try:
        with open("/proc/self/pagemap", "rb") as file:
            file.seek(address // mmap.PAGESIZE * 8)
            return bool(int.from_bytes(file.read(8), "little") >> 55 & 1)
    except OSError:
        return False


def lsm_words():
    """apparmor, selinux: it is on. apparmor-test, selinux-test: with the profile or the policy of
    tests/vm loaded, by tests/vm/run-lsm.sh; no test loads them into the machine it runs on."""
    words = set()
    if _first_word("/sys/module/apparmor/parameters/enabled") == "Y":
        words.add("apparmor")
        try:
            with open("/sys/kernel/security/apparmor/profiles", encoding="utf-8") as file:
                words |= {"apparmor-test"} if "rt-test (enforce)\n" in file else set()
        except OSError:
            pass
    if _first_word("/sys/fs/selinux/enforce") is not None:
        words.add("selinux")
        label = _first_word("/proc/self/attr/current") or ""
        words |= {"selinux-test"} if label.startswith("rt_u:rt_r:host_t") else set()
    return words | {f"no-{name}" for name in ("apparmor", "selinux") if name not in words}


def below(cgroup):
    """All cgroups below that one. Their kernel counts them as links, which spares a look into those that
    have none: they are many, and full of files."""
    try:
        if os.stat(cgroup).st_nlink == 2:
            return
        with os.scandir(cgroup) as entries:
            paths = [each.path for each in entries if each.is_dir(follow_symlinks=False)]
    except FileNotFoundError:   # just removed
        return
    for path in paths:
        yield path
        yield from below(path)


class Cgroups:
    """The cgroup file systems of this host; one interface for v1, hybrid and v2."""

    def __init__(self):
        self.v1, self.v2 = {}, None
        for line in mountinfo():
            kind, options = line[line.index("-") + 1], line[-1]
            if kind == "cgroup2" and line[4].startswith("/sys/fs/cgroup"):
                self.v2 = line[4]
            elif kind == "cgroup":
                for word in options.split(","):
                    self.v1.setdefault(word, line[4])
        self.layout = "v2" if not self.v1 else "hybrid" if self.v2 else "v1"
        self.controllers = set()
        if self.v2:
            with open(f"{self.v2}/cgroup.controllers", encoding="ascii") as file:
                self.controllers |= set(file.read().split())
        known = "cpu cpuacct cpuset memory devices freezer blkio pids hugetlb net_cls rdma".split()
        self.controllers |= {name for name in known if name in self.v1}

    @property
    def roots(self):
        return sorted(set(self.v1.values()) | ({self.v2} if self.v2 else set()), key=len)

    def dirs(self, name):
        """All cgroup directories of that name, or with a name around it (prefix-NAME.scope)."""
        return sorted({path for root in self.roots for path in below(root)
                       if (each := os.path.basename(path)) == name or (name.startswith("rt") and name in each)})

    def of(self, pid):
        """{controller or "name=..." or "": path below its root} of a process."""
        paths = {}
        with open(f"/proc/{pid}/cgroup", encoding="utf-8") as file:
            for line in file.read().splitlines():
                _, names, path = line.split(":", 2)
                for name in names.split(","):
                    paths[name] = path
        return paths

    def is_v2(self, controller):
        """On a hybrid host each controller is on one side."""
        return controller not in self.v1

    def path(self, pid, controller):
        return self.of(pid)["" if self.is_v2(controller) else controller]

    def dir(self, pid, controller):
        return (self.v2 if self.is_v2(controller) else self.v1[controller]) \
            + self.path(pid, controller)

    def read(self, pid, controller, v1_file, v2_file):
        name = v2_file if self.is_v2(controller) else v1_file
        with open(os.path.join(self.dir(pid, controller), name), encoding="ascii") as file:
            return file.read().strip()

    def disks(self):
        """["8:0", ...]: devices that a throttle can be set for."""
        found = []
        if {"io", "blkio"} & self.controllers:
            for name in sorted(os.listdir("/sys/block")):
                if not name.startswith(("loop", "ram", "zram")):
                    with open(f"/sys/block/{name}/dev", encoding="ascii") as file:
                        found.append(file.read().strip())
        return found

    def freeze(self, pid, frozen):
        if self.is_v2("freezer"):
            path, word = "cgroup.freeze", "1" if frozen else "0"
        else:
            path, word = "freezer.state", "FROZEN" if frozen else "THAWED"
        directory = self.dir(pid, "freezer")
        with open(os.path.join(directory, path), "w", encoding="ascii") as file:
            file.write(word)

        def done():
            if self.is_v2("freezer"):
                with open(os.path.join(directory, "cgroup.events"), encoding="ascii") as events:
                    return f"frozen {word}" in events.read()
            with open(os.path.join(directory, path), encoding="ascii") as state:
                return state.read().strip() == word
        until(done, f"{directory} {word}")
