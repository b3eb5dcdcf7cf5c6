# SPDX-License-Identifier: Apache-2.0
"""exec into a container that pries: the process that appears in there has no more than its document says, and
shows nothing of the host, from its first instant (CVE-2016-9962)."""

import os

import pytest

import host
from prying import (UID, add_caps, as_engine, end_prying, engine, for_engine, hidden, judge,  # noqa: F401
                    prepare, pry, rounds, start_prying, user_box, words)
from test_exec_attacks import ALL_CAPS
from test_seccomp_notify import NOTIFY, agent  # noqa: F401 (a fixture)
from test_terminal import console  # noqa: F401 (a fixture)

# What may be looked at with the right to trace; without it the kernel shows the status alone, until the process
# has no more rights than the one that looks.
TRACING = ("root", "cwd", "fd", "environ", "cmdline", "mem", "vm", "getfd", "seize")
CAPS = {"plain": (), "ptrace": ("SYS_PTRACE",), "admin": ("SYS_ADMIN",), "both": ("SYS_PTRACE", "SYS_ADMIN")}


def filter_of(kind, path=None):
    if kind == "personality":
        return {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": ["personality"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1}]}
    if kind == "no-clone":
        return {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": ["clone", "fork", "vfork"], "action": "SCMP_ACT_ERRNO", "errnoRet": 1},
            {"names": ["clone3"], "action": "SCMP_ACT_ERRNO", "errnoRet": 38}]}
    return {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": path, "syscalls": [
        {"names": ["clone", "clone3", "fork", "vfork"], "action": NOTIFY}]}


def execute(box, rounds, *flags, each=None, **options):  # noqa: F811
    """Some may be refused, as a tracer can be noticed; no more than half of them."""
    refused = []
    for _ in range(rounds):
        told = box.rt.call("exec", *flags, box.id, "/bin/probe", "exit", "0", **options)
        if told.code != 0:
            refused.append(told)
        elif each:
            each()
    assert len(refused) <= rounds / 2, f"{len(refused)} of {rounds}: {refused[0]}"


def pries(box, hidden, pry, rounds, caps, nnp=True, more=None, able=None):  # noqa: F811
    """A container of root; what its init, pry, told after all the rounds."""
    add_caps(box, *CAPS[caps])
    box.process["noNewPrivileges"] = nnp
    prepare(box, pry, hidden)
    start_prying(box, words(hidden, box, spaces="own", **(more or {})))
    execute(box, rounds, env=hidden.environment)
    return judge(end_prying(box), hidden, rounds, able if able is not None else
                 TRACING if "SYS_PTRACE" in CAPS[caps] else ("status",))


@pytest.mark.rows("HDN-14")
@pytest.mark.parametrize("where", ["host", "user namespace"])
@pytest.mark.needs("root: the host's user namespace")
def test_pry_itself(new_box, hidden, pry, rounds, where):  # noqa: F811
    """What the container starts by its own means, without rt, is seen and is no hit: each of the tests below
    tells of rt alone."""
    box = new_box()
    if where != "host":
        box.userns()
        hidden.give(100000)
    add_caps(box, "SYS_PTRACE", "SYS_ADMIN")
    prepare(box, pry, hidden)
    start_prying(box, words(hidden, box, spaces="own", breed=rounds))
    judge(end_prying(box, stop=False), hidden, rounds, TRACING, sure=True)


@pytest.mark.rows("HDN-14", "PRC-40", "EXE-01")
@pytest.mark.parametrize("nnp", [True, False], ids=["nnp", "no-nnp"])
@pytest.mark.parametrize("caps", CAPS)
@pytest.mark.needs("root: the host's user namespace")
def test_on_the_host(new_box, hidden, pry, rounds, caps, nnp):  # noqa: F811
    """Without a user namespace: root in there is the host's root, but for its capabilities."""
    pries(new_box(), hidden, pry, rounds, caps, nnp)


@pytest.mark.rows("HDN-14", "PRC-40", "EXE-01", "EXE-27")
@pytest.mark.parametrize("caps", ["ptrace", "all"])
@pytest.mark.parametrize("nnp", [True, False], ids=["nnp", "no-nnp"])
@pytest.mark.needs("root: gives the host's file to a container's root")
def test_in_a_user_namespace(new_box, hidden, pry, rounds, caps, nnp):  # noqa: F811
    """The container has its own, and all rights there."""
    box = new_box()
    box.userns()
    hidden.give(100000)
    if caps == "all":
        box.process["capabilities"] = {name: ALL_CAPS for name in ("bounding", "effective", "permitted")}
    pries(box, hidden, pry, rounds, "ptrace", nnp)


@pytest.mark.rows("HDN-14", "PRC-40", "EXE-27", "EXE-31")
@pytest.mark.parametrize("caps", ["plain", "ptrace", "both"])
@pytest.mark.parametrize("nnp", [True, False], ids=["nnp", "no-nnp"])
@pytest.mark.needs("root: becomes an ordinary user by itself")
def test_of_a_rootless_engine(user_box, engine, hidden, pry, rounds, caps, nnp):  # noqa: F811
    """rt is root of a user namespace, in which the container is, too."""
    box = user_box
    for_engine(box)
    add_caps(box, *CAPS[caps])
    box.process["noNewPrivileges"] = nnp
    prepare(box, pry, hidden)
    hidden.give(UID)
    options = as_engine(box, hidden, engine)
    start_prying(box, words(hidden, box, spaces="own"), **options)
    execute(box, rounds, **options)
    judge(end_prying(box), hidden, rounds, TRACING if "SYS_PTRACE" in CAPS[caps] else ("status",))


@pytest.mark.rows("HDN-14", "EXE-30", "SEC-23", "SEC-24")
@pytest.mark.parametrize("kind", ["personality", "no-clone"])
@pytest.mark.parametrize("nnp", [True, False], ids=["nnp", "no-nnp"])
@pytest.mark.parametrize("caps", ["ptrace", "both"])
@pytest.mark.needs("root: the host's user namespace")
def test_with_a_filter(new_box, hidden, pry, rounds, kind, nnp, caps):  # noqa: F811
    box = new_box()
    box.linux["seccomp"] = filter_of(kind)
    pries(box, hidden, pry, rounds, caps, nnp)


@pytest.mark.rows("HDN-14", "EXE-30", "SEC-18", "SEC-21")
@pytest.mark.parametrize("nnp", [True, False], ids=["nnp", "no-nnp"])
@pytest.mark.needs("root: the host's user namespace")
def test_with_a_filter_that_notifies(new_box, agent, hidden, pry, rounds, nnp):  # noqa: F811
    """Of the clone, too, if it is made behind the filter."""
    box = new_box()
    box.linux["seccomp"] = filter_of("notify", agent.path)
    pries(box, hidden, pry, rounds, "ptrace", nnp)


@pytest.mark.rows("HDN-14", "EXE-09", "EXE-10")
@pytest.mark.parametrize("nnp", [True, False], ids=["nnp", "no-nnp"])
@pytest.mark.needs("root: the host's user namespace")
def test_with_a_terminal(new_box, console, hidden, pry, rounds, nnp):  # noqa: F811
    """Its standard streams are the container's terminal, and never what the caller of rt has."""
    box = new_box()
    add_caps(box, "SYS_PTRACE")
    box.process["noNewPrivileges"] = nnp
    prepare(box, pry, hidden)
    start_prying(box, words(hidden, box, spaces="own", streams="tty"))
    pid_file = box.dir + "/pid"

    def each():
        os.close(console.receive()[0])
        with open(pid_file, encoding="ascii") as file:
            host.reap(int(file.read()))
    execute(box, rounds, "-t", "-d", "--pid-file", pid_file, "--console-socket", console.path, each=each,
            env=hidden.environment)
    judge(end_prying(box), hidden, rounds, TRACING)
