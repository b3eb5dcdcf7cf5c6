# SPDX-License-Identifier: Apache-2.0
"""What a container can see of another one's beginning, where both have one pid namespace: Kubernetes'
shareProcessNamespace, docker run --pid=container:ID. And what a process sees of its own container's init that
still waits for its start."""

import json
import os
import select
import subprocess

import pytest

import blocked
import host
from older_kernel import Before617
from prying import (UID, add_caps, end_by_force, end_prying, hidden, inode, judge, prepare, pry, rounds,  # noqa: F401
                    start_prying, user_box, words)
from test_exec_attacks import ALL_CAPS

OTHERS = ("root", "cwd", "plant", "fd", "fdinfo", "exe", "environ", "cmdline", "mem", "vm", "label", "space", "getfd",
          "setns")
ADMIN = f"{1 << ALL_CAPS.index('CAP_SYS_ADMIN'):x}"
HOOKS = ("prestart", "createRuntime", "createContainer")


@pytest.fixture
def pair(new_box, hidden, pry):  # noqa: F811
    """make (hooks, userns): a container that pries, and one that is to join its pid namespace."""
    def make(hooks=(), userns=False):
        neighbour, guest = new_box(), new_box("exit 0")
        for box in (neighbour, guest):
            if userns:
                box.userns()
        if userns:
            hidden.give(100000)
            neighbour.process["capabilities"] = {name: ALL_CAPS for name in ("bounding", "effective", "permitted")}
        add_caps(neighbour, "SYS_PTRACE")
        prepare(neighbour, pry, hidden)
        guest.config["annotations"] = neighbour.config["annotations"]
        for kind in hooks:
            guest.hook(kind, "exit 0")
        start_prying(neighbour, words(hidden, guest) + [f"root={inode(guest.rootfs)}",
                                                        f"program={inode(guest.path('/bin/probe'))}"])
        guest.namespace("pid", f"/proc/{neighbour.pid}/ns/pid")
        if userns:
            guest.namespace("user", f"/proc/{neighbour.pid}/ns/user")
            del guest.linux["uidMappings"], guest.linux["gidMappings"]
        guest.save()
        return neighbour, guest
    return make


def run_often(guest, hidden, rounds, verb):  # noqa: F811
    """Each time by another name, so that a failure of one is none of the next."""
    for number in range(rounds):
        name = f"{guest.id}-{number}"
        told = guest.rt.call(verb, "-b", guest.dir, name, env=hidden.environment)
        if verb == "create" and told.code == 0:
            pid = guest.rt.state(name)["pid"]
            told = guest.rt.call("start", name, env=hidden.environment)
            host.reap(pid)
            guest.rt.call("delete", "-f", name)
        assert told.code == 0, told


@pytest.mark.rows("HDN-14", "NSP-12", "PRC-40")
@pytest.mark.parametrize("verb", ["run", "create"])
@pytest.mark.needs("fsopen", "root: the host's user namespace")
def test_in_a_joined_pid_namespace(pair, hidden, rounds, verb):  # noqa: F811
    neighbour, guest = pair()
    run_often(guest, hidden, rounds, verb)
    judge(end_prying(neighbour), hidden, rounds, ("root", "fd", "environ", "mem", "getfd", "seize"))


@pytest.mark.rows("HDN-14", "NSP-12")
@pytest.mark.own
@pytest.mark.needs("fsopen", "root: the host's user namespace")
def test_in_a_joined_pid_namespace_before_linux_6_17(pair, hidden, rounds):  # noqa: F811
    """The one process that opens the procfs inside has CAP_SYS_ADMIN and a root of its own, in which there is
    nothing: that is seen (docs/choices.md), and nothing else."""
    neighbour, guest = pair()
    guest.rt = Before617(guest.rt)
    run_often(guest, hidden, rounds, "run")
    neighbour.file("/stop")
    text = neighbour.rest()
    end_by_force(neighbour)     # what it had traced when it died was left to the parent of rt
    told = judge(text, hidden, rounds, ("root", "fd", "environ", "mem", "getfd", "seize"), OTHERS)
    for each in told["first"]:
        name, has = each["detail"].split(",")[0].split(" is ")
        assert name == "CapBnd" or (name, has) in (("CapPrm", ADMIN), ("CapEff", ADMIN)), each


@pytest.mark.rows("HDN-14", "NSP-12", "HKS-25")
@pytest.mark.parametrize("kind", HOOKS)
@pytest.mark.needs("fsopen", "root: the host's user namespace")
def test_hooks_in_a_joined_pid_namespace(pair, hidden, rounds, kind):  # noqa: F811
    """They are processes of the host's: the neighbour does not see them."""
    neighbour, guest = pair(hooks=[kind])
    run_often(guest, hidden, rounds, "run")
    judge(end_prying(neighbour), hidden, rounds, ("root", "fd", "environ", "mem", "getfd", "seize"))


@pytest.mark.rows("HDN-14", "NSP-12", "NSP-32", "HKS-25")
@pytest.mark.parametrize("hooks", [(), ("createContainer",)], ids=["no-hooks", "createContainer"])
@pytest.mark.needs("fsopen", "root: gives the host's file to a container's root")
def test_in_joined_user_and_pid_namespaces(pair, hidden, rounds, hooks):  # noqa: F811
    """The neighbour has all rights over what belongs to that user namespace."""
    neighbour, guest = pair(hooks=hooks, userns=True)
    run_often(guest, hidden, rounds, "run")
    judge(end_prying(neighbour), hidden, rounds, ("root", "fd", "environ", "mem", "getfd", "seize"))


# ---- an init that waits

@pytest.fixture
def forgotten(work):
    """What the caller of rt has forgotten to close: a directory, a file, one end of a pipe."""
    os.mkdir(work + "/private", 0o700)
    ends = os.pipe()
    fds = [os.open(work + "/private", os.O_RDONLY), os.open("/etc/passwd", os.O_RDONLY), *ends]

    def inherit():
        for fd in fds:
            os.set_inheritable(fd, True)
    yield inherit
    for fd in fds:
        os.close(fd)


WAITING = {
    "rights": ("status", "seize", "label"),
    "descriptors": ("fd", "fdinfo", "getfd", "plant"),
    "place": ("root", "cwd", "space", "setns", "exe"),
    "memory": ("environ", "cmdline", "mem", "vm"),
}


@pytest.mark.rows("HDN-14", "CRT-11", "FDS-15")
@pytest.mark.parametrize("userns", [False, True], ids=["host", "userns"])
@pytest.mark.parametrize("what", WAITING)
@pytest.mark.needs("root: gives the host's file to a container's root")
def test_a_created_container(new_box, hidden, pry, forgotten, what, userns):  # noqa: F811
    """Its init waits with the rights of its document, and with nothing of who has called rt."""
    box = new_box("exit 0")
    if userns:
        box.userns()
        hidden.give(100000)
    add_caps(box, "SYS_PTRACE")
    prepare(box, pry, hidden)
    box.create(env=hidden.environment, preexec_fn=forgotten, close_fds=False)
    told = box.rt.call("exec", box.id, "/bin/pry", *words(hidden, box, spaces="own", only=1), env=hidden.environment)
    assert told.code == 0, told
    judge(told.out, hidden, 1, ("status",), WAITING[what])
    box.start()
    assert box.wait() == 0


# ---- who answers in its place

ANSWERS = ["close", "word:8", "word:12", *(f"word:{','.join(str(word) for word in range(first, first + 8))}"
                                           for first in (1, 8, 16)),
           "error:64", "error:1672", "error:4000", "calm:1672"]


class Usurper:
    """A process in a container that takes the place of its init; what it says comes line by line."""

    def __init__(self, argv, **options):
        argv, options = blocked.start(argv, options)
        self.process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, bufsize=0,
                                        **options)

    def line(self):
        assert select.select([self.process.stdout], [], [], host.PATIENCE)[0], "it is silent"
        return self.process.stdout.readline().decode().strip()

    def close(self):
        """It has been told to stop."""
        self.process.wait(host.PATIENCE)
        self.process.stdout.close()


def has_executed(box):
    """The kernel's word: init is the container's program."""
    try:
        return inode(f"/proc/{box.pid}/exe") == inode(box.path("/bin/probe"))
    except FileNotFoundError:
        return False


def usurped(box, hidden, answer, **options):  # noqa: F811
    """`rt start` while a process of the container answers for its init."""
    usurper = Usurper([box.rt.path, "--root", box.rt.root, "exec", box.id, "/bin/pry",
                       *words(hidden, box, only=1, answer=answer)], **options)
    try:
        assert usurper.line() == "up"
        state = usurper.line()
        told = box.rt.call("start", box.id, globals=("--timeout", "3s"), timeout=30, **options)
        # Asked before init is let go: whether what rt has said was true.
        executed = has_executed(box) or host.stat_state(box.pid) in (None, "Z")
        if told.code == 0 and state != "gate taken, init held":
            host.until(lambda: has_executed(box) or host.stat_state(box.pid) in (None, "Z"), "init has executed", 5)
            executed = True
    finally:
        box.file("/stop")
        usurper.close()
    assert told.code in (0, 1), f"{state}: the exit status is the container's: {told}"
    assert "wwww" not in told.out + told.err, f"{state}: the text is the container's: {told}"
    assert told.code != 0 or executed, f"{state}: init has not executed, and rt said that it had: {told}"
    assert told.code == 0 or told.err.strip(), told


@pytest.mark.rows("HDN-14", "LCY-09", "LCY-10")
@pytest.mark.own
@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.needs("root: the host's user namespace")
def test_a_start_answered_by_another_process(new_box, hidden, pry, answer):  # noqa: F811
    box = new_box("echo ran", "pause")
    add_caps(box, "SYS_PTRACE")
    prepare(box, pry, hidden)
    box.create()
    usurped(box, hidden, answer)


@pytest.mark.rows("HDN-14", "LCY-09", "LCY-10", "UID-14")
@pytest.mark.own
@pytest.mark.parametrize("answer", ANSWERS)
@pytest.mark.needs("root: becomes an ordinary user by itself")
def test_a_users_start_answered_by_another_process(user_box, hidden, pry, answer):  # noqa: F811
    """Without privileges, in a user namespace of its own."""
    box = user_box
    box.ops("echo ran", "pause")
    box.process["capabilities"] = {name: ALL_CAPS for name in ("bounding", "effective", "permitted")}
    prepare(box, pry, hidden)

    def become_user():
        os.setgroups([])
        os.setresgid(UID, UID, UID)
        os.setresuid(UID, UID, UID)
    options = {"preexec_fn": become_user, "env": {"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": box.runtime}}
    box.create(**options)
    usurped(box, hidden, answer, **options)


@pytest.mark.rows("HDN-14", "LCY-10", "EXE-26", "EXE-39")
@pytest.mark.own
@pytest.mark.parametrize("answer", ["word:12", "word:8,12", "error:64", "error:1672", "error:4000", "calm:1672",
                                    "log:64"])
@pytest.mark.needs("root: the host's user namespace")
def test_an_exec_answered_by_another_process(new_box, hidden, pry, rounds, answer):  # noqa: F811
    """The neighbour holds the process that comes in, and speaks in its place: neither the text nor the exit status
    of rt is its to choose, and nothing that has not been executed has a status at all."""
    box = new_box()
    add_caps(box, "SYS_PTRACE")
    prepare(box, pry, hidden)
    start_prying(box, words(hidden, box, hold="forge", answer=answer))
    try:
        for _ in range(min(rounds, 40)):    # of which some may take as long as rt waits
            told = box.rt.call("exec", box.id, "/bin/probe", "echo", "ran", ";", "exit", "7",
                               globals=("--timeout", "1s"), timeout=30)
            assert told.code in (7, 1, 255), f"the exit status is the container's: {told}"
            assert "wwww" not in told.out + told.err, f"the text is the container's: {told}"
            assert told.code != 7 or told.out == "ran\n", f"it has not executed, and rt said that it had: {told}"
        box.file("/stop")
        text = box.rest()
    finally:
        end_by_force(box)
    assert json.loads(text.splitlines()[-1])["got"]["getfd"] > 0, f"it has taken no voice: {text}"


@pytest.mark.rows("HDN-14", "LCY-10", "NSP-12")
@pytest.mark.own
@pytest.mark.parametrize("verb", ["run", "create"])
@pytest.mark.parametrize("answer", ["word:12", "error:1672", "calm:1672", "log:64"])
@pytest.mark.needs("fsopen", "root: the host's user namespace")
def test_a_start_answered_by_a_neighbour(new_box, hidden, pry, rounds, verb, answer):  # noqa: F811
    """In a pid namespace that both have, too: what the neighbour says in the place of the guest is no text of rt's."""
    neighbour, guest = new_box(), new_box("exit 0")
    add_caps(neighbour, "SYS_PTRACE")
    prepare(neighbour, pry, hidden)
    start_prying(neighbour, words(hidden, guest, hold="forge", answer=answer)
                 + [f"root={inode(guest.rootfs)}", f"program={inode(guest.path('/bin/probe'))}"])
    guest.namespace("pid", f"/proc/{neighbour.pid}/ns/pid")
    guest.save()
    try:
        for number in range(min(rounds, 40)):
            name = f"{guest.id}-{number}"
            told = guest.rt.call(verb, "-b", guest.dir, name, globals=("--timeout", "1s"), timeout=30)
            assert told.code in (0, 1, 255), told
            assert "wwww" not in told.out + told.err, f"the text is the container's: {told}"
            guest.rt.call("delete", "-f", name)
        neighbour.file("/stop")
        text = neighbour.rest()
    finally:
        end_by_force(neighbour)
        host.reap_all()
    assert json.loads(text.splitlines()[-1])["got"]["getfd"] > 0, f"it has taken no voice: {text}"
