# SPDX-License-Identifier: Apache-2.0
"""TERM, INT and HUP end the init of a created container, which is the first process of its pid namespace and would
lose what it has no handler for; and the container is stopped then."""

import os
import signal

import pytest

from rootless_engine import engine, for_engine  # noqa: F401 (a fixture)
from test_rootless import user_box  # noqa: F401 (a fixture)

SIGNALS = [signal.SIGTERM, signal.SIGINT, signal.SIGHUP]


def killed(box, number, **options):
    """By `rt kill`; its program has not been executed."""
    told = box.rt.call("kill", box.id, number.name.removeprefix("SIG"), **options)
    assert (told.code, told.err) == (0, ""), told
    assert box.wait() == 128 + number
    assert box.status() == "stopped"
    assert not os.path.exists(box.path("/ran"))


def is_over(box, fails):
    """It is not started any more, and goes away."""
    fails(box.start(code=None), "not created", own=("stopped",))
    box.delete()


def plainly(box):
    pass


def in_a_user_namespace(box):
    box.userns()


def with_a_start_hook(box):
    """It waits with rt's own memory, as the hook runs behind the gate."""
    box.hook("startContainer", "append /ran x", path="/bin/probe")


def below_a_filter(box):
    """Which refuses what the end of a handler would need."""
    box.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": ["rt_sigreturn", "kill", "tgkill"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]}


def without_no_new_privileges(box):
    below_a_filter(box)
    box.process["noNewPrivileges"] = False


@pytest.mark.rows("VRB-35", "LCY-09")
@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
@pytest.mark.parametrize("kind", [plainly, in_a_user_namespace, with_a_start_hook, below_a_filter,
                                  without_no_new_privileges], ids=lambda kind: kind.__name__)
def test_kill(new_box, fails, kind, number):
    box = new_box("append /ran x")
    kind(box)
    box.create()
    killed(box, number)
    is_over(box, fails)


@pytest.mark.rows("VRB-35", "LCY-09", "NSP-12")
@pytest.mark.needs("fsopen")
@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
def test_kill_in_a_joined_pid_namespace(new_box, fails, number):
    """Where it is an ordinary process, and what lives there already is left alone."""
    other, box = new_box("pause"), new_box("append /ran x")
    other.up()
    box.join("pid", other.pid)
    box.create()
    killed(box, number)
    is_over(box, fails)
    assert other.status() == "running"


@pytest.mark.rows("VRB-35", "LCY-09", "UID-24")
@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: number.name)
@pytest.mark.needs("root: becomes an ordinary user by itself")
def test_kill_of_a_rootless_engine(user_box, engine, number):  # noqa: F811
    """Its container is in the engine's user namespace, and in none of its own."""
    box = user_box
    box.ops("append /ran x")
    for_engine(box)
    options = engine.options(box)
    box.create(**options)
    killed(box, number, **options)
    told = box.rt.call("delete", box.id, **options)
    assert told.code == 0, told
    box.exists = False
