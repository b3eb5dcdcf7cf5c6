# SPDX-License-Identifier: Apache-2.0
"""looks: what the verbs say where they cannot look: an error, and never another state."""

import json
import os
import resource
import shutil
import signal

import pytest

SWEEP = range(3, 13)


def limited(number):
    """For preexec_fn: rt has so many descriptors, 0, 1 and 2 among them."""
    return lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (number, number))


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="ascii", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def names_a_cause(told):
    words = told.err.decode() if isinstance(told.err, bytes) else told.err
    return told.code != 0 and words.strip() != "" and told.code < 126


@pytest.mark.own
@pytest.mark.needs("own-descriptors")
@pytest.mark.rows("VRB-14", "VRB-16")
@pytest.mark.parametrize("status", ["created", "running", "paused"])
def test_state_and_list_tell_the_truth_or_an_error(new_box, rt, status):
    box = new_box("pause")
    box.create()
    if status != "created":
        box.start()
    if status == "paused":
        rt.call("pause", box.id)
    assert box.status() == status
    seen = set()
    for number in SWEEP:
        told = rt.call("state", box.id, preexec_fn=limited(number))
        if told.code == 0:
            assert json.loads(told.out)["status"] == status, (number, told)
            assert json.loads(told.out)["pid"] > 0, (number, told)
        else:
            assert names_a_cause(told) and not told.out, (number, told)
        seen.add(told.code == 0)
        told = rt.call("list", "-f", "json", preexec_fn=limited(number))
        if told.code == 0:
            rows = {row["id"]: row["status"] for row in json.loads(told.out) or []}
            assert rows == {box.id: status}, (number, told)
        else:
            assert names_a_cause(told), (number, told)
    assert seen == {True, False}        # the sweep begins below what is needed, and ends above


@pytest.mark.own
@pytest.mark.needs("own-descriptors")
@pytest.mark.rows("VRB-21")
@pytest.mark.parametrize("cgroups", [True, False])
def test_delete_never_takes_a_running_container_for_a_dead_one(new_box, rt, cgroups):
    box = new_box("pause")
    flags = () if cgroups else ("--cgroup-manager", "disabled")
    box.create(globals=flags)
    box.start()
    pid = box.state()["pid"]
    for number in SWEEP:
        told = rt.call("delete", box.id, globals=flags, preexec_fn=limited(number))
        assert names_a_cause(told), (number, told)
        assert is_alive(pid) and box.status() == "running", (number, told)


@pytest.mark.own
@pytest.mark.needs("own-descriptors")
@pytest.mark.rows("VRB-23")
@pytest.mark.parametrize("cgroups", [True, False])
def test_delete_by_force_is_done_or_says_why_not(new_box, rt, cgroups):
    flags = () if cgroups else ("--cgroup-manager", "disabled")
    for number in SWEEP:
        box = new_box("pause")
        box.create(globals=flags)
        box.start()
        pid = box.state()["pid"]
        told = rt.call("delete", "--force", box.id, globals=flags, preexec_fn=limited(number))
        exists = os.path.exists(os.path.join(rt.root, box.id))
        box.exists = exists
        if told.code == 0:
            assert not exists and not is_alive(pid), (number, told)
            assert not cgroups or not box.cgroups.dirs(box.id), (number, told)
        else:
            assert names_a_cause(told) and exists, (number, told)
            box.delete("--force")
            assert not is_alive(pid)


@pytest.mark.own
@pytest.mark.needs("own-descriptors")
@pytest.mark.parametrize("flags", [(), ("--all",)], ids=["init", "all"])
def test_kill_reaches_it_or_says_why_not(new_box, rt, flags):
    for number in SWEEP:
        box = new_box("pause")
        box.create()
        box.start()
        pid = box.state()["pid"]
        told = rt.call("kill", *flags, box.id, "KILL", preexec_fn=limited(number))
        if told.code == 0:
            box.wait()
            assert not is_alive(pid), (number, told)
        else:
            assert names_a_cause(told) and "not running" not in told.err, (number, told)
            assert flags or is_alive(pid), (number, told)
        box.delete("--force")


@pytest.mark.own
@pytest.mark.rows("VRB-23")
@pytest.mark.parametrize("damage", ["cut", "lost", "text"])
def test_delete_by_force_without_a_record(new_box, rt, damage):
    box = new_box("pause")
    box.create()
    box.start()
    record = os.path.join(rt.root, box.id, "record.json")
    if damage == "cut":
        os.truncate(record, 20)
    elif damage == "lost":
        os.unlink(record)
    else:
        with open(record, "w", encoding="ascii") as file:
            file.write('{"version": 1, "phase": "dancing"}')
    assert rt.call("delete", box.id).code == 1 and is_alive(box.pid)
    told = rt.call("delete", "--force", box.id)
    assert told.code == 0 and "damaged record" in told.err, told
    box.exists = False
    box.wait()
    assert not box.cgroups.dirs(box.id) and not os.path.exists(os.path.dirname(record))


def cut(box, before=None, keep=20):
    """The record ends there: in front of a member, or after so many bytes."""
    path = os.path.join(box.rt.root, box.id, "record.json")
    if before:
        with open(path, encoding="utf-8") as file:
            keep = file.read().index(f'"{before}"')
    os.truncate(path, keep)


@pytest.mark.own
@pytest.mark.rows("VRB-23")
@pytest.mark.parametrize("before, runs", [("bundle", False), ("pid", True), ("cgroup", True), ("annotations", True)])
def test_what_is_left_of_a_record_is_used(new_box, before, runs):
    """Its bundle is the state that a poststop hook gets. Without it the hooks cannot run, which is said."""
    box = new_box("pause")
    log = f"{box.dir}/log"
    box.hook("poststop", f"append {log} x")
    box.up()
    cut(box, before)
    told = box.delete("--force")
    box.wait()
    assert os.path.exists(log) == runs and ("left out" in told.err) != runs, told
    assert not box.cgroups.dirs(box.id)


@pytest.mark.own
@pytest.mark.rows("VRB-23")
def test_a_process_without_a_cgroup_is_known_by_what_is_left_of_its_record(new_box, rt):
    flags = ("--cgroup-manager", "disabled")
    for before in ("notify", "startTime", "cgroup"):
        box = new_box("pause")
        box.create(globals=flags)
        box.start()
        cut(box, before)
        told = rt.call("delete", "--force", box.id)
        assert (told.code == 0) == (before == "notify"), told
        if told.code == 0:
            box.exists = False
            box.wait()
        else:
            assert is_alive(box.pid) and "remove the directory" in told.err, told
            os.kill(box.pid, signal.SIGKILL)
            box.wait()
            shutil.rmtree(os.path.join(rt.root, box.id))
            box.exists = False


@pytest.mark.own
@pytest.mark.rows("VRB-23")
@pytest.mark.parametrize("words, dies", [(("KILL",), True), (("--all", "TERM"), True), (("TERM",), False)])
@pytest.mark.parametrize("paused", [False, True])
def test_kill_with_a_damaged_record(new_box, rt, words, dies, paused):
    box = new_box("pause")
    box.up()
    if paused:
        rt.call("pause", box.id)
    cut(box)
    told = rt.call("state", box.id)
    assert told.code == 1 and "rt kill --all and rt delete --force" in told.err, told
    told = rt.call("kill", *[word for word in words if word.startswith("-")], box.id, words[-1])
    assert (told.code == 0) == dies, told
    if not dies:
        assert "rt kill --all" in told.err and is_alive(box.pid), told
    box.delete("--force")
    box.wait()


@pytest.mark.own
@pytest.mark.rows("VRB-23")
def test_kill_finds_init_in_what_is_left_of_a_record(new_box, rt):
    box = new_box("pause")
    box.up()
    cut(box, "notify")
    assert rt.call("kill", box.id, "KILL").code == 0
    box.wait()
    box.delete("--force")


@pytest.mark.own
@pytest.mark.rows("VRB-23")
def test_delete_by_force_that_can_know_nothing_is_an_error(new_box, rt):
    box = new_box("pause")
    box.create()
    box.start()
    directory = os.path.join(rt.root, box.id)
    with open(os.path.join(directory, "record.json"), encoding="utf-8") as file:
        kept = file.read()
    for name in ("record.json", "config.json"):
        os.rename(f"{directory}/{name}", f"{directory}/../{name}")
        with open(f"{directory}/{name}", "w", encoding="ascii") as file:
            file.write("{")
    told = rt.call("delete", "--force", box.id)
    assert told.code == 1 and f"remove the directory {directory}" in told.err, told
    assert is_alive(box.pid) and os.path.isdir(directory)
    for name in ("record.json", "config.json"):
        os.rename(f"{directory}/../{name}", f"{directory}/{name}")
    assert kept and box.status() == "running"


@pytest.mark.own
def test_poststop_hooks_are_not_left_out_in_silence(new_box, rt):
    box = new_box("exit 0")
    box.hook("poststop", f"append {box.dir}/log x")
    box.create()
    box.start()
    box.wait()
    with open(os.path.join(rt.root, box.id, "config.json"), "w", encoding="ascii"):
        pass
    told = box.delete(code=None)
    assert told.code == 1 and "poststop hooks" in told.err and "--force" in told.err, told
    assert box.status() == "stopped"
    told = box.delete("--force")
    assert "poststop hooks" in told.err and "left out" in told.err, told


@pytest.mark.own
@pytest.mark.parametrize("word", ["0", "TERM", "KILL"])
def test_kill_all_of_a_stopped_container(new_box, word):
    box = new_box("exit 0")
    box.create()
    box.start()
    box.wait()
    box.kill("--all", word)
    box.delete()


@pytest.mark.own
@pytest.mark.needs("root: gives files to another user")
@pytest.mark.parametrize("where", ["root", "container"])
@pytest.mark.parametrize("change", ["owner", "mode"])
def test_state_of_another_user_is_not_trusted(new_box, rt, where, change):
    box = new_box("pause")
    box.create()
    path = rt.root if where == "root" else os.path.join(rt.root, box.id)
    mode = os.stat(path).st_mode & 0o7777
    if change == "owner":
        os.chown(path, 4321, 4321)
    else:
        os.chmod(path, 0o777)
    for verb in (["state"], ["kill"], ["delete", "--force"]):
        told = rt.call(*verb, box.id)
        assert told.code == 1 and path.rpartition("/")[2] in told.err, told
    assert is_alive(box.pid)
    os.chown(path, 0, 0)
    os.chmod(path, mode)
    assert box.status() == "created"


@pytest.mark.own
def test_list_shows_no_control_bytes(new_box, rt):
    box = new_box("pause")
    box.save()
    bundle = box.dir + "/x\nforged 1 running \x1b[31m\x9b\xe9"
    os.rename(box.dir, box.dir + "-moved")
    os.makedirs(box.dir)
    os.rename(box.dir + "-moved", bundle)
    assert rt.call("create", "-b", bundle, box.id).code == 0
    box.exists = True
    lines = rt.call("list").out.splitlines()
    assert len(lines) == 2 and "?forged 1 running ?[31m??\xe9" in lines[1], lines
