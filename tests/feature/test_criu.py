# SPDX-License-Identifier: Apache-2.0
"""What checkpoint and restore ask of CRIU, and what they say of one that is missing, old or no help: with
fake_criu.py in its place, so on every host."""

import json
import os
import shutil

import pytest

import fake_criu
from bundle import label

pytestmark = [pytest.mark.own, pytest.mark.needs("root: CRIU")]

DUMP, RESTORE, PRE_DUMP, VERSION = 1, 2, 4, 10
OPTIONS = 2


class Criu:
    """Its folder, and what it was asked for."""

    def __init__(self, directory):
        self.directory = directory
        os.mkdir(directory)
        shutil.copy(fake_criu.__file__, f"{directory}/criu")
        os.chmod(f"{directory}/criu", 0o755)

    def tell(self, name, text):
        with open(f"{self.directory}/{name}", "w", encoding="utf-8") as file:
            file.write(text)

    @property
    def requests(self):
        """[(task, {field: [value, ...]})], without those for the version."""
        with open(f"{self.directory}/requests", encoding="utf-8") as file:
            found = [dict(json.loads(line)) for line in file]
        told = []
        for request in found:
            if request[1] != VERSION:
                told.append((request[1], {}))
                for field, value in request[OPTIONS]:
                    told[-1][1].setdefault(field, []).append(value)
        return told


@pytest.fixture
def criu(work, monkeypatch):
    made = Criu(f"{work}/fake-criu")
    monkeypatch.setenv("PATH", f"{made.directory}:{os.environ['PATH']}")
    return made


@pytest.fixture
def running(new_box):
    box = new_box("pause")
    box.up()
    box.images = os.path.join(box.dir, "images")
    return box


def checkpoint(box, *flags, code=0):
    told = box.rt.call("checkpoint", "--leave-running", "--image-path", box.images, *flags, box.id)
    assert told.code == code, told
    return told


def restore(box, *flags, name="another", code=1):
    """Of the same bundle, in a cgroup of its own."""
    os.makedirs(box.images, exist_ok=True)
    box.linux["cgroupsPath"] = f"/{box.cgroup}-other"
    box.save()
    told = box.rt.call("restore", "-d", "-b", box.dir, "--image-path", box.images, *flags, name)
    assert told.code == code, told
    return told


def test_what_is_always_asked_for(criu, running):
    checkpoint(running)
    ((task, options),) = criu.requests
    assert task == DUMP
    assert options[2] == [running.pid] and options[3] == [1]
    assert options[10] == ["dump.log"] and options[13] == [running.rootfs]
    assert options[6] == options[12] == options[50] == [1] and options[9] == [4]
    assert not set(options) & {4, 5, 7, 8, 14, 15, 16, 18, 34, 38, 46, 51, 52, 53, 63, 64}


@pytest.mark.needs("freezer")
def test_the_freezer(criu, running):
    checkpoint(running)
    assert criu.requests[0][1][44][0].endswith(f"/{running.cgroup}")


@pytest.mark.rows("CKP-05", "CKP-06", "CKP-07", "CKP-08", "CKP-09", "CKP-10", "CKP-11", "CKP-13", "CKP-14", "CKP-16",
                  "CKP-17")
@pytest.mark.parametrize("flags, field, value", [
    (["--tcp-established"], 5, 1), (["--tcp-skip-in-flight"], 46, 1), (["--link-remap"], 18, 1),
    (["--ext-unix-sk"], 4, 1), (["--shell-job"], 7, 1), (["--file-locks"], 8, 1), (["--auto-dedup"], 16, 1),
    (["--empty-ns", "network"], 38, 0x40000000), (["--pre-dump"], 15, 1),
    (["--manage-cgroups-mode", "ignore"], 34, 0), (["--manage-cgroups-mode", "soft"], 34, 3),
    (["--manage-cgroups-mode=full"], 34, 4), (["--manage-cgroups-mode", "strict"], 34, 5),
    (["--network-lock", "iptables"], 64, 1), (["--network-lock", "nftables"], 64, 2),
    (["--network-lock", "skip"], 64, 3)], ids=label)
def test_options_of_checkpoint(criu, running, flags, field, value):
    checkpoint(running, *flags)
    task, options = criu.requests[0]
    assert task == (PRE_DUMP if "--pre-dump" in flags else DUMP)
    assert options[field] == [value]


@pytest.mark.rows("CKP-05", "CKP-08", "CKP-09", "CKP-10", "CKP-13", "CKP-32", "CKP-33")
@pytest.mark.parametrize("flags, field, value", [
    (["--tcp-established"], 5, 1), (["--tcp-close"], 52, 1), (["--ext-unix-sk"], 4, 1), (["--shell-job"], 7, 1),
    (["--file-locks"], 8, 1), (["--manage-cgroups-mode", "ignore"], 34, 0), (["--manage-cgroups-mode", "full"], 34, 4),
    (["--lsm-profile", "apparmor:box"], 53, "apparmor:box"),
    (["--lsm-profile", "selinux:system_u:object_r:x:s0"], 53, "selinux:system_u:object_r:x:s0"),
    (["--lsm-mount-context", "system_u:object_r:y:s0"], 63, "system_u:object_r:y:s0")], ids=label)
def test_options_of_restore(criu, running, flags, field, value):
    criu.tell("answer", "no")
    restore(running, *flags)
    task, options = criu.requests[0]
    assert task == RESTORE and options[field] == [value] and options[26] == [1]


@pytest.mark.rows("CKP-16", "CKP-35")
@pytest.mark.parametrize("kind, empty", [("prestart", True), ("createRuntime", True), ("createContainer", False),
                                         ("poststart", False)])
def test_whose_the_network_is(criu, new_box, kind, empty):
    """It is the hooks' that run before the container does."""
    box = new_box("pause")
    box.hook(kind, "exit 0")
    box.up()
    box.images = os.path.join(box.dir, "images")
    checkpoint(box)
    criu.tell("answer", "no")
    restore(box)
    assert [options.get(38) for _, options in criu.requests] == [[0x40000000] if empty else None] * 2


@pytest.mark.rows("CKP-12")
def test_parent_path(criu, running):
    os.makedirs(f"{running.dir}/first")
    checkpoint(running, "--parent-path", "../first")
    assert criu.requests[0][1][14] == ["../first"] and criu.requests[0][1][15] == [1]


@pytest.mark.rows("CKP-13", "CKP-14", "CKP-16", "CKP-32")
@pytest.mark.parametrize("verb, flags, words", [
    ("checkpoint", ["--manage-cgroups-mode", "hard"], ["hard", "ignore"]),
    ("checkpoint", ["--network-lock", "no"], ["no", "iptables"]),
    ("checkpoint", ["--empty-ns", "pid"], ["pid", "network"]),
    ("restore", ["--lsm-profile", "smack:x"], ["smack:x: unknown type", "apparmor:PROFILE"])], ids=label)
def test_words_that_are_none(criu, running, fails, verb, flags, words):
    fails(running.rt.call(verb, *flags, running.id), *words)
    assert not os.path.exists(f"{criu.directory}/requests")


@pytest.mark.rows("CKP-03", "CKP-02")
def test_the_default_is_beside_the_caller(criu, running):
    told = running.rt.call("checkpoint", "--leave-running", running.id, cwd=running.dir)
    assert told.code == 0, told
    assert {"descriptors.json", "dump.log"} <= set(os.listdir(f"{running.dir}/checkpoint"))


@pytest.mark.rows("CKP-25", "CKP-26", "CKP-23", "CKP-34")
def test_what_comes_from_outside(criu, running):
    """Known by the destination, so another bundle may have it elsewhere."""
    running.bind(running.dir, "/data")
    running.namespace("ipc", "/proc/self/ns/ipc")
    running.namespace("network", f"/proc/{running.pid}/ns/net")
    criu.tell("answer", "no")
    restore(running)
    options = criu.requests[0][1]
    assert f"mnt[/data]:{running.dir}" in options[37] and "mnt[/proc/kcore]:/dev/null" in options[37]
    assert [dict(each)[1] for each in options[27]] == ["extRootNetNS"]
    assert [dict(each) for each in options[39]] == [{1: "ipc", 2: "/proc/self/ns/ipc"}]
    roots = {dict(each)[2] for each in options[25]}
    assert roots == {f"/{running.cgroup}-other"}


@pytest.mark.rows("CKP-28", "ANN-10")
def test_file_of_options(criu, running, new_box, fails):
    path = running.beside("criu.conf", "")
    boxes = {value: new_box("pause") for value in (path, "", "/missing")}
    for value, box in boxes.items():
        box.config["annotations"] = {"org.criu.config": value}
        box.images = os.path.join(box.dir, "images")
        box.up()
    checkpoint(boxes[path])
    checkpoint(boxes[""])
    assert criu.requests[0][1][51] == [path] and 51 not in criu.requests[1][1]
    fails(checkpoint(boxes["/missing"], code=1), "cannot read /missing", at="/annotations/org.criu.config")
    assert len(criu.requests) == 2


@pytest.mark.rows("CKP-27")
@pytest.mark.parametrize("text, words", [("{}", "is not a list"), ("[1]", "other than strings"), ("[", "json")],
                         ids=label)
def test_descriptors_that_are_none(criu, running, fails, text, words):
    os.makedirs(running.images)
    with open(f"{running.images}/descriptors.json", "w", encoding="ascii") as file:
        file.write(text)
    fails(restore(running), "descriptors.json", words)
    assert not os.path.exists(f"{criu.directory}/requests")


@pytest.mark.rows("CKP-19")
@pytest.mark.parametrize("verb", ["checkpoint", "restore"])
def test_needs_root(running, fails, verb):
    told = running.rt.call(verb, running.id, user=65534, group=65534, extra_groups=[], cwd=running.dir)
    fails(told, f"cannot {verb}", "operation not permitted", "CRIU has to be root")


@pytest.mark.rows("CKP-21")
def test_missing(running, fails, monkeypatch, work):
    monkeypatch.setenv("PATH", work)
    fails(checkpoint(running, code=1), "cannot run criu: no such file or directory", "package criu")
    fails(restore(running), "cannot run criu: no such file or directory", "package criu")
    assert running.status() == "running"


@pytest.mark.rows("CKP-21")
@pytest.mark.parametrize("version", ["2.12", "3.13"])
def test_too_old(criu, running, fails, version):
    criu.tell("version", version)
    fails(checkpoint(running, code=1), f"criu is too old: {version}, and 3.14 is needed")
    assert criu.requests == []


@pytest.mark.rows("CKP-22")
def test_its_reason_is_told(criu, running, fails):
    criu.tell("answer", "no Error (criu/x.c:1): rlimit: first")
    criu.tell("log", "(00.1) Error (criu/util.c:1): rlimit: Can't raise it\n"
                     "(00.2) Warn  (criu/x.c:2): nothing\n"
                     "(00.3)      7: Error (criu/mount.c:12): mnt: no such mount\n"
                     "(00.4) Error (criu/cr-dump.c:12): Dumping FAILED.\n")
    told = fails(checkpoint(running, code=1), "criu could not dump the container: mnt: no such mount; Dumping FAILED.",
                 f"see {running.images}/dump.log")
    assert "rlimit" not in told.err
    assert running.status() == "running"


@pytest.mark.rows("CKP-22")
@pytest.mark.parametrize("answer, words", [
    ("silent", "criu ended with status 3 and no answer"), ("killed", "criu was killed by signal 9 (SIGKILL)"),
    ("ffffffff", "criu sent what is no answer")], ids=label)
def test_no_answer(criu, running, fails, answer, words):
    criu.tell("answer", answer)
    fails(checkpoint(running, code=1), words)
    assert running.status() == "running"


@pytest.mark.rows("CKP-22")
def test_bounded(criu, running, fails):
    criu.tell("answer", "hangs")
    told = running.rt.call("checkpoint", "--image-path", running.images, running.id, globals=("--timeout", "0.5s"))
    fails(told, "criu does not answer: waited 0.5 s", "it was")
    assert running.status() == "running"


@pytest.mark.rows("CKP-37", "CKP-22")
def test_nothing_is_left_of_a_restore_that_fails(criu, running):
    criu.tell("answer", "killed")
    restore(running)
    assert running.rt.call("state", "another").code == 1
    assert running.cgroups.dirs(f"{running.cgroup}-other") == []


@pytest.mark.rows("CKP-01", "CKP-29")
@pytest.mark.parametrize("verb", ["checkpoint", "restore"])
def test_help(rt, verb):
    """podman looks for the verb so, and for a pod's restore by the words about a missing argument."""
    assert rt.call(verb, "--help", root=False).code == 0
    told = rt.call("restore", "--lsm-mount-context", root=False)
    assert told.code == 1 and "flag needs an argument" in told.err
