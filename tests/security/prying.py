# SPDX-License-Identifier: Apache-2.0
"""prying: containers in which pry (pry.h) runs while rt starts something there.

RT_TEST_ATTACK_ROUNDS=N, or --long for 1,000, says how often."""

import json
import os
import secrets
import shutil

import pytest

import compiled
import host
from fixtures import PEER
from rootless_engine import engine, for_engine  # noqa: F401 (a fixture)
from test_exec_attacks import ALL_CAPS
from test_rootless import UID, user_box  # noqa: F401 (a fixture)

HERE = os.path.dirname(os.path.abspath(__file__))
SETS = {"inh": "inheritable", "prm": "permitted", "eff": "effective", "bnd": "bounding", "amb": "ambient"}
SEEN_AT_LEAST = 0.2     # of the rounds: an attacker that sees nothing has shown nothing


@pytest.fixture(scope="session")
def pry():
    return compiled.program("pry", [os.path.join(HERE, f"pry{part}.c") for part in
                                    ("", "_look", "_take", "_gate")], [os.path.join(HERE, "pry.h")])


@pytest.fixture
def rounds(request):
    if request.config.getoption("--long"):
        return 1000
    return int(os.environ.get("RT_TEST_ATTACK_ROUNDS", "30" if os.environ.get("RT_TEST_AGAIN") else "150"))


class Secrets:
    """What only the host has: a file, a directory to write to, words in the environment of who calls rt, in a
    container's document, and the path of rt's state."""

    def __init__(self, work):
        self.plant = os.path.join(work, "host")
        self.canary = os.path.join(self.plant, "secret")
        self.word = f"prying-environment-{secrets.token_hex(8)}"
        self.annotation = f"prying-annotation-{secrets.token_hex(8)}"
        os.mkdir(self.plant, 0o700)
        with open(self.canary, "w", encoding="ascii") as file:
            file.write("of the host")
        os.chmod(self.canary, 0o600)

    def give(self, uid):
        """So that only the way to it is in question: ids do not keep root of that namespace from it."""
        for path in (self.plant, self.canary):
            os.chown(path, uid, uid)

    @property
    def environment(self):
        return dict(os.environ, RT_PRYING=self.word)

    def untouched(self):
        return os.listdir(self.plant) == ["secret"]


@pytest.fixture
def hidden(work):
    return Secrets(work)


def add_caps(box, *names):
    for kind in ("bounding", "effective", "permitted"):
        box.process["capabilities"][kind] = sorted({*box.process["capabilities"][kind],
                                                    *(f"CAP_{name}" for name in names)})


def mask(process, kind):
    return sum(1 << ALL_CAPS.index(name) for name in process["capabilities"].get(kind, []))


def inode(path):
    status = os.stat(path)
    return f"{status.st_dev}:{status.st_ino}"


def words(hidden, victim, **more):
    """pry's arguments: what is hidden from it, and what the processes of `victim` may be."""
    process = victim.process
    found = [f"canary={hidden.canary}", f"plant={hidden.plant}", "stop=/stop", f"marker={hidden.word}",
             f"marker={hidden.annotation}", f"marker={victim.rt.root}", "program=/bin/probe",
             f"uid={process['user']['uid']}", f"gid={process['user']['gid']}",
             f"nnp={int(process['noNewPrivileges'])}", f"seccomp={2 if 'seccomp' in victim.linux else 0}"]
    found += [f"{word}={mask(process, kind):x}" for word, kind in SETS.items()]
    found += [f"group={each}" for each in process["user"].get("additionalGids", [])]
    for name in sorted(os.listdir("/proc/self/ns")):
        if not name.endswith("_for_children"):
            found.append(f"host={os.readlink('/proc/self/ns/' + name)}")
    if PEER:    # a process of many threads cannot be led from call to call like one of ours
        more.setdefault("hold", "never")
    return found + [f"{name}={value}" for name, value in more.items()]


def prepare(box, pry, hidden):
    """Puts the program and a word of the document there; who owns the root file system owns it, too."""
    shutil.copy(pry, box.path("/bin/pry"))
    owner = os.stat(box.path("/bin")).st_uid
    os.chown(box.path("/bin/pry"), owner, owner)
    box.config["annotations"] = {"org.example.prying": hidden.annotation}


def start_prying(box, found, **options):
    box.process["args"] = ["/bin/pry", *found]
    box.create(**options)
    told = box.rt.call("start", box.id, **options)
    assert told.code == 0, told
    assert box.line() == "up"


def end_prying(box, stop=True):
    """What it has told; not to be stopped where it ends by itself."""
    if stop:
        box.file("/stop")
    text = box.rest()
    assert box.wait() == 0, text
    return text


def end_by_force(box):
    """What pry has held dies once pry has gone, and is ours to reap: before that its pid namespace cannot end."""
    def gone():
        for pid in host.children():
            if host.stat_state(pid) == "Z":
                os.waitpid(pid, os.WNOHANG)     # whom a tracer still has comes later
        return host.stat_state(box.pid) is None
    box.file("/stop")
    host.until(gone, "all of the container has ended")


def judge(text, hidden, rounds, able=(), ways=None, sure=False):
    """What pry has told. able: ways that it must have tried; sure: and with success, as among its own processes
    (what enters a container may refuse each of them for as long as it lives); ways: those that count."""
    lines = text.splitlines()
    assert lines and lines[-1].startswith("{"), text
    told = json.loads(lines[-1])
    hits = {way: count for way, count in told["hits"].items() if count and (not ways or way in ways)}
    first = [f"{each['way']}: process {each['pid']} ({each['name']}): {each['detail']}"
             + (", which has executed" if each["executed"] else "")
             for each in told["first"] if each["way"] in hits]
    assert not hits, "\n".join([f"hits {hits}; {told['seen']} of {rounds} seen, {told['early']} early", *first])
    assert hidden.untouched() or (ways and "plant" not in ways), os.listdir(hidden.plant)
    assert told["seen"] >= rounds * SEEN_AT_LEAST, f"it has seen too few: {told}"
    for way in () if PEER else able:
        did = told["got"][way] + (0 if sure else told["tried"][way])
        assert did > 0, f"it could not even try {way}: {told}"
    return told


def as_engine(box, hidden, engine):  # noqa: F811
    """The options of each rt that the engine calls."""
    return engine.options(box, RT_PRYING=hidden.word)
