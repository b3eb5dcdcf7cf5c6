# SPDX-License-Identifier: Apache-2.0
"""rootless_engine: an ordinary user's engine that is root of a user namespace and calls rt there, as Podman does.
Its containers have no user namespace of their own."""

import os
import subprocess

import pytest

import host
from test_rootless import UID

CLONE_NEWUSER = 0x10000000


class Engine:
    """A rootless engine: an ordinary user's process that is root of a user namespace. What `enter` is the
    preexec_fn of is in there, too."""

    def __init__(self):
        self.process = subprocess.Popen(["unshare", "-Ur", "sleep", "infinity"], preexec_fn=self.become_user)
        self.space = f"/proc/{self.process.pid}/ns/user"
        own = os.readlink("/proc/self/ns/user")
        host.until(lambda: os.readlink(self.space) != own and host.comm(self.process.pid) == "sleep",
                   "the engine has its user namespace")

    @staticmethod
    def become_user():
        os.setgroups([])
        os.setresgid(UID, UID, UID)
        os.setresuid(UID, UID, UID)

    def enter(self):
        self.become_user()
        space = os.open(self.space, os.O_RDONLY)
        host.checked(host.LIBC.setns(space, CLONE_NEWUSER), "setns")
        os.close(space)

    def options(self, box, **environment):
        """Of each rt that the engine calls."""
        return {"preexec_fn": self.enter,
                "env": {"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": box.runtime, **environment}}

    def close(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def engine():
    made = Engine()
    yield made
    made.close()


def for_engine(box):
    """A container of a rootless engine has no user namespace of its own."""
    box.namespace("user", absent=True)
    box.namespace("network", absent=True)
    del box.linux["uidMappings"], box.linux["gidMappings"]
