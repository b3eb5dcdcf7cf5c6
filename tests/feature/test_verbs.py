# SPDX-License-Identifier: Apache-2.0
"""start, state, list, kill, delete, spec and features."""

import json
import os
import shutil
import re
import signal
import subprocess

import pytest

import host
from bundle import label


@pytest.mark.rows("VRB-02", "LCY-01")
def test_start_only_once(new_box, fails):
    box = new_box("append /ran x", "pause")
    box.up()
    fails(box.start(code=None), "running", own=(box.id,))
    box.kill("KILL")
    box.wait()
    fails(box.start(code=None), "stopped", own=(box.id,))
    with open(box.path("/ran"), encoding="ascii") as file:
        assert file.read() == "x\n"


@pytest.mark.rows("VRB-02", "VRB-25", "VRB-31", "VRB-06", "ENG-15")
@pytest.mark.parametrize("argv", [["start"], ["state"], ["delete"], ["kill"]], ids=label)
def test_unknown_id(rt, fails, argv):
    fails(rt.call(*argv, "nobody"), "does not exist", own=("nobody",))


OTHER_MACHINE = b"\x7fELF\x02\x01\x01" + bytes(9) + (2).to_bytes(2, "little") + (0xfff3).to_bytes(2, "little") + \
    (1).to_bytes(4, "little") + bytes(40)


@pytest.mark.rows("VRB-03", "PRC-44")
@pytest.mark.parametrize("content, words", [
    (b"no program at all", "exec format error"),
    (OTHER_MACHINE, "exec format error"),
    (b"#!/no/such/interpreter\n", "no such file or directory"),
], ids=["format", "machine", "interpreter"])
def test_a_program_that_the_kernel_refuses_is_an_exited_container(new_box, content, words):
    """It is there and executable, but execve fails: for engines and their restart policies the container has
    started and failed. It says so itself, and `start` tells the log."""
    box = new_box()
    with open(box.file("/bin/broken", mode=0o755), "wb") as file:
        file.write(content)
    box.process["args"] = ["/bin/broken"]
    read, write = os.pipe()
    box.create(preexec_fn=lambda: os.dup2(write, 2) and None)
    os.close(write)
    told = box.start()
    assert words in told.err and "/bin/broken" in told.err and "has ended" in told.err
    with open(read, encoding="ascii") as file:
        assert file.read() == f"exec /bin/broken: {words}\n"
    assert box.wait() == 255
    assert box.status() == "stopped"


@pytest.mark.rows("VRB-04")
def test_start_after_init_was_killed(new_box):
    box = new_box("pause")
    box.create()
    os.kill(box.pid, signal.SIGKILL)
    assert box.wait() == 137
    told = box.start(code=None)
    assert told.code not in (0, None), told


@pytest.mark.rows("VRB-06", "VRB-07", "VRB-08", "VRB-09", "VRB-10", "VRB-11", "ANN-01")
def test_state(new_box):
    box = new_box("pause")
    box.config["annotations"] = {"a.b/c": "d \"e\" \u00e4 \\ \n", "org.x": ""}
    box.create()
    for status in ("created", "running"):
        state = box.state()
        assert re.fullmatch(r"1\.\d+\.\d+(-[a-z.0-9]+)?", state["ociVersion"])
        assert (state["id"], state["bundle"], state["status"]) == (box.id, box.dir, status)
        assert state["annotations"] == box.config["annotations"]
        assert os.readlink(f"/proc/{state['pid']}/root") == "/"
        assert host.stat_state(state["pid"]) is not None
        if status == "created":
            box.start()
    box.kill("KILL")
    box.wait()
    state = box.state()
    assert state["status"] == "stopped" and state.get("pid", 0) == 0
    assert state["annotations"] == box.config["annotations"]


@pytest.mark.rows("VRB-12")
def test_state_extras(new_box):
    box = new_box("pause")
    box.create()
    state = box.state()
    assert state["rootfs"] == box.rootfs
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", state["created"])
    assert "owner" in state


@pytest.mark.rows("VRB-09", "VRB-14")
def test_a_zombie_is_stopped(new_box):
    box = new_box("exit 0")
    box.create()
    box.start()
    host.wait_dead(box.pid)
    assert host.stat_state(box.pid) == "Z"
    assert box.status() == "stopped"
    box.wait()
    assert box.status() == "stopped"


def start_ticks(pid):
    with open(f"/proc/{pid}/stat", encoding="ascii") as file:
        return file.read().rsplit(")", 1)[1].split()[19]


@pytest.mark.rows("VRB-14", "LCY-15", "VRB-36")
@pytest.mark.own
def test_a_pid_of_somebody_else_is_not_the_container(new_box):
    """The pid was reused: the start time tells."""
    box = new_box("pause")
    box.create()
    started = start_ticks(box.pid)
    os.kill(box.pid, signal.SIGKILL)
    box.wait()
    stranger = subprocess.Popen(["/bin/sleep", "100"])
    while start_ticks(stranger.pid) == started:     # the clock of start times ticks in 10 ms
        stranger.kill()
        stranger.wait()
        stranger = subprocess.Popen(["/bin/sleep", "100"])
    try:
        path = os.path.join(box.rt.root, box.id, "record.json")
        with open(path, encoding="utf-8") as file:
            record = json.load(file)
        assert record["pid"] == box.pid
        record["pid"] = stranger.pid
        with open(path, "w", encoding="utf-8") as file:
            json.dump(record, file)
        assert box.status() == "stopped"
        box.kill("KILL", code=1)
        box.delete("-f")
        assert stranger.poll() is None
    finally:
        stranger.kill()
        stranger.wait()


@pytest.mark.rows("VRB-09", "CGM-25")
def test_a_frozen_container_is_paused(new_box):
    box = new_box("pause")
    box.up()
    box.cgroups.freeze(box.pid, True)
    assert box.status() == "paused"
    box.cgroups.freeze(box.pid, False)
    assert box.status() == "running"


@pytest.mark.rows("VRB-16", "VRB-17", "VRB-18")
def test_list(new_box, rt):
    boxes = [new_box("pause") for _ in range(3)]
    for box in boxes:
        box.create()
    table = rt.call("list").out.splitlines()
    assert table[0].split() == ["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]
    rows = {line.split()[0]: line.split() for line in table[1:]}
    for box in boxes:
        assert rows[box.id][:4] == [box.id, str(box.pid), "created", box.dir]
    assert sorted(rt.call("list", "-q").out.split()) == sorted(box.id for box in boxes)
    listed = json.loads(rt.call("list", "-f", "json").out)
    assert sorted((each["id"], each["pid"], each["status"], each["bundle"]) for each in listed) \
        == sorted((box.id, box.pid, "created", box.dir) for box in boxes)
    assert json.loads(rt.call("list", "--format=json").out) == listed


@pytest.mark.rows("VRB-18", "CLI-28")
def test_list_unknown_format(rt, new_box, fails):
    box = new_box("pause")
    box.create()
    fails(rt.call("list", "-f", "yaml"), "format", own=("yaml",))


@pytest.mark.rows("VRB-20")
@pytest.mark.own
def test_list_of_nothing(rt, fails):
    fails(rt.call("list"), rt.root, "no such file or directory")    # asked for, but not there
    os.mkdir(rt.root)
    assert rt.call("list", "-q").out == ""
    told = rt.call("list", "-f", "json")
    assert told.code == 0 and json.loads(told.out) in ([], None)


@pytest.mark.rows("VRB-19", "LCY-07")
@pytest.mark.own
def test_list_with_a_damaged_entry(new_box, rt):
    box = new_box("pause")
    box.create()
    os.makedirs(os.path.join(rt.root, "empty"))
    os.makedirs(os.path.join(rt.root, "broken"))
    with open(os.path.join(rt.root, "broken", "record.json"), "w", encoding="ascii") as file:
        file.write("{")
    told = rt.call("list", "-q")
    assert told.code == 0 and box.id in told.out.split(), told
    assert rt.call("delete", "-f", "empty").code == 0
    assert not os.path.exists(os.path.join(rt.root, "empty"))
    # Nothing says whether a process of it lives.
    broken = os.path.join(rt.root, "broken")
    told = rt.call("delete", "-f", "broken")
    assert told.code == 1 and f"remove the directory {broken}" in told.err, told
    shutil.rmtree(broken)


@pytest.mark.rows("VRB-21")
def test_delete_of_a_running_container_is_refused(new_box, fails):
    box = new_box("pause")
    box.up()
    fails(box.delete(code=None), "running", own=(box.id,))
    assert box.status() == "running"


@pytest.mark.rows("VRB-22")
def test_delete_of_a_created_container(new_box):
    box = new_box("append /ran x")
    box.create()
    box.delete()
    box.wait()
    assert not os.path.exists(box.path("/ran"))


@pytest.mark.rows("VRB-23", "ENG-24")
@pytest.mark.parametrize("status", ["created", "running", "paused", "stopped"])
def test_delete_by_force(new_box, status):
    box = new_box("pause")
    box.create()
    if status != "created":
        box.start()
    if status == "paused":
        box.cgroups.freeze(box.pid, True)
    if status == "stopped":
        box.kill("KILL")
        host.wait_dead(box.pid)
    for _ in range(3):
        box.delete("--force")
    box.wait()


@pytest.mark.rows("VRB-23", "ENG-24")
def test_delete_by_force_of_an_unknown_id(rt):
    told = rt.call("delete", "--force", "nobody")
    assert (told.code, told.out) == (0, "")


@pytest.mark.rows("VRB-26", "LCY-08")
def test_delete_when_the_bundle_is_gone(new_box):
    box = new_box("pause")
    box.create()
    box.kill("KILL")
    box.wait()
    os.rename(box.dir, box.dir + ".gone")
    try:
        box.delete()
    finally:
        os.rename(box.dir + ".gone", box.dir)


@pytest.mark.rows("VRB-28", "VRB-39", "CGM-24", "NSP-13")
@pytest.mark.parametrize("how", ["kill", "delete -f", "delete after init's death"])
@pytest.mark.own
def test_processes_of_a_shared_pid_namespace_die_too(new_box, how):
    box = new_box("orphan", "children 3", "pause")
    box.namespace("pid", absent=True)
    box.up()
    pids = {box.pid}
    with open(os.path.join(box.cgroups.dir(box.pid, "pids"), "cgroup.procs"),
              encoding="ascii") as file:
        pids = {int(pid) for pid in file}
    assert len(pids) == 5
    if how == "kill":
        box.kill("KILL")
    elif how == "delete -f":
        box.delete("-f")
    else:
        os.kill(box.pid, signal.SIGKILL)
        host.reap(box.pid)
        box.delete()
    for pid in pids:
        host.wait_dead(pid)


@pytest.mark.rows("VRB-31", "VRB-32", "ENG-23")
@pytest.mark.parametrize("word, number", [
    ("USR1", 10), ("SIGUSR1", 10), ("10", 10), ("usr1", 10), ("sigusr2", 12), ("HUP", 1),
    (None, 15), ("WINCH", 28), ("34", 34)], ids=label)
def test_kill(new_box, word, number):
    box = new_box(f"trap {number}", f"until {number}", "exit 5")
    box.up()
    box.kill(*([word] if word else []))
    assert box.line() == f"signal {number}"
    assert box.wait() == 5


@pytest.mark.rows("VRB-31")
@pytest.mark.parametrize("word", ["NOSIG", "SIG", "0x9", "9x", "-9", "99999999999", "", "65", "9 "])
@pytest.mark.own
def test_kill_with_a_bad_signal(new_box, word):
    box = new_box("pause")
    box.up()
    told = box.kill("--", word, code=None) if word.startswith("-") else box.kill(word, code=None)
    assert told.code not in (0, None) and told.err.strip(), told
    assert box.status() == "running"


@pytest.mark.rows("VRB-33", "VRB-34", "ENG-16")
@pytest.mark.parametrize("word", ["TERM", "KILL", "0"])
def test_kill_of_a_stopped_container(new_box, fails, word):
    box = new_box("exit 0")
    box.create()
    box.start()
    box.wait()
    if word == "0":
        assert box.kill(word, code=None).code != 0
    else:
        fails(box.kill(word, code=None), "container not running")
    assert box.status() == "stopped"


@pytest.mark.rows("VRB-35")
def test_kill_of_a_created_container(new_box):
    box = new_box("append /ran x")
    box.create()
    box.kill("KILL")
    assert box.wait() == 137
    assert box.status() == "stopped"
    assert not os.path.exists(box.path("/ran"))


@pytest.mark.rows("VRB-37", "ENG-23")
@pytest.mark.parametrize("flags", [["-a", "9"], ["--all", "KILL"]], ids=label)
def test_kill_all(new_box, flags):
    box = new_box("children 3", "orphan", "pause")
    box.up()
    with open(os.path.join(box.cgroups.dir(box.pid, "pids"), "cgroup.procs"),
              encoding="ascii") as file:
        pids = [int(pid) for pid in file]
    assert box.rt.call("kill", flags[0], box.id, flags[1]).code == 0
    for pid in pids:
        host.wait_dead(pid)
    assert box.wait() == 137


@pytest.mark.rows("VRB-40", "VRB-41")
def test_kill_of_a_paused_container(new_box):
    box = new_box("pause")
    box.up()
    box.cgroups.freeze(box.pid, True)
    box.kill("KILL")
    assert box.wait() == 137
    assert box.status() == "stopped"


@pytest.mark.rows("CLI-32")
def test_options_after_the_id(new_box, rt):
    box = new_box("pause")
    box.create()
    assert rt.call("delete", box.id, "--force").code == 0
    box.exists = False


@pytest.mark.rows("VRB-62", "VRB-63")
def test_spec(rt, work, fails):
    told = rt.call("spec", cwd=work)
    assert (told.code, told.out) == (0, "")
    with open(work + "/config.json", encoding="utf-8") as file:
        first = file.read()
    fails(rt.call("spec", cwd=work), "config.json", own=("exists",))
    os.mkdir(work + "/b")
    assert rt.call("spec", "-b", work + "/b").code == 0
    with open(work + "/b/config.json", encoding="utf-8") as file:
        assert file.read() == first


@pytest.mark.rows("VRB-66", "CAP-05", "HDN-11")
def test_spec_content(rt, work):
    rt.call("spec", cwd=work)
    with open(work + "/config.json", encoding="utf-8") as file:
        config = json.load(file)
    process, linux = config["process"], config["linux"]
    assert process["args"] == ["sh"] and process["terminal"] is True and process["cwd"] == "/"
    assert process["noNewPrivileges"] is True
    assert not process["capabilities"].get("inheritable")
    assert config["root"] == {"path": "rootfs", "readonly": True}
    assert {each["type"] for each in linux["namespaces"]} \
        >= {"pid", "network", "ipc", "uts", "mount"}
    assert "/proc/kcore" in linux["maskedPaths"] and "/proc/sys" in linux["readonlyPaths"]
    assert linux["resources"]["devices"] == [{"allow": False, "access": "rwm"}]
    assert {each["destination"] for each in config["mounts"]} \
        >= {"/proc", "/dev", "/dev/pts", "/dev/shm", "/dev/mqueue", "/sys"}


@pytest.mark.rows("VRB-66", "HDN-06")
@pytest.mark.own
def test_spec_masks_what_engines_mask(rt, work):
    rt.call("spec", cwd=work)
    with open(work + "/config.json", encoding="utf-8") as file:
        masked = set(json.load(file)["linux"]["maskedPaths"])
    assert masked >= {"/proc/acpi", "/proc/asound", "/proc/interrupts", "/proc/kcore", "/proc/keys",
                      "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
                      "/proc/sched_debug", "/proc/scsi", "/sys/firmware",
                      "/sys/devices/virtual/powercap"}


@pytest.mark.rows("VRB-66")
@pytest.mark.needs("root: the document of rt spec without --rootless")
def test_spec_runs(new_box, rt):
    box = new_box("report")
    assert rt.call("spec", "-b", box.dir).code == 0
    with open(box.dir + "/config.json", encoding="utf-8") as file:
        config = json.load(file)
    config["process"].update(terminal=False, args=["/bin/probe", "report"])
    config["linux"]["cgroupsPath"] = box.linux["cgroupsPath"]
    box.config = config
    assert box.run().report["pid"] == 1


@pytest.fixture
def features(rt):
    told = rt.call("features", root=False, env={})
    assert told.code == 0 and told.err == "", told
    return json.loads(told.out)


@pytest.mark.rows("VRB-68", "FEA-01", "FEA-02", "FEA-16", "ENG-20")
def test_features_basics(features):
    assert features["ociVersionMin"] == "1.0.0"
    assert re.fullmatch(r"1\.\d+\.\d+.*", features["ociVersionMax"])
    assert set(features["hooks"]) == {"prestart", "createRuntime", "createContainer",
                                      "startContainer", "poststart", "poststop"}


@pytest.mark.rows("FEA-03", "ENG-21")
def test_features_mount_options(features):
    assert set(features["mountOptions"]) >= {
        "ro", "rw", "suid", "nosuid", "dev", "nodev", "exec", "noexec", "bind", "rbind", "remount",
        "noatime", "relatime", "strictatime", "shared", "rshared", "slave", "rslave", "private",
        "rprivate", "unbindable", "runbindable", "rro", "rrw", "rnosuid", "rnodev", "rnoexec",
        "tmpcopyup"}


@pytest.mark.rows("FEA-04", "FEA-05", "FEA-06", "FEA-08", "FEA-07", "FEA-11", "FEA-12", "ENG-22")
@pytest.mark.own
def test_features_linux(features):
    linux = features["linux"]
    assert set(linux["namespaces"]) == {"cgroup", "ipc", "mount", "network", "pid", "time", "user",
                                        "uts"}
    assert {"CAP_CHOWN", "CAP_SYS_ADMIN", "CAP_BPF", "CAP_CHECKPOINT_RESTORE"} \
        <= set(linux["capabilities"])
    assert linux["cgroup"]["v1"] is True and linux["cgroup"]["v2"] is True
    assert isinstance(linux["cgroup"]["systemd"], bool)
    assert linux["seccomp"]["enabled"] is True
    assert set(linux["seccomp"]["actions"]) == {f"SCMP_ACT_{name}" for name in (
        "KILL KILL_PROCESS KILL_THREAD TRAP ERRNO TRACE ALLOW LOG NOTIFY").split()}
    assert "SCMP_CMP_MASKED_EQ" in linux["seccomp"]["operators"]
    assert "SCMP_ARCH_X86_64" in linux["seccomp"]["archs"]
    assert set(linux["seccomp"]["supportedFlags"]) <= set(linux["seccomp"]["knownFlags"])
    for name in ("apparmor", "selinux"):
        assert isinstance(linux[name]["enabled"], bool)
    assert linux["mountExtensions"]["idmap"]["enabled"] is True
    assert isinstance(linux["netDevices"]["enabled"], bool)


@pytest.mark.rows("FEA-13", "FEA-14", "FEA-15")
@pytest.mark.own
def test_features_have_no_placeholders(features):
    def walk(value, at):
        assert value is not None, at
        if isinstance(value, dict):
            for name, each in value.items():
                walk(each, f"{at}/{name}")
        elif isinstance(value, list):
            for each in value:
                walk(each, at)
        elif isinstance(value, str):
            assert value == value.strip(), at
    walk(features, "")


@pytest.mark.rows("PKG-07")
@pytest.mark.own
def test_an_old_kernel_is_named(box, fails):
    """Only where the kernel refused something: the version alone says little."""
    old = 'exec setarch --uname-2.6 "$@"'
    box.config["root"]["path"] = "none"
    fails(box.create(code=None, shell=old), "no such file", "rt needs Linux 5.10 or later; this is 2.6.")
    assert "rt needs Linux" not in box.create(code=None).err
    box.config["root"]["path"] = "rootfs"
    assert box.run(shell=old).report["pid"] == 1
