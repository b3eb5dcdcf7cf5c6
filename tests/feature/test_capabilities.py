# SPDX-License-Identifier: Apache-2.0
"""process.capabilities: the five sets, what cannot be granted, and what is unknown."""

import pytest

import host
from bundle import Told, label


def sets(report):
    return {name: int(report["status"]["Cap" + word], 16) for name, word in
            (("bounding", "Bnd"), ("effective", "Eff"), ("permitted", "Prm"),
             ("inheritable", "Inh"), ("ambient", "Amb"))}


BITS = {"CAP_CHOWN": 0, "CAP_KILL": 5, "CAP_NET_BIND_SERVICE": 10, "CAP_SYS_CHROOT": 18}


def bits(*names):
    return sum(1 << BITS[name] for name in names)


@pytest.mark.rows("CAP-01", "HDN-11")
@pytest.mark.parametrize("value", [None, {}, {"bounding": []}], ids=label)
def test_no_capabilities(new_box, value):
    box = new_box("report")
    box.process["capabilities"] = value
    if value is None:
        del box.process["capabilities"]
    assert sets(box.run().report) == dict.fromkeys(
        ("bounding", "effective", "permitted", "inheritable", "ambient"), 0)


@pytest.mark.rows("CAP-02", "CAP-03", "CAP-04", "CAP-10")
@pytest.mark.needs("ids")
def test_the_five_sets(new_box):
    box = new_box("report")
    box.process["user"]["uid"] = 1000
    box.process["capabilities"] = {
        "bounding": ["CAP_KILL", "CAP_CHOWN", "CAP_SYS_CHROOT", "CAP_NET_BIND_SERVICE"],
        "effective": ["CAP_KILL"], "permitted": ["CAP_KILL", "CAP_CHOWN"],
        "inheritable": ["CAP_KILL", "CAP_CHOWN"], "ambient": ["CAP_KILL"]}
    report = box.run().report
    assert sets(report) == {
        "bounding": bits(*BITS), "effective": bits("CAP_KILL"), "permitted": bits("CAP_KILL"),
        "inheritable": bits("CAP_KILL", "CAP_CHOWN"), "ambient": bits("CAP_KILL")}
    assert report["securebits"] == 0


@pytest.mark.rows("CAP-03", "CAP-05")
@pytest.mark.needs("ids")
def test_capabilities_of_root_and_others(new_box):
    box = new_box("report")
    some = ["CAP_KILL", "CAP_CHOWN"]
    box.process["capabilities"] = {name: some for name in ("bounding", "effective", "permitted")}
    got = sets(box.run().report)
    assert got["effective"] == got["permitted"] == got["bounding"] == bits(*some)
    assert got["inheritable"] == got["ambient"] == 0
    box.process["user"]["uid"] = 1000
    got = sets(box.run().report)
    assert got["effective"] == got["permitted"] == 0 and got["bounding"] == bits(*some)


@pytest.mark.rows("CAP-04")
@pytest.mark.needs("ids")
def test_ambient_that_cannot_be_raised_is_a_warning(new_box):
    box = new_box("report")
    box.process["user"]["uid"] = 1000
    box.process["capabilities"] = {"bounding": ["CAP_KILL", "CAP_CHOWN"],
                                   "permitted": ["CAP_KILL", "CAP_CHOWN"],
                                   "effective": ["CAP_KILL"], "inheritable": ["CAP_KILL"],
                                   "ambient": ["CAP_KILL", "CAP_CHOWN"]}
    told = box.run()
    assert sets(told.report)["ambient"] == bits("CAP_KILL")


@pytest.mark.rows("CAP-06")
@pytest.mark.own
def test_effective_outside_of_permitted(box, fails):
    """At create or at start, but not without a word."""
    box.process["capabilities"] = {"bounding": ["CAP_KILL"], "effective": ["CAP_KILL"]}
    told = box.create(code=None)
    if told.code == 0:
        told = box.start(code=None)
    fails(told, "effective", "permitted", at="/process/capabilities")


def without(*names):
    """For preexec_fn: rt has not got these."""
    def drop():
        for name in names:
            host.checked(host.LIBC.prctl(24, BITS[name], 0, 0, 0), "PR_CAPBSET_DROP")   # what execve leaves
    return drop


@pytest.mark.rows("CAP-06")
@pytest.mark.own
@pytest.mark.needs("root: its capabilities are those of its bounding set")
@pytest.mark.parametrize("uid", [0, 1000])
def test_a_capability_that_cannot_be_granted_is_a_warning(new_box, uid):
    """config.md: logged, and no failure; what can be granted is."""
    box = new_box("report")
    names = list(BITS)
    box.process["user"]["uid"] = uid
    box.process["capabilities"] = {name: names for name in ("bounding", "effective", "permitted", "inheritable")}
    told = box.run(preexec_fn=without("CAP_KILL", "CAP_NET_BIND_SERVICE"))
    assert told.err.count("cannot grant CAP_KILL CAP_NET_BIND_SERVICE: rt itself has not got them") == 1
    assert told.err.count("CAP_KILL") == 1
    got = sets(told.report)
    assert got["bounding"] == got["inheritable"] == bits("CAP_CHOWN", "CAP_SYS_CHROOT")
    assert got["permitted"] == got["effective"] == (got["bounding"] if uid == 0 else got["permitted"])


@pytest.mark.rows("CAP-06")
@pytest.mark.own
@pytest.mark.needs("root: its capabilities are those of its bounding set")
def test_a_capability_that_cannot_be_granted_is_told_at_create(new_box):
    """And `start`, which has it again, gives no more than create did."""
    box = new_box("report")
    box.process["capabilities"] = {name: list(BITS) for name in ("bounding", "effective", "permitted")}
    told = box.create(preexec_fn=without("CAP_KILL"))
    assert "cannot grant CAP_KILL: rt itself has not got it" in told.err
    assert "CAP_KILL" not in box.start().err
    got = sets(Told(0, box.rest(), "").report)
    assert got["permitted"] == got["effective"] == got["bounding"] == bits(*BITS) - bits("CAP_KILL")


@pytest.mark.rows("CAP-06", "EXE-05")
@pytest.mark.own
@pytest.mark.needs("root: its capabilities are those of its bounding set")
def test_exec_grants_what_it_can(new_box):
    box = new_box("pause")
    box.up()
    told = box.exec("--cap", "CAP_KILL", "--cap", "CAP_CHOWN", preexec_fn=without("CAP_KILL"))
    assert "cannot grant CAP_KILL: rt itself has not got it" in told.err
    assert sets(told.report)["permitted"] & bits("CAP_KILL", "CAP_CHOWN") == bits("CAP_CHOWN")


@pytest.mark.rows("CAP-06", "CAP-11")
@pytest.mark.own
@pytest.mark.needs("root: its capabilities are those of its bounding set")
def test_a_user_namespace_grants_all(new_box):
    box = new_box("report")
    box.userns()
    box.process["capabilities"] = {name: list(BITS) for name in ("bounding", "effective", "permitted")}
    told = box.run(preexec_fn=without("CAP_KILL"))
    assert "cannot grant" not in told.err
    assert sets(told.report)["permitted"] == bits(*BITS)


@pytest.mark.rows("CAP-07", "CAP-08")
@pytest.mark.parametrize("name", ["CAP_NEW_THING", "5", "cap_kill_"])
def test_unknown_capability_is_ignored_with_a_warning(new_box, name):
    box = new_box("report")
    box.process["capabilities"]["bounding"] = box.process["capabilities"]["bounding"] + [name]
    told = box.run()
    assert name in told.err


@pytest.mark.rows("CAP-11")
def test_capabilities_in_a_user_namespace(new_box):
    box = new_box("report")
    box.userns()
    box.process["capabilities"] = {name: ["CAP_KILL"] for name in
                                   ("bounding", "effective", "permitted")}
    got = sets(box.run().report)
    assert got["effective"] == got["bounding"] == bits("CAP_KILL")
