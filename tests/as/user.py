#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command as an ordinary user, on a host that is set up for him as rootless engines ask for.

    tests/as/user.py [--single-id] -- COMMAND...

He is uid 1000 without any privilege. /etc/subuid and /etc/subgid give him ids from 300000 on (with
--single-id: none). In each cgroup hierarchy a directory is his, and a cgroup namespace makes it the
root, so that tests name the same paths as on the host. All of this is in namespaces that go away with
the command; nothing of the machine changes. The working directory and $RT are shown to him where he may
read them, $TMPDIR is a tmpfs. $RT_TEST_AS tells the tests: user, or single-id."""

import os
import shutil
import sys
import tempfile
import traceback

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "feature"))

import host  # noqa: E402

UID = 1000
FIRST, COUNT = 300000, 65536
CLONE_NEWCGROUP = 0x02000000


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


def read(path):
    with open(path, encoding="ascii") as file:
        return file.read()


def make_cgroups(cgroups, name):
    """A directory in each hierarchy that is the user's; returned with the file system's words for a
    mount of it: {mount point: (kind, options, directory)}."""
    made = {}
    for line in host.mountinfo():
        at, kind, options = line[4], line[line.index("-") + 1], line[-1].split(",")
        if at not in cgroups.roots or kind not in ("cgroup", "cgroup2"):
            continue
        path = f"{at}/{name}"
        os.mkdir(path)
        if kind == "cgroup2" and cgroups.layout == "v2":
            words = read(f"{at}/cgroup.controllers").split()
            write(f"{at}/cgroup.subtree_control", " ".join(f"+{word}" for word in words))
        if "cpuset" in options:
            for each in ("cpuset.cpus", "cpuset.mems"):
                write(f"{path}/{each}", read(f"{at}/{each}"))
        for each in [path] + [f"{path}/{file}" for file in os.listdir(path)]:
            os.chown(each, UID, UID)
        data = "" if kind == "cgroup2" else ",".join(each for each in options if each not in ("rw", "ro"))
        if "name=" in data:
            data = "none," + data
        made[at] = (kind, data, path)
    return made


def enter_cgroups(made):
    """Into the directories, each made the root of its hierarchy for all that follows. A v2 directory
    that has controllers for others holds no process itself, so ours wait in one below it."""
    for _, _, path in made.values():
        write(f"{path}/cgroup.procs", "0")
    host.checked(host.LIBC.unshare(CLONE_NEWCGROUP), "unshare")
    for kind, _, path in made.values():
        if kind == "cgroup2":
            os.mkdir(f"{path}/tests")
            os.chown(f"{path}/tests", UID, UID)
            for file in os.listdir(f"{path}/tests"):
                os.chown(f"{path}/tests/{file}", UID, UID)
            write(f"{path}/tests/cgroup.procs", "0")
    for at in sorted(made, reverse=True):
        host.umount(at)
    for at, (kind, data, _) in sorted(made.items()):
        host.mount(kind, at, kind, data=data)


def remove_cgroups(made):
    for _, _, path in made.values():
        for directory, _, _ in os.walk(path, topdown=False):
            for pid in read(f"{directory}/cgroup.procs").split():
                os.kill(int(pid), 9)
            host.until(lambda directory=directory: host.removed(directory), directory)


def own_files(tmp, single):
    """The user data base, and a place for files, which only the command's mount namespace shows."""
    host.own_mount_namespace()
    host.mount("tmpfs", tmp, "tmpfs", data="mode=1777")
    files = {"/etc/passwd": f"root:x:0:0::/:/bin/sh\nuser:x:{UID}:{UID}::{tmp}:/bin/sh\n",
             "/etc/group": f"root:x:0:\nuser:x:{UID}:\n"}
    for path in ("/etc/subuid", "/etc/subgid"):
        files[path] = "" if single else f"user:{FIRST}:{COUNT}\n"
    for path, text in files.items():
        mine = f"{tmp}/{os.path.basename(path)}"
        write(mine, text)
        host.mount(mine, path, flags=host.MS_BIND)


def show_sources(tmp):
    """The source tree and $RT may lie where only root can go (/root): here is where he can."""
    here = os.path.relpath(os.getcwd(), TOP)
    if not here.startswith(".."):
        os.mkdir(f"{tmp}/tree")
        host.mount(TOP, f"{tmp}/tree", flags=host.MS_BIND)
        os.chdir(f"{tmp}/tree/{here}")
        os.environ["PWD"] = os.getcwd()
    shutil.copy(os.environ.get("RT") or f"{TOP}/build/rt", f"{tmp}/rt")
    os.environ["RT"] = f"{tmp}/rt"
    if os.environ.get("RT_PROBE"):
        shutil.copy(os.environ["RT_PROBE"], f"{tmp}/probe")
        os.environ["RT_PROBE"] = f"{tmp}/probe"


def run(command, single, cgroups, tmp):
    """In the child: its namespaces, its files, its ids; then the command."""
    own_files(tmp, single)
    show_sources(tmp)
    enter_cgroups(cgroups)
    os.setgroups([])
    os.setresgid(UID, UID, UID)
    os.setresuid(UID, UID, UID)
    os.mkdir(f"{tmp}/run", 0o700)
    os.environ.update(HOME=tmp, USER="user", LOGNAME="user", TMPDIR=tmp, XDG_RUNTIME_DIR=f"{tmp}/run",
                      RT_TEST_AS="single-id" if single else "user")
    os.execvp(command[0], command)


def main(words):
    single = words[:1] == ["--single-id"]
    words = words[single:]
    if words[:1] != ["--"] or len(words) < 2 or os.geteuid() != 0:
        print("usage, as root: tests/as/user.py [--single-id] -- COMMAND...", file=sys.stderr)
        return 125
    tmp = tempfile.mkdtemp(prefix="rt-user-")
    cgroups = make_cgroups(host.Cgroups(), f"rt-user-{os.getpid()}")
    try:
        pid = os.fork()
        if pid == 0:
            try:
                run(words[1:], single, cgroups, tmp)
            except BaseException:
                traceback.print_exc()
            os._exit(125)
        return host.reap(pid, None)
    finally:
        remove_cgroups(cgroups)
        os.rmdir(tmp)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
