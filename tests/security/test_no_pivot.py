# SPDX-License-Identifier: Apache-2.0
"""Without pivot_root the host's mounts lie below the container's root. The kernel lets a new user
namespace mount a procfs or a sysfs without masks only where it sees a whole one, and it would count the
host's; CAP_SETFCAP, which engines give by default, is enough to make one."""

import errno
import os
import shutil

import pytest

import compiled
from fixtures import TOOLS

MASKS = ["/proc/keys", "/sys/firmware"]
ALLOWED, DENIED = {"proc": 0, "sysfs": 0}, {"proc": errno.EPERM, "sysfs": errno.EPERM}


@pytest.fixture(scope="session")
def views():
    return compiled.program("views", [os.path.join(TOOLS, "views.c")])


@pytest.fixture
def tried(new_box, views):
    """What may be mounted anew in a container, whose own procfs and sysfs have masks or not."""
    def make(*flags, masked, userns):
        box = new_box()
        shutil.copy(views, box.path("/bin/views"))
        box.process["args"] = ["/bin/views"]
        box.process["capabilities"] = {each: ["CAP_SETFCAP"] for each in
                                       ("bounding", "effective", "permitted", "inheritable")}
        box.config["mounts"] = [
            {"destination": "/proc", "type": "proc", "source": "proc",
             "options": ["nosuid", "nodev", "noexec"]},     # its own identity is written through it
            {"destination": "/sys", "type": "sysfs", "source": "sysfs",
             "options": ["ro", "nosuid", "nodev", "noexec"]}]
        box.namespace("network")
        box.linux["maskedPaths"] = MASKS if masked else []
        box.linux["readonlyPaths"] = []
        if userns:
            box.userns()
        told = box.run(*flags)
        return {word: int(number) for word, number in (line.split() for line in told.out.splitlines())}
    return make


@pytest.mark.rows("RFS-02", "CRT-09")
@pytest.mark.own
@pytest.mark.needs("root: what is seen of the host's /proc and /sys is the machine's own")
@pytest.mark.parametrize("userns", [False, True], ids=["", "userns"])
def test_no_view_without_masks(tried, userns):
    # The control: an own view without masks may be had again, and with pivot_root none with masks.
    assert tried(masked=False, userns=userns) == ALLOWED
    assert tried(masked=True, userns=userns) == DENIED
    assert tried("--no-pivot", masked=False, userns=userns) == ALLOWED
    assert tried("--no-pivot", masked=True, userns=userns) == DENIED
