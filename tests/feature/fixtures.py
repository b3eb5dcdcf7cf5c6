# SPDX-License-Identifier: Apache-2.0
"""fixtures: shared by tests/feature and tests/security.

RT=PATH         the runtime (default: build/rt below the top of the source tree)
RT_PROBE=PATH   a probe that is compiled already
RT_TEST_AS=WHO  who.py: as whom all of it runs
RT_TEST_AGAIN=1 who.py: on another kind of host it has run already
RT_TEST_BLOCKED="ERROR CALL..."  blocked.py: without these system calls
RT_PEER=1       RT is another runtime: tests of what is ours alone (mark `own`) are left out, and
                of error texts only the words that all runtimes share are looked at
"""

import collections
import json
import os
import shutil
import signal
import subprocess
import tempfile

import pytest

import blocked
import compiled
import host
import who
from bundle import Container, Runtime

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
TOOLS = os.path.join(TOP, "tests", "tools")
PEER = bool(os.environ.get("RT_PEER"))
CGROUPS = host.Cgroups()

# Whoever starts the tests may ignore some (nohup, a shell's background job), and rt, as every program,
# leaves alone what it inherits so.
for each in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM):
    if signal.getsignal(each) == signal.SIG_IGN:
        signal.signal(each, signal.SIG_DFL)


def runtime_path():
    return os.path.abspath(os.environ.get("RT") or os.path.join(TOP, "build", "rt"))


def host_words():
    """What this host has, for @pytest.mark.needs (...)."""
    words = {CGROUPS.layout} | CGROUPS.controllers | who.words()
    words |= {f"v{2 if CGROUPS.is_v2(each) else 1}:{each}" for each in CGROUPS.controllers}
    if CGROUPS.layout != "v2":
        words.add("any-v1")
    if CGROUPS.layout in ("v2", "hybrid"):
        words.add("v2-tree")
    if subprocess.run(["ps", "-ef"], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                      check=False).returncode == 0:
        words.add("ps")     # User-Mode Linux has no /proc/stat that it can read
    if os.path.exists("/proc/self/numa_maps"):
        words.add("numa")
    words.add("time" if os.path.exists("/proc/self/ns/time") else "no-time")
    if os.path.exists("/proc/net/if_inet6"):
        words.add("ipv6")
    if os.path.isdir("/run/systemd/system"):
        words.add("systemd")
    with open("/proc/self/status", encoding="ascii") as file:
        effective = int(next(line for line in file if line.startswith("CapEff")).split()[1], 16)
    words.add("sys_resource" if effective >> 24 & 1 else "no-sys_resource")
    release = tuple(int(part) for part in os.uname().release.split("-")[0].split(".")[:2])
    has = lambda *calls: not set(calls) & set(blocked.CALLED)
    words |= {"copy-without-memfd"} if has("open_tree", "mount_setattr") else set()
    words |= {"idmap-tmpfs"} if release >= (6, 3) and has("open_tree", "mount_setattr") else set()
    words |= {"mount-setattr"} if release >= (5, 12) and has("mount_setattr") else set()
    words |= {"open-tree" if has("open_tree") else "no-open-tree"}
    words |= {"fsopen" if has("fsopen") else "no-fsopen"}
    words |= {"pidfd-signal"} if has("pidfd_send_signal") else set()
    words |= {"openat2"} if has("openat2") else set()
    words |= {"dev-fuse"} if os.access("/dev/fuse", os.R_OK) else set()
    words |= {"disk"} if CGROUPS.disks() else set()
    words |= {"criu"} if os.environ.get("RT_TEST_CRIU") else set()
    words |= {"older-rt"} if os.environ.get("RT_TEST_OLD") else set()
    with open(runtime_path(), "rb") as file:    # a sanitizer's library must be opened before rt begins
        program = file.read()
        words |= {"own-descriptors"} if b"libasan" not in program else set()
        words |= {"build-id"} if b"\3\0\0\0GNU\0" in program[:4096] else set()
    words.add("soft-dirty" if host.has_soft_dirty() else "no-soft-dirty")
    with open("/proc/filesystems", encoding="ascii") as file:
        words |= {line.split()[-1] for line in file}
    return words | host.lsm_words()


def pytest_configure(config):
    for line in ("rows(*ids): the rows of the feature list that a test shows",
                 "own: the peers behave otherwise",
                 "needs(*words): what the host must have; `root: REASON` where a user is not enough"):
        config.addinivalue_line("markers", line)
    if (os.geteuid() != 0) != who.ROOTLESS:
        raise pytest.UsageError("run the tests as root; as an ordinary user: tests/as/user.py -- ...")
    if not os.access(runtime_path(), os.X_OK):
        raise pytest.UsageError(f"no runtime at {runtime_path()}: set RT=PATH")


def pytest_report_header(config):
    return f"runtime: {runtime_path()}{' (a peer)' if PEER else ''}, as {who.AS}, cgroups: {CGROUPS.layout}"


LEFT_OUT = collections.Counter()


def pytest_collection_modifyitems(config, items):
    """Tests that cannot say anything on this host are not run at all; the summary counts them."""
    words, out = host_words(), []
    for item in items:
        needs = [word for mark in item.iter_markers("needs") for word in mark.args]
        missing = [word for word in needs if word.partition(": ")[0] not in words]
        if PEER and item.get_closest_marker("own"):
            missing.append("rt")
        if missing:
            out.append(item)
            LEFT_OUT[", ".join(missing)] += 1
    if out:
        config.hook.pytest_deselected(items=out)
        items[:] = [item for item in items if item not in out]


# With xdist the workers choose (each the same), and the controller tells.
def pytest_sessionfinish(session):
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["left_out"] = dict(LEFT_OUT)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node):
    LEFT_OUT.update({} if LEFT_OUT else getattr(node, "workeroutput", {}).get("left_out", {}))


def pytest_terminal_summary(terminalreporter):
    if LEFT_OUT:
        terminalreporter.section(f"left out as {who.AS}, {CGROUPS.layout}: {LEFT_OUT.total()}")
        for missing, count in sorted(LEFT_OUT.items(), key=lambda pair: (-pair[1], pair[0])):
            terminalreporter.write_line(f"{count:4} need {missing}")
        LEFT_OUT.clear()    # two suites in one run have two conftests


@pytest.fixture(scope="session")
def probe():
    return os.environ.get("RT_PROBE") or compiled.probe()


@pytest.fixture(scope="session")
def area():
    """A directory on a tmpfs in a mount namespace of our own: gone with us, whatever happens."""
    directory = tempfile.mkdtemp(prefix="feature-")
    if who.ROOTLESS:    # tests/as/user.py has set up both
        host.become_subreaper()
        yield directory
        return
    host.own_mount_namespace()
    host.become_subreaper()
    host.mount("tmpfs", directory, "tmpfs", data="mode=0755")
    yield directory
    host.umount(directory)
    os.rmdir(directory)


@pytest.fixture(scope="session")
def cgroups():
    return CGROUPS


_count = iter(range(1000000))


@pytest.fixture
def work(area):
    directory = os.path.join(area, f"t{next(_count)}")
    os.mkdir(directory)
    yield directory
    # What belongs to a container's other ids the user cannot remove; the tmpfs goes away.
    shutil.rmtree(directory, ignore_errors=who.ROOTLESS)


@pytest.fixture
def rt(work):
    return Runtime(runtime_path(), os.path.join(work, "state"), work)


def leftovers(rt, cgroups, mounts):
    """What a test left on the host, in words."""
    found = [f"process {each}" for each in host.reap_all()]
    for name in cgroups:
        found += [f"cgroup {path}" for path in CGROUPS.dirs(name)]
    found += [f"mount {' '.join(line)}" for line in host.mountinfo() if line not in mounts]
    if os.path.isdir(rt.root):
        found += [f"state {name}" for name in os.listdir(rt.root)]
    return found


def remove_by_force(rt, names, cgroups):
    """So that one failure does not become many."""
    for name in names:
        rt.call("delete", "-f", name)
    for name in cgroups:
        for path in sorted(CGROUPS.dirs(name), key=len, reverse=True):
            host.until(lambda path=path: host.removed(path), f"rmdir {path}", 2)


@pytest.fixture
def new_box(rt, work, probe):
    """Makes containers: new_box ("report", "stat /x"). After the test those that still exist are
    deleted, and then nothing of them may be left."""
    boxes, mounts = [], host.mountinfo()

    def make(*ops, name=None):
        name = name or f"rt{os.getpid()}x{next(_count)}"
        directory = os.path.join(work, name)
        os.mkdir(directory, 0o755)
        box = Container(rt, directory, name, probe, CGROUPS)
        boxes.append(box)
        return box.ops(*ops)

    yield make
    problems, cgroups = [], [box.cgroup for box in boxes]
    for box in boxes:
        if box.exists:
            told = rt.call("delete", "-f", box.id)
            if told.code != 0:
                problems.append(f"delete -f: {told!r}")
        box.close()
    problems += leftovers(rt, cgroups, mounts)
    if problems:
        remove_by_force(rt, [box.id for box in boxes], cgroups)
        host.reap_all()
        shutil.rmtree(rt.root, ignore_errors=True)
    assert not problems, "left behind:\n" + "\n".join(problems)


@pytest.fixture
def box(new_box):
    return new_box("report")


@pytest.fixture
def fails():
    """fails (told, "words", ..., at="/json/pointer"): the command failed, said so in one line on
    standard error, and that line holds the words. `at` is looked for in our own runtime only, as
    are the words in `own`."""

    def check(told, *words, at=None, own=()):
        assert told.code not in (0, None), told
        assert told.code < 128 or told.code == 255, told    # 255: exec's own failure
        for word in words + (() if PEER else tuple(own) + ((at,) if at else ())):
            assert word.lower() in told.err.lower(), f"no {word!r} in: {told!r}"
        if not PEER:    # several mistakes of one document are told one a line
            lines = told.err.strip().splitlines()
            assert len(lines) == 1 or "more error" in lines[-1], f"more than one line: {told!r}"
        return told

    return check


@pytest.fixture
def update(rt):
    """update (box, flags ..., code=, text=)"""
    def call(box, *flags, code=0, text=None):
        told = rt.call("update", *flags, box.id, text=text)
        if code is not None:
            assert told.code == code, told
        return told
    return call


@pytest.fixture
def resources(update):
    """The way of containerd's shim: a document on standard input."""
    def call(box, document, **options):
        return update(box, "--resources", "-", text=json.dumps(document), **options)
    return call
