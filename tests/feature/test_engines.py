# SPDX-License-Identifier: Apache-2.0
"""The command line as engines and people use it: options, texts, logs, exit codes."""

import datetime
import json
import os
import threading

import pytest

import host
import who
from bundle import label

VERBS = ("create", "run", "start", "state", "list", "kill", "delete", "spec", "features")


@pytest.fixture
def log(work):
    path = work + "/log"

    def records():
        with open(path, encoding="utf-8") as file:
            return [json.loads(line) for line in file]
    records.path = path
    return records


@pytest.mark.rows("CLI-21", "ENG-19")
@pytest.mark.parametrize("flag", ["--version", "-v"])
def test_version(rt, flag):
    told = rt.call(flag, root=False)
    lines = told.out.splitlines()
    assert (told.code, told.err) == (0, "")
    name = os.path.basename(rt.path)
    assert lines[0].startswith(f"{name} version ") and lines[0].split()[2][0].isdigit()
    parts = dict(line.split(": ", 1) for line in lines[1:] if ": " in line)
    assert parts["spec"].startswith("1.") and "commit" in parts


@pytest.mark.rows("CLI-21")
@pytest.mark.own
def test_version_without_a_usable_state_root(rt):
    assert rt.execute([rt.path, "--root", "/proc/nowhere", "--version"]).code == 0


@pytest.mark.rows("CLI-22")
@pytest.mark.own
def test_version_tells_what_is_built_in(rt):
    out = rt.call("--version", root=False).out
    assert {"+SECCOMP", "+CAP", "+CRIU"} <= set(out.split())


@pytest.mark.rows("CLI-24")
@pytest.mark.parametrize("flag", ["--help", "-h"])
def test_help(rt, flag):
    told = rt.call(flag, root=False)
    assert (told.code, told.err) == (0, "")
    for verb in VERBS:
        assert verb in told.out, verb


@pytest.mark.rows("CLI-25")
@pytest.mark.parametrize("verb", VERBS)
def test_help_of_a_verb(rt, verb):
    told = rt.call(verb, "--help", root=False)
    assert (told.code, told.err) == (0, "")
    assert verb in told.out


@pytest.mark.rows("CLI-26", "CLI-27", "CLI-28", "CLI-33")
@pytest.mark.own
@pytest.mark.parametrize("argv, words", [
    (["foo"], ["foo"]), (["--foo", "list"], ["--foo"]), (["list", "--foo"], ["--foo"]), ([], []),
    (["state"], ["state"]), (["state", "a", "b"], ["state"]), (["start"], ["start"]),
    (["kill"], ["kill"]), (["delete"], ["delete"]), (["create"], ["create"]),
    (["list", "x"], ["list"]),
    (["create", "-b"], ["-b"]), (["--root"], ["--root"]),
    (["--log-format", "xml", "list"], ["xml"]),
    (["--log", "/no/such/dir/log", "list"], ["/no/such/dir/log"]),
    (["--cgroup-manager", "x", "list"], ["x"]),
], ids=label)
def test_usage_errors(rt, argv, words):
    told = rt.call(*argv)
    assert told.code == 1 and told.out == "", told
    for word in words:
        assert word in told.err, told


@pytest.mark.rows("CLI-29", "CLI-30", "CLI-34", "ENG-04", "ENG-05")
@pytest.mark.parametrize("style", ["=", " "])
def test_option_styles(new_box, work, style):
    box = new_box("pause")
    box.save()

    def option(name, value):
        return [f"{name}={value}"] if style == "=" else [name, value]
    argv = [box.rt.path, *option("--log", work + "/log"), *option("--log-format", "json"),
            "--debug", *option("--root", box.rt.root), "create", *option("--bundle", box.dir),
            *option("--pid-file", work + "/pid"), box.id]
    told = box.rt.execute(argv)
    assert told.code == 0 and told.out == "", told
    box.exists = True
    with open(work + "/pid", encoding="ascii") as file:
        assert int(file.read()) == box.state()["pid"]


@pytest.mark.rows("CLI-30")
@pytest.mark.parametrize("flag, detached", [("--detach=true", True), ("--detach=false", False)])
def test_booleans_with_a_value(new_box, flag, detached):
    box = new_box("exit 7")
    box.save()
    told = box.rt.call("run", flag, "-b", box.dir, box.id)
    box.exists = detached
    assert told.code == (0 if detached else 7), told


@pytest.mark.rows("ENG-01")
def test_the_line_of_conmon(new_box, work):
    box = new_box("pause")
    box.save()
    told = box.rt.execute([box.rt.path, "--root", box.rt.root, "create", "--bundle", box.dir,
                           "--pid-file", work + "/pid", "--no-new-keyring", box.id])
    assert told.code == 0, told
    box.exists = True


@pytest.mark.rows("ENG-04", "ENG-05", "ENG-06")
def test_the_lines_of_a_shim(new_box, rt, work):
    """go-runc's, in the order of a container's life."""
    box = new_box("trap 15", "echo up", "until 15", "exit 0")
    box.save()
    more = ["--log", work + "/log.json", "--log-format", "json"]
    read, write = os.pipe()
    told = rt.call("create", "--bundle", box.dir, "--pid-file", work + "/init.pid", box.id,
                   globals=more, stdout=write)
    os.close(write)
    box.pipe, box.exists = read, True
    assert told.code == 0, told
    for verb in (["start", box.id], ["state", box.id], ["list", "--format=json"]):
        assert rt.call(*verb, globals=more).code == 0
    assert box.line() == "up"
    box.pid = box.state()["pid"]
    told = rt.call("kill", box.id, "15", globals=more)
    assert (told.code, told.out, told.err) == (0, "", "")
    assert box.line() == "signal 15"
    assert box.wait() == 0
    told = rt.call("delete", box.id, globals=more)
    assert (told.code, told.out, told.err) == (0, "", "")
    told = rt.call("delete", "--force", box.id, globals=more)
    assert told.code == 0
    box.exists = False
    assert not [line for line in open(work + "/log.json", encoding="utf-8") if '"error"' in line]


@pytest.mark.rows("CLI-05", "CLI-10", "CLI-11", "CLI-12", "ENG-07", "ENG-08")
def test_json_log_of_an_error(box, log, fails):
    box.process["args"] = ["nothing"]
    box.save()
    told = box.rt.call("create", "-b", box.dir, box.id,
                       globals=["--log", log.path, "--log-format", "json"])
    fails(told, "executable file not found in $PATH")
    last = [record for record in log() if record["level"] == "error"][-1]
    assert "executable file not found in $PATH" in last["msg"] and "\n" not in last["msg"]
    datetime.datetime.fromisoformat(last["time"].replace("Z", "+00:00")[:19])


@pytest.mark.rows("CLI-11", "ENG-08")
@pytest.mark.own
def test_json_log_has_more_for_programs(box, log):
    box.mount("/data", "nosuchfs")
    box.save()
    box.rt.call("create", "-b", box.dir, box.id,
                globals=["--log", log.path, "--log-format", "json"])
    [last] = [record for record in log() if record["level"] == "error"]
    assert list(last)[:3] == ["level", "msg", "time"]
    assert last["code"].startswith("RT-")
    assert "/mounts/7" in json.dumps(last)
    with open(log.path, encoding="utf-8") as file:
        assert len(file.read().splitlines()) == 1


@pytest.mark.rows("CLI-05", "CLI-12")
def test_text_log_of_an_error(box, work):
    box.process["args"] = ["nothing"]
    box.save()
    path = work + "/log"
    with open(path, "w", encoding="ascii") as file:
        file.write("first\n")
    told = box.rt.call("create", "-b", box.dir, box.id, globals=["--log", path])
    with open(path, encoding="utf-8") as file:
        lines = file.read().splitlines()
    assert lines[0] == "first" and "executable file not found" in lines[-1]
    assert "executable file not found" in told.err


@pytest.mark.rows("CLI-13", "CLI-15")
@pytest.mark.parametrize("target", ["stderr", "file"])
def test_debug_does_not_touch_the_container(new_box, work, target):
    box = new_box("echo mine", "report")
    path = work + "/log"
    box.save()
    more = ["--debug"] + (["--log", path, "--log-format", "json"] if target == "file" else [])
    told = box.rt.call("run", "-b", box.dir, box.id, globals=more)
    assert told.code == 0
    assert told.out.startswith("mine\n{") and len(told.out.splitlines()) == 2
    assert set(told.report["fds"]) == {"0", "1", "2"}
    if target == "file":
        assert told.err == ""
        with open(path, encoding="utf-8") as file:
            assert {json.loads(line)["level"] for line in file} <= {"debug", "info", "warning"}


@pytest.mark.rows("CLI-14")
@pytest.mark.own
def test_log_level(rt):
    os.mkdir(rt.root)
    for level in ("error", "warning", "debug"):
        assert rt.call("list", globals=["--log-level", level]).code == 0
    assert rt.call("list", globals=["--log-level", "loud"]).code == 1


@pytest.mark.rows("CLI-20", "CLI-19", "CLI-31")
@pytest.mark.own
@pytest.mark.parametrize("flags", [["--rootless", "auto"], ["--rootless=false"], ["--criu", "x"]],
                         ids=label)
def test_flags_of_older_callers(rt, flags):
    os.mkdir(rt.root)
    assert rt.call("list", globals=flags).code == 0


@pytest.mark.rows("CLI-01")
def test_relative_state_root(new_box, work):
    box = new_box("pause")
    box.save()
    argv = [box.rt.path, "--root", os.path.basename(box.rt.root)]
    told = box.rt.execute(argv + ["create", "-b", box.dir, box.id], cwd=work)
    assert told.code == 0, told
    box.exists = True
    assert box.status() == "created"


@pytest.mark.rows("CLI-18", "ENG-32", "MNT-61")
@pytest.mark.own
@pytest.mark.needs("root: in a user namespace it is the host's that is shown")
def test_a_mount_of_cgroups_without_cgroups(new_box, cgroups):
    """What podman's --cgroups=disabled asks for: the caller's own directories, never to be written."""
    box = new_box("pause")
    del box.linux["resources"], box.linux["cgroupsPath"]
    mount = next(each for each in box.config["mounts"] if each["type"] == "cgroup")
    mount["options"] = ["nosuid", "noexec", "nodev"]
    box.save()
    told = box.rt.call("--cgroup-manager=disabled", "run", "-d", "-b", box.dir, box.id)
    assert told.code == 0, told
    box.exists, box.pid = True, box.state()["pid"]
    shown = [line for line in host.mountinfo(f"/proc/{box.pid}/mountinfo")
             if line[4].startswith("/sys/fs/cgroup")]
    assert all("ro" in line[5].split(",") for line in shown)
    assert {line[3] for line in shown if line[line.index("-") + 1].startswith("cgroup")} == \
        {path for key, path in cgroups.of("self").items() if key == "" or key in cgroups.v1}
    box.kill("KILL")
    box.wait()


@pytest.mark.rows("CLI-17", "CLI-18", "ENG-32")
@pytest.mark.own
def test_without_cgroups(new_box, cgroups):
    box = new_box("pause")
    del box.linux["resources"], box.linux["cgroupsPath"], box.config["mounts"][6]
    own = cgroups.of("self")
    box.save()
    told = box.rt.call("--cgroup-manager=disabled", "create", "-b", box.dir, box.id)
    assert told.code == 0, told
    box.exists, box.pid = True, box.state()["pid"]
    assert cgroups.of(box.pid) == own
    box.start()
    assert box.status() == "running"
    box.kill("KILL")
    box.wait()
    assert box.status() == "stopped"


@pytest.mark.rows("CLI-38", "FDS-09")
def test_notify_socket_is_not_passed_raw(new_box, work):
    """A value that names no socket must not reach the container."""
    box = new_box("report")
    told = box.run(code=None, env={**os.environ, "NOTIFY_SOCKET": work + "/none"})
    assert work + "/none" not in told.out


@pytest.mark.rows("ENG-06", "ENG-29", "ENG-09", "LCY-10")
def test_success_is_silent(new_box, rt):
    box = new_box("pause")
    box.save()
    for argv in (["create", "-b", box.dir, box.id], ["start", box.id], ["kill", box.id, "KILL"]):
        told = rt.call(*argv)
        assert (told.code, told.out, told.err) == (0, "", ""), argv
        if argv[0] == "create":
            box.exists, box.pid = True, box.state()["pid"]
    box.wait()
    told = rt.call("delete", box.id)
    assert (told.code, told.out, told.err) == (0, "", "")
    box.exists = False


@pytest.mark.rows("ENG-02", "ENG-34", "CRT-26", "LCY-14")
def test_many_containers_share_a_root(new_box):
    """Mount points are made by several at once."""
    boxes = [new_box("report") for _ in range(4)]
    for box in boxes[1:]:
        box.config["root"]["path"] = boxes[0].rootfs
    for box in boxes:
        box.mount("/new/mount/point")
        box.save()
    told = []
    threads = [threading.Thread(target=lambda box=box: told.append(box.run(code=None, save=False)))
               for box in boxes]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [each.code for each in told] == [0] * 4, told


@pytest.mark.rows("CLI-02")
@pytest.mark.own
def test_default_state_root(new_box, rt):
    box = new_box("pause")
    box.save()
    assert rt.call("create", "-b", box.dir, box.id, root=False).code == 0
    try:
        run = os.environ["XDG_RUNTIME_DIR"] if who.ROOTLESS else "/run"
        assert os.path.isdir(f"{run}/rt/{box.id}")
        box.pid = json.loads(rt.call("state", box.id, root=False).out)["pid"]
    finally:
        assert rt.call("delete", "-f", box.id, root=False).code == 0
    box.wait()


@pytest.mark.rows("LSM-01", "LSM-02", "LSM-05", "LSM-06", "PRC-34", "MNT-67")
@pytest.mark.own
@pytest.mark.parametrize("section, name, value", [
    ("process", "apparmorProfile", "rt-no-such-profile"),
    ("process", "selinuxLabel", "system_u:system_r:no_such_t:s0"),
    ("linux", "mountLabel", "system_u:object_r:no_such_t:s0")])
def test_labels_that_cannot_be_had(box, fails, section, name, value):
    """Whether the module is off or does not know the name: not silently without."""
    box.config[section][name] = value
    told = box.create(code=None)
    if told.code == 0:
        told = box.start(code=None)
    fails(told, at=f"/{section}/{name}" if section == "process" else "/mounts/1")


@pytest.mark.rows("LCY-04", "LCY-14")
def test_state_is_whole_at_any_time(new_box, rt):
    """Asked again and again while create, start, kill and delete change it."""
    seen, stop = [], threading.Event()
    box = new_box("pause")

    def ask():
        while not stop.is_set():
            told = rt.call("state", box.id)
            seen.append((told.code, told.out, told.err))
    thread = threading.Thread(target=ask)
    thread.start()
    try:
        for _ in range(5):
            box.create()
            box.start()
            box.kill("KILL")
            box.wait()
            box.delete()
    finally:
        stop.set()
        thread.join()
    words = set()
    for code, out, err in seen:
        if code == 0:
            words.add(json.loads(out)["status"])
        else:
            assert "does not exist" in err, err
    assert words <= {"creating", "created", "running", "stopped"}
