# SPDX-License-Identifier: Apache-2.0
"""A filter, or its agent, answers calls by which rights are dropped with success, and the kernel does nothing: the
program has no more rights than its document says, or does not run at all."""

import base64
import platform
import struct

import pytest

from fixtures import PEER
from prying import SETS, mask
from test_seccomp_notify import NOTIFY, agent  # noqa: F401 (a fixture)

ALL = ["setresuid", "setresgid", "setuid", "setgid", "setgroups", "capset", "prctl"]
USER = {"uid": 7, "gid": 8, "additionalGids": [5]}
ROOT = {"uid": 0, "gid": 0, "additionalGids": [5]}     # the change of its ids takes no capability away
CASES = {
    "ids": (["setresuid", "setresgid", "setuid", "setgid"], USER, False),
    "groups": (["setgroups"], USER, False),
    "capset": (["capset"], USER, False),
    "capset-root": (["capset"], ROOT, False),
    "prctl": (["prctl"], USER, False),
    "prctl-root": (["prctl"], ROOT, False),
    "all": (ALL, USER, False),
    "all-root": (ALL, ROOT, False),
    "all-nnp": (ALL, USER, True),
}
NUMBERS = {"setresuid": 117, "setresgid": 119, "setuid": 105, "setgid": 106, "setgroups": 116, "capset": 126,
           "prctl": 157}    # of x86_64
VERBS = ["run", "create", "exec"]
OPTIONS = {"code": None, "globals": () if PEER else ("--timeout", "5s"), "timeout": 15, "extra_groups": [0, 4, 1234]}


def by_filter(box, names, _):
    box.linux["seccomp"] = {"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
        {"names": names, "action": "SCMP_ACT_ERRNO", "errnoRet": 0}]}


def by_agent(box, names, path):
    box.linux["seccomp"] = {
        "defaultAction": "SCMP_ACT_ALLOW", "listenerPath": path,
        "listenerMetadata": ";".join(f"{NUMBERS[name]}=0" for name in names),
        "syscalls": [{"names": names, "action": NOTIFY}]}


def by_annotation(box, names, _):
    """A program for the kernel as crun's annotation takes it: load the number, compare with each, answer."""
    load, equal, answer = 0x20, 0x15, 0x06
    code = [(load, 0, 0, 0)]
    code += [(equal, len(names) - at, 0, NUMBERS[name]) for at, name in enumerate(names)]
    code += [(answer, 0, 0, 0x7fff0000), (answer, 0, 0, 0x00050000)]
    box.config["annotations"] = {"run.oci.seccomp_bpf_data": base64.b64encode(
        b"".join(struct.pack("=HBBI", *each) for each in code)).decode()}


def told_by(box, verb):
    """The end of the first verb that fails, or of the one that executes the program."""
    if verb == "run":
        box.exists = True   # where it does not end; the end of the test removes it
        told = box.run(**OPTIONS)
        box.exists = False
        return told
    told = box.create(**OPTIONS)
    if told.code != 0:
        return told
    told = box.rt.call("start", box.id, **{name: value for name, value in OPTIONS.items() if name != "code"})
    if told.code != 0 or verb == "create":
        if told.code == 0:
            told.out = box.rest()
        box.wait()
        return told
    return box.exec(**OPTIONS)


def status_of(told):
    return told.report["status"] if '"op": "report"' in told.out else None


def judge(box, told):
    if told.code != 0:
        assert status_of(told) is None, f"it has failed, and run the program: {told}"
        assert told.err.strip(), told
        return
    status = status_of(told)
    assert status, f"neither an error nor a program that runs: {told}"
    user = box.process["user"]
    wrong = [kind for kind, key in (("Uid", "uid"), ("Gid", "gid"))
             if status[kind].split() != [str(user[key])] * 4]
    wrong += ["Groups"] if status["Groups"].split() != ["5"] else []
    wrong += [f"Cap{word.title()}" for word, kind in SETS.items()
              if int(status[f"Cap{word.title()}"], 16) & ~mask(box.process, kind)]
    assert not wrong, f"more rights than the document's: { {each: status[each] for each in wrong} }"


def tried(new_box, way, case, verb, path=None):
    names, user, nnp = case
    box = new_box("report", *(["pause"] if verb == "exec" else []))
    box.process.update(user=dict(user), noNewPrivileges=nnp)
    for kind in box.process["capabilities"]:
        box.process["capabilities"][kind] = ["CAP_CHOWN", "CAP_KILL"]
    way(box, names, path)
    judge(box, told_by(box, verb))


@pytest.mark.rows("SEC-23", "PRC-12", "PRC-13")
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
@pytest.mark.needs("root: has groups", "all-calls")
def test_by_the_filter(new_box, case, verb):
    tried(new_box, by_filter, case, verb)


@pytest.mark.rows("SEC-23", "SEC-21")
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
@pytest.mark.skipif(platform.machine() != "x86_64", reason="the agent is told numbers of x86_64")
@pytest.mark.needs("root: has groups", "all-calls")
def test_by_the_agent(new_box, agent, case, verb):  # noqa: F811
    tried(new_box, by_agent, case, verb, agent.path)


@pytest.mark.rows("SEC-23", "SEC-29")
@pytest.mark.parametrize("verb", VERBS)
@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
@pytest.mark.skipif(platform.machine() != "x86_64", reason="the program names numbers of x86_64")
@pytest.mark.own
@pytest.mark.needs("root: has groups", "all-calls")
def test_by_a_program_of_an_annotation(new_box, case, verb):
    tried(new_box, by_annotation, case, verb)
