# SPDX-License-Identifier: Apache-2.0
"""A neighbour that shares a volume with the container exchanges a directory of it with a link to the host,
over and over, while rt makes mount points there (CVE-2021-30465, CVE-2024-45310)."""

import ctypes
import os
import signal

import pytest

from test_paths import canary, tree_of  # noqa: F401: a fixture

OWN = pytest.mark.own
AT_FDCWD = -100
RENAME_EXCHANGE = 2
ROUNDS = 40


class Swapper:
    """A process that exchanges two names until the test ends."""

    def __init__(self, one, other):
        libc = ctypes.CDLL(None, use_errno=True)
        names = (AT_FDCWD, one.encode(), AT_FDCWD, other.encode(), RENAME_EXCHANGE)
        if libc.renameat2(*names):
            raise OSError(ctypes.get_errno(), "renameat2")
        self.pid = os.fork()
        if self.pid == 0:
            while os.getppid() != 1:
                libc.renameat2(*names)
            os._exit(0)

    def stop(self):
        os.kill(self.pid, signal.SIGKILL)
        os.waitpid(self.pid, 0)


@pytest.fixture
def volume(work):
    """A shared directory in which `swap` is a directory at one moment and a link at the next."""
    swappers = []

    def make(target):
        directory = os.path.join(work, "volume")
        os.makedirs(directory + "/swap")
        os.symlink(target, directory + "/link")
        swappers.append(Swapper(directory + "/swap", directory + "/link"))
        return directory
    yield make
    for each in swappers:
        each.stop()


@pytest.mark.rows("HDN-04", "HDN-09", "MNT-69", "RFS-14")
@OWN
@pytest.mark.parametrize("kind", ["directory", "file"])
@pytest.mark.parametrize("escape", ["absolute", "relative"])
def test_mount_points_below_a_swapped_directory(new_box, canary, volume, work, kind, escape):
    """Nothing is made on the host, and nothing of the host is shown: whether a round succeeds or is
    refused is the race's affair."""
    share = volume(canary if escape == "absolute" else "../" * 16 + canary.lstrip("/"))
    before = tree_of(canary)
    told = set()
    for number in range(ROUNDS):
        box = new_box("ls /t/swap", "ls /t/link")
        box.bind(share, "/t", "rbind")
        if kind == "directory":
            box.mount(f"/t/swap/made-{number}/b/c")
        else:
            box.bind(box.beside(f"given{number}", "given"), f"/t/swap/file-{number}/b/c")
        ended = box.run(code=None)
        assert ended.code in (0, 1), ended
        told.add(ended.code)
        assert tree_of(canary) == before, number
        assert "of the host" not in ended.out
    assert 0 in told, "no round got through: the race was not met"


@pytest.mark.rows("HDN-05", "MNT-07")
@OWN
def test_proc_below_a_swapped_directory(new_box, canary, volume):
    """CVE-2019-19921: the place of a procfs is a real directory, or nothing is mounted at all."""
    share = volume(canary)
    before = tree_of(canary)
    for _ in range(ROUNDS // 2):
        box = new_box("statfs /t/swap")
        box.bind(share, "/t", "rbind")
        box.mount("/t/swap", "proc", "proc")
        ended = box.run(code=None)
        assert ended.code in (0, 1), ended
        assert tree_of(canary) == before


@pytest.mark.rows("MNT-47", "HDN-09")
@OWN
@pytest.mark.needs("root: files of several owners", "fsopen")
def test_tmpcopyup_of_files_that_are_exchanged(new_box):
    """Who may write to the directory makes no set-user-ID file of root's with a content of his choice."""
    names = ("/data/a", "/data/b")
    box = new_box(*[f"{op} {name}" for name in names for op in ("stat", "read")])
    box.file(names[0], "of the attacker", 0o755)
    box.file(names[1], "of root", 0o4755)
    os.chown(box.path(names[0]), 1000, 1000)
    os.chmod(box.path(names[1]), 0o4755)
    box.mount("/data", options=["tmpcopyup"])
    swapper = Swapper(*map(box.path, names))
    try:
        for _ in range(ROUNDS):
            told = box.run()
            for name in names:
                seen = told.line("stat", name)
                if "attacker" in told.text(name):
                    assert (seen["uid"], seen["mode"]) == (1000, 0o755)
                else:
                    assert (seen["uid"], seen["mode"]) == (0, 0o4755)
    finally:
        swapper.stop()
