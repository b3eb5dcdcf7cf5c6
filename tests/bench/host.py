# SPDX-License-Identifier: Apache-2.0
"""The host that is measured on: a mount namespace of its own, whose mounts nobody else sees."""

import ctypes
import os
import resource
import select
import subprocess
import sys

CGROUP = "/sys/fs/cgroup"
PR_SET_CHILD_SUBREAPER = 36
MS_BIND = 4096
PREFIX = f"bench-{os.getpid()}-"      # of all cgroups and containers
libc = ctypes.CDLL(None, use_errno=True)


def checked(result, what):
    if result != 0:
        raise OSError(ctypes.get_errno(), what)


def enter_own_namespace(program):
    """Starts the program again in a mount namespace of its own."""
    if os.environ.get("BENCH_INSIDE"):
        return
    if os.geteuid() != 0:
        sys.exit("bench: making containers takes root")
    os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", "env", "BENCH_INSIDE=1",
                          sys.executable, os.path.abspath(program), *sys.argv[1:]])


def lay_cgroup2():
    subprocess.run(["mount", "-t", "cgroup2", "cgroup2", CGROUP], check=True)


def lift_cgroup2():
    subprocess.run(["umount", "-l", CGROUP], check=True)


def bind(source, target):
    checked(libc.mount(os.fsencode(source), os.fsencode(target), None, MS_BIND, None), f"bind {target}")


def unmount(target):
    checked(libc.umount2(os.fsencode(target), 0), f"unmount {target}")


def become_subreaper():
    """Created containers become our children when their runtime ends, as they become conmon's."""
    checked(libc.prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0), "prctl (PR_SET_CHILD_SUBREAPER)")


def remove_cgroups():
    """Those of programs that failed, and of Ctrl-C; a measured one has removed its own."""
    for name in os.listdir(CGROUP):
        path = os.path.join(CGROUP, name)
        if not name.startswith(PREFIX):
            continue
        if os.path.exists(os.path.join(path, "cgroup.kill")):
            with open(os.path.join(path, "cgroup.kill"), "w", encoding="ascii") as file:
                file.write("1")
        with open(os.path.join(path, "cgroup.events"), encoding="ascii") as file:
            changed = select.poll()
            changed.register(file, select.POLLPRI)
            while "populated 1" in file.read():
                changed.poll(5000)
                file.seek(0)
        os.rmdir(path)


def may_raise_memlock():
    with open("/proc/self/status", encoding="ascii") as file:
        effective = int(next(line for line in file if line.startswith("CapEff")).split()[1], 16)
    return bool(effective >> 24 & 1) or \
        resource.getrlimit(resource.RLIMIT_MEMLOCK)[1] == resource.RLIM_INFINITY


def children():
    """Our own: (pid, name)."""
    found = []
    with open(f"/proc/self/task/{os.getpid()}/children", encoding="ascii") as file:
        for pid in file.read().split():
            with open(f"/proc/{pid}/comm", encoding="ascii") as name:
                found.append((int(pid), name.read().strip()))
    return found


def limits_memory():
    """Whether a memory limit can be set below the cgroups as they are mounted now."""
    if os.path.isdir(os.path.join(CGROUP, "memory")):
        return True
    try:
        with open(os.path.join(CGROUP, "cgroup.controllers"), encoding="ascii") as file:
            return "memory" in file.read().split()
    except FileNotFoundError:
        return False
