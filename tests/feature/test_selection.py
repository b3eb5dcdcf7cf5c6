# SPDX-License-Identifier: Apache-2.0
"""delete and kill of all containers whose ids match."""

import os

import pytest


def named(new_box, *suffixes):
    """Created containers; the ids differ at the end."""
    boxes = []
    for suffix in suffixes:
        box = new_box("pause", name=f"rt{os.getpid()}{suffix}")
        box.create()
        boxes.append(box)
    return boxes


@pytest.mark.rows("VRB-24")
@pytest.mark.own
@pytest.mark.parametrize("flag", ["-r", "--regex"])
def test_delete_by_regex(new_box, rt, flag):
    web1, web2, db = named(new_box, "web1", "web2", "db")
    assert rt.call("delete", flag, "web[0-9]$", "no|such|web1").code == 0
    for box in (web1, web2):
        box.exists = False
        box.wait()
    assert rt.call("list", "-q").out == db.id + "\n"


@pytest.mark.rows("VRB-24")
@pytest.mark.own
def test_delete_goes_on_behind_a_failure(new_box, rt):
    """One runs and is left alone, without --force; the other one is deleted."""
    web1, web2 = named(new_box, "web1", "web2")
    web1.start()
    told = rt.call("delete", "-r", "web")
    assert told.code == 1 and web1.id in told.err and web2.id not in told.err, told
    web2.exists = False
    web2.wait()
    assert rt.call("list", "-q").out == web1.id + "\n"
    assert rt.call("delete", "-rf", "web").code == 0
    web1.exists = False
    web1.wait()


@pytest.mark.rows("VRB-24")
@pytest.mark.own
def test_somebody_else_is_faster(new_box, rt):
    """The second one is gone between the list of all and its turn."""
    web1, web2 = (new_box("pause", name=f"rt{os.getpid()}web{number}") for number in (1, 2))
    web1.config["hooks"] = {"poststop": [
        {"path": rt.path, "args": ["rt", "--root", rt.root, "delete", web2.id],
         "env": [f"{name}={value}" for name, value in os.environ.items()]}]}
    for box in (web1, web2):
        box.create()
    told = rt.call("delete", "-r", "web[12]$")
    assert (told.code, told.err) == (0, "")
    for box in (web1, web2):
        box.exists = False
        box.wait()
    assert rt.call("list", "-q").out == ""


@pytest.mark.rows("VRB-24", "VRB-38")
@pytest.mark.own
@pytest.mark.parametrize("verb", ["delete", "kill"])
def test_a_bad_expression(new_box, rt, fails, verb):
    box, = named(new_box, "a")
    fails(rt.call(verb, "-r", "("), "`(`", "no regular expression")
    assert box.status() == "created"
    assert rt.call(verb, "-r", "nothing-like-it").code == 0
    fails(rt.call(verb, "a."), "a.", "does not exist")    # an id as it is, without the option


@pytest.mark.rows("VRB-38")
@pytest.mark.own
def test_kill_by_regex(new_box, rt):
    web1, web2, db = named(new_box, "web1", "web2", "db")
    assert rt.call("kill", "--regex", "web", "KILL").code == 0
    assert (web1.wait(), web2.wait(), db.status()) == (128 + 9, 128 + 9, "created")
