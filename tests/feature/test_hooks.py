# SPDX-License-Identifier: Apache-2.0
"""Hooks: when they run, where, with what, and what their failure does."""

import os

import pytest

import host

OUTSIDE = ("prestart", "createRuntime", "createContainer", "poststart", "poststop")
ALL = ("prestart", "createRuntime", "createContainer", "startContainer", "poststart", "poststop")


@pytest.fixture
def hooked(new_box):
    """A container with a hook of each kind that appends its name to one file."""
    box = new_box("append /log process", "pause")
    box.log = box.file("/log")
    for kind in ALL:
        path = "/log" if kind == "startContainer" else box.log
        box.hook(kind, f"append {path} {kind}",
                 path="/bin/probe" if kind == "startContainer" else None)

    def log():
        with open(box.log, encoding="ascii") as file:
            return file.read().split()
    box.said = log
    return box


@pytest.mark.rows("HKS-01", "HKS-02", "HKS-03", "HKS-04", "HKS-05", "HKS-06", "LCY-01")
@pytest.mark.own
def test_each_kind_at_its_time(hooked):
    hooked.create()
    assert hooked.said() == ["prestart", "createRuntime", "createContainer"]
    hooked.start()
    host.until(lambda: "process" in hooked.said(), "the process runs")
    said = hooked.said()[3:]
    assert said[0] == "startContainer" and sorted(said[1:]) == ["poststart", "process"]
    hooked.kill("KILL")
    hooked.wait()
    assert hooked.said()[-1] != "poststop"
    hooked.delete()
    assert hooked.said()[-1] == "poststop"
    assert len(hooked.said()) == 7


@pytest.mark.rows("HKS-06", "CRT-17")
@pytest.mark.parametrize("how", ["run", "delete -f", "delete created"])
def test_poststop_runs_whatever_ends_it(new_box, how):
    box = new_box("exit 0" if how == "run" else "pause")
    log = box.dir + "/log"
    box.hook("poststop", f"append {log} x")
    if how == "run":
        box.run()
    else:
        box.create()
        if how == "delete -f":
            box.start()
        box.delete(*(["-f"] if how == "delete -f" else []))
        box.wait()
    with open(log, encoding="ascii") as file:
        assert file.read() == "x\n"


@pytest.mark.rows("HKS-07")
@pytest.mark.parametrize("kind", OUTSIDE[:4])
@pytest.mark.own
def test_array_order_and_first_failure(new_box, fails, kind):
    box = new_box("pause")
    log = box.dir + "/log"
    box.hook(kind, f"append {log} one")
    box.hook(kind, f"append {log} two", "exit 3")
    box.hook(kind, f"append {log} three")
    told = box.create(code=None)
    if kind == "poststart":
        told = box.start(code=None)
        box.exists = box.rt.call("state", box.id).code == 0
    fails(told, "hook", own=(kind, box.probe, "3"), at=f"/hooks/{kind}/1")
    with open(log, encoding="ascii") as file:
        assert file.read().split() == ["one", "two"]


@pytest.mark.rows("HKS-13", "HKS-15", "HKS-16", "HKS-17", "HKS-18", "HKS-26")
@pytest.mark.parametrize("kind", ALL)
@pytest.mark.own
def test_state_on_standard_input(new_box, kind):
    box = new_box("pause")
    box.process["cwd"] = "/tmp"
    box.config["annotations"] = {"a/b": "c"}
    inside = kind == "startContainer"
    out = box.dir + "/out" if not inside else box.path("/out")
    box.hook(kind, "hook " + ("/out" if inside else out), path="/bin/probe" if inside else None)
    box.create()
    box.start()
    box.delete("-f")
    box.wait()
    [(report, state)] = box.hook_reports(out)
    assert report["state"].count("\n") == 0 and "\\/" not in report["state"]
    assert state["ociVersion"].startswith("1.") and state["id"] == box.id
    assert state["bundle"] == box.dir and state["annotations"] == {"a/b": "c"}
    want = {"prestart": "creating", "createRuntime": "creating", "createContainer": "creating",
            "startContainer": "created", "poststart": "running", "poststop": "stopped"}[kind]
    assert state["status"] == want
    if kind == "poststop":
        assert state.get("pid", 0) == 0
    elif kind in ("prestart", "createRuntime", "poststart"):
        assert state["pid"] == box.pid
    else:
        assert state["pid"] == 1
    assert report["cwd"] == ("/tmp" if inside else box.dir)


@pytest.mark.rows("HKS-09", "HKS-10", "HKS-25", "HKS-24", "ENG-30")
@pytest.mark.parametrize("kind", ALL)
@pytest.mark.own
def test_what_a_hook_inherits(new_box, kind):
    box = new_box("pause")
    inside = kind == "startContainer"
    out = box.dir + "/out" if not inside else box.path("/out")
    box.hook(kind, "echo noise", "complain noise", "hook " + ("/out" if inside else out),
             path="/bin/probe" if inside else None, env=["ONE=1", "TWO=2 3"])
    box.create(env={**os.environ, "SECRET": "1"})
    told = box.start()
    assert told.out == "" and told.err == ""
    box.delete("-f")
    box.wait()
    assert box.rest() == ""          # nothing of a hook's on the container's output
    [(report, _)] = box.hook_reports(out)
    assert sorted(report["env"]) == ["ONE=1", "TWO=2 3"]
    assert set(report["fds"]) == {"0", "1", "2"}


@pytest.mark.rows("HKS-11")
@pytest.mark.parametrize("kind", ALL)
@pytest.mark.own
def test_a_hook_without_env(new_box, kind, monkeypatch):
    """Those outside have the environment of rt; no library of an image's gets into a program of the
    host (CVE-2025-23266)."""
    box = new_box("pause")
    box.process["env"].append("LD_PRELOAD=/evil.so")
    inside = kind == "startContainer"
    out = box.dir + "/out" if not inside else box.path("/out")
    box.hook(kind, "hook " + ("/out" if inside else out), path="/bin/probe" if inside else None)
    monkeypatch.setenv("OF_THE_CALLER", kind)
    box.create()
    box.start()
    box.delete("-f")
    box.wait()
    [(report, _)] = box.hook_reports(out)
    if inside:
        assert "LD_PRELOAD=/evil.so" in report["env"] and "A=1" in report["env"]
        assert f"OF_THE_CALLER={kind}" not in report["env"]
    elif kind == "createContainer":
        assert report["env"] == []
    else:
        assert sorted(report["env"]) == sorted(f"{key}={value}" for key, value in os.environ.items())


@pytest.mark.rows("HKS-11")
@pytest.mark.parametrize("kind", ALL)
@pytest.mark.own
def test_an_empty_env(new_box, kind):
    box = new_box("pause")
    inside = kind == "startContainer"
    out = box.dir + "/out" if not inside else box.path("/out")
    box.hook(kind, "hook " + ("/out" if inside else out), path="/bin/probe" if inside else None,
             env=[])
    box.create()
    box.start()
    box.delete("-f")
    box.wait()
    [(report, _)] = box.hook_reports(out)
    assert report["env"] == []


@pytest.mark.rows("HKS-03", "HKS-09")
@pytest.mark.parametrize("kind", OUTSIDE)
@pytest.mark.own
def test_files_of_a_hook_are_not_for_all_to_write(new_box, kind):
    """The umask is that of rt's caller: createContainer hooks wrote ld.so.cache 0666."""
    box = new_box("pause")
    made = box.dir + "/made"
    box.hook(kind, path="/bin/sh", args=["sh", "-c", f": > {made}"])
    callers = os.umask(0o027)
    try:
        box.create()
        box.start()
        box.delete("-f")
        box.wait()
    finally:
        os.umask(callers)
    assert os.stat(made).st_mode & 0o7777 == 0o640


@pytest.mark.rows("HKS-09")
@pytest.mark.own
def test_args_default_to_the_path(new_box):
    box = new_box("pause")
    box.file("/bin/nothing")
    box.hook("createRuntime")
    del box.config["hooks"]["createRuntime"][0]["args"]
    box.create()        # the probe without operations ends with 0


@pytest.mark.rows("HKS-08")
@pytest.mark.own
@pytest.mark.parametrize("path", ["bin/true", "./x"])
def test_path_must_be_absolute(box, fails, path):
    box.config["hooks"] = {"createRuntime": [{"path": path}]}
    fails(box.create(code=None), "absolute", at="/hooks/createRuntime/0/path")


@pytest.mark.rows("HKS-33", "HKS-19")
@pytest.mark.parametrize("kind", OUTSIDE[:3])
def test_missing_program(box, fails, kind):
    box.config["hooks"] = {kind: [{"path": "/no/such/hook"}]}
    fails(box.create(code=None), "/no/such/hook", "no such file or directory",
          at=f"/hooks/{kind}/0")


@pytest.mark.rows("HKS-12")
@pytest.mark.parametrize("kind", ["createRuntime", "createContainer"])
def test_timeout(new_box, fails, kind):
    box = new_box("pause")
    box.hook(kind, "pause", timeout=1)
    fails(box.create(code=None), "hook", own=("timeout",), at=f"/hooks/{kind}/0")


@pytest.mark.rows("HKS-12")
@pytest.mark.own
@pytest.mark.parametrize("value", [0, -1])
def test_timeout_must_be_positive(box, fails, value):
    box.hook("poststop", "exit 0", timeout=value)
    fails(box.create(code=None), "timeout", at="/hooks/poststop/0/timeout")


@pytest.mark.rows("HKS-14")
@pytest.mark.parametrize("kind", ["createRuntime", "createContainer", "poststop"])
def test_a_hook_that_does_not_read(new_box, kind):
    box = new_box("exit 0")
    box.config["annotations"] = {"long": "x" * 200000}
    box.hook(kind, "exit 0")
    box.run()


@pytest.mark.rows("HKS-19", "HKS-23")
@pytest.mark.parametrize("kind", ["prestart", "createRuntime", "createContainer"])
def test_failure_during_create(new_box, fails, kind):
    box = new_box("append /ran x")
    log = box.dir + "/log"
    box.hook(kind, "complain because-of-the-moon", "exit 9")
    box.hook("poststop", f"append {log} poststop")
    fails(box.create(code=None), "hook", own=(kind, "because-of-the-moon", "9"),
          at=f"/hooks/{kind}/0")
    assert not os.path.exists(box.path("/ran"))
    assert box.rt.call("list", "-q").out == ""


@pytest.mark.rows("HKS-23")
@pytest.mark.own
def test_poststop_after_a_failed_create(new_box):
    box = new_box("pause")
    log = box.dir + "/log"
    box.hook("createRuntime", "exit 9")
    box.hook("poststop", f"append {log} poststop")
    assert box.create(code=None).code == 1
    assert os.path.exists(log)


@pytest.mark.rows("HKS-20")
@pytest.mark.own
@pytest.mark.parametrize("verb", ["start", "run"])
def test_failure_of_start_container(new_box, fails, verb):
    box = new_box("append /ran x")
    box.hook("startContainer", "exit 9", path="/bin/probe")
    if verb == "run":
        told = box.run(code=None)
    else:
        box.create()
        told = box.start(code=None)
        box.exists = box.rt.call("state", box.id).code == 0
        assert not box.exists or box.status() == "stopped"
    fails(told, "startContainer", at="/hooks/startContainer/0")
    assert not os.path.exists(box.path("/ran"))


@pytest.mark.rows("HKS-21")
@pytest.mark.own
@pytest.mark.parametrize("verb", ["start", "run"])
def test_failure_of_poststart(new_box, fails, verb):
    box = new_box("pause")
    box.hook("poststart", "exit 9")
    if verb == "run":
        told = box.run(code=None)
    else:
        box.create()
        told = box.start(code=None)
        host.wait_dead(box.pid)
        box.exists = box.rt.call("state", box.id).code == 0
    fails(told, "poststart", at="/hooks/poststart/0")


@pytest.mark.rows("HKS-22")
@pytest.mark.own
def test_failure_of_poststop_is_a_warning(new_box):
    box = new_box("pause")
    log = box.dir + "/log"
    box.hook("poststop", "exit 9")
    box.hook("poststop", f"append {log} second")
    box.create()
    told = box.delete("-f")
    box.wait()
    assert "poststop" in told.err
    with open(log, encoding="ascii") as file:
        assert file.read() == "second\n"


@pytest.mark.rows("HKS-02", "HKS-03", "HKS-26", "HKS-27")
def test_namespaces_of_hooks(new_box):
    box = new_box("report", "pause")
    for kind in ALL:
        inside = kind == "startContainer"
        box.hook(kind, f"hook /{kind}" if inside else f"hook {box.dir}/{kind}",
                 path="/bin/probe" if inside else None)
    mine = {name: os.stat(f"/proc/self/ns/{name}").st_ino for name in ("net", "ipc", "uts", "mnt")}
    its = {name: number for name, number in box.up().report["namespaces"].items() if name in mine}
    box.delete("-f")
    box.wait()
    assert not set(mine.values()) & set(its.values())
    for kind in ALL:
        path = box.path("/" + kind) if kind == "startContainer" else f"{box.dir}/{kind}"
        [(report, _)] = box.hook_reports(path)
        got = {name: number for name, number in report["namespaces"].items() if name in mine}
        assert got == (its if kind in ("createContainer", "startContainer") else mine), kind


@pytest.mark.rows("HKS-27", "HKS-02", "HKS-28")
def test_the_network_namespace_is_there_for_create_runtime(new_box):
    box = new_box("pause")
    box.linux["resources"]["pids"] = {"limit": 77}
    seen = box.dir + "/seen"
    script = box.beside("hook.sh", f"""#!/bin/sh
pid=$(sed 's/.*"pid": *\\([0-9]*\\).*/\\1/' | tr -d '\\n')
readlink /proc/$pid/ns/net > {seen}
cat /proc/$pid/cgroup >> {seen}
""")
    os.chmod(script, 0o755)
    box.hook("createRuntime", path=script, env=["PATH=/usr/sbin:/usr/bin:/sbin:/bin"])
    box.create()
    with open(seen, encoding="ascii") as file:
        lines = file.read().splitlines()
    assert lines[0] == os.readlink(f"/proc/{box.pid}/ns/net") != os.readlink("/proc/self/ns/net")
    assert any(box.cgroup in line for line in lines[1:])


@pytest.mark.rows("HKS-29")
def test_a_mount_by_create_container_is_seen_inside(new_box):
    box = new_box("ls /tmp")
    source = box.beside("d")
    script = box.beside("hook.sh", f"#!/bin/sh\nmount --bind {source} {box.path('/tmp')}\n")
    box.beside("d/shown", "")
    os.chmod(script, 0o755)
    box.hook("createContainer", path=script, env=["PATH=/usr/sbin:/usr/bin:/sbin:/bin"])
    assert box.run().line("ls", "/tmp")["names"] == ["shown"]


@pytest.mark.rows("HKS-32")
@pytest.mark.needs("ids")
def test_credentials_of_start_container(new_box):
    box = new_box("pause")
    box.process["user"] = {"uid": 1234, "gid": 4321, "additionalGids": [7]}
    box.process["cwd"] = "/tmp"
    os.chmod(box.path("/tmp"), 0o777)
    box.hook("startContainer", "hook /tmp/out", path="/bin/probe")
    box.create()
    box.start()
    box.delete("-f")
    box.wait()
    [(report, _)] = box.hook_reports(box.path("/tmp/out"))
    assert report["status"]["Uid"].split() == ["1234"] * 4
    assert report["status"]["CapEff"].strip("0") == "" and report["nnp"] == 1
    assert report["cwd"] == "/tmp"


@pytest.mark.rows("HKS-26", "UID-01")
def test_hooks_outside_of_the_user_namespace(new_box):
    box = new_box("pause")
    box.userns()
    out = box.dir + "/out"
    box.hook("createRuntime", f"hook {out}")
    box.create()
    [(report, _)] = box.hook_reports(out)
    assert report["status"]["Uid"].split() == [str(os.getuid())] * 4
    assert report["namespaces"]["user"] == os.stat("/proc/self/ns/user").st_ino
