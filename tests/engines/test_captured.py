# SPDX-License-Identifier: Apache-2.0
"""What podman, docker and containerd really ask for: each config file that they wrote is run to its
end, and the container itself tells whether it got what was asked for.

RT=/usr/sbin/runc RT_PEER=1 is the control: where runc fails too, the test is wrong."""

import contextlib
import os
import pty
import tempfile

import pytest

import host
from filled import CAPTURED, NUMBERS, PROBE, Filled, Namespaces, cases

# What the control cannot do: Debian 12's runc has no idmapped mounts.
PEER_LACKS = {"podman-idmap"} if os.environ.get("RT_PEER") else set()

CONFIGS = [case for case in cases() if case not in PEER_LACKS]
EXECS = cases(".process.json")
# Those whose command lines are played again; the terminals of the others want a listening engine.
PLAYED = [f"{engine}-plain" for engine in ("podman", "docker", "containerd")]


@pytest.fixture(scope="module")
def namespaces():
    holder = Namespaces()
    yield holder
    holder.close()


@pytest.fixture
def make(rt, work, cgroups, namespaces):
    """make (case): a bundle; whatever of it is left after the test is removed, and told."""
    container = os.path.basename(tempfile.mktemp(prefix="")).ljust(64, "0")
    mounts = host.mountinfo()
    made = []

    def build(case):
        made.append(Filled(case, work, container, namespaces))
        # The engine's own cgroup, below one that no other worker takes away.
        linux = made[0].config["linux"]
        if "cgroupsPath" in linux:
            linux["cgroupsPath"] = f"/captured-{container[:8]}{linux['cgroupsPath']}"
        made[0].save()
        return made[0]

    yield build
    rt.call("delete", "--force", container)
    left = [" ".join(line) for line in host.mountinfo() if line not in mounts]
    left += cgroups.dirs(container)
    for path in sorted(left, key=len, reverse=True):
        if path.startswith("/sys/fs/cgroup"):
            os.rmdir(path)
    remove_parents(cgroups, made[0].config["linux"].get("cgroupsPath", ""))
    assert not left


def remove_parents(cgroups, path):
    """The cgroups above the container's are the engine's to remove; here we are the engine."""
    parent = os.path.dirname(path.strip("/"))
    while parent:
        for root in cgroups.roots:
            with contextlib.suppress(OSError):  # gone, or in use by another worker
                os.rmdir(os.path.join(root, parent))
        parent = os.path.dirname(parent)


def on_terminal(rt, *args):
    """Runs with a terminal as standard input and output: (exit code, what came out)."""
    outer, inner = pty.openpty()
    out = b""
    try:
        pid = os.fork()
        if pid == 0:
            os.setsid()
            for number in range(3):
                os.dup2(inner, number)
            os.execv(rt.path, [rt.path, "--root", rt.root, *args])
        os.close(inner)
        while True:
            try:
                chunk = os.read(outer, 65536)
            except OSError:   # EIO: the last one has closed the terminal
                break
            out += chunk
        code = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    finally:
        os.close(outer)
    return code, out.decode().replace("\r\n", "\n")


def parsed(out):
    """What the probe printed: its status as a dictionary, its mounts as {place: (options, type)}."""
    status, mounts = {}, {}
    for line in out.splitlines():
        if line[:1].isdigit():
            words = line.split(" ")
            mounts[words[4]] = (words[5].split(","), words[words.index("-") + 1])
        elif ":\t" in line:
            key, _, value = line.partition(":\t")
            status[key] = value.split()
    return status, mounts


def mask(words):
    return sum(1 << NUMBERS[word] for word in set(words))


def expected_capabilities(process):
    """Permitted set after the exec of a plain file (capabilities(7))."""
    sets = {name: mask(words) for name, words in process.get("capabilities", {}).items()}
    if process["user"].get("uid", 0) != 0:
        return sets.get("ambient", 0)
    gained = sets.get("bounding", 0) | sets.get("inheritable", 0)
    return gained & sets.get("permitted", 0) if process.get("noNewPrivileges") else gained


def check_process(process, status, profile):
    user = process["user"]
    assert set(status["Uid"]) == {str(user.get("uid", 0))}
    assert set(status["Gid"]) == {str(user.get("gid", 0))}
    assert set(status["Groups"]) <= {str(gid) for gid in user.get("additionalGids", [])} | set(status["Gid"])
    assert {str(gid) for gid in user.get("additionalGids", [])} <= set(status["Groups"])
    bounding = process.get("capabilities", {}).get("bounding", [])
    assert int(status["CapBnd"][0], 16) == mask(bounding)
    assert int(status["CapPrm"][0], 16) == expected_capabilities(process)
    assert int(status["CapEff"][0], 16) == expected_capabilities(process)
    assert status["NoNewPrivs"] == [str(int(process.get("noNewPrivileges", False)))]
    assert status["Seccomp"] == ["2" if profile else "0"]
    if "umask" in user:
        assert int(status["Umask"][0], 8) == user["umask"]


def check_mounts(config, mounts):
    assert ("ro" in mounts["/"][0]) == config["root"].get("readonly", False)
    for entry in config["mounts"]:
        place = entry["destination"].rstrip("/")
        options, kind = mounts[place]
        if entry["type"] not in ("bind", "cgroup"):
            assert kind == entry["type"], place
        asked = entry.get("options", [])
        for word in ("ro", "nosuid", "nodev", "noexec"):
            if word in asked and entry["type"] != "cgroup":
                assert word in options, f"{place}: {word}"
    # A masked file or directory is a mount of its own, and so is a read-only one.
    rest = len(mounts) - len(config["mounts"]) - 1
    assert rest >= sum(path in mounts for path in config["linux"].get("maskedPaths", []))
    for path in config["linux"].get("readonlyPaths", []):
        if path in mounts:
            assert "ro" in mounts[path][0], path


@pytest.mark.rows("CAP-02", "CAP-03", "CAP-05", "NSP-04", "RFS-04")
@pytest.mark.parametrize("case", CONFIGS)
def test_config(case, make, rt):
    filled = make(case)
    process = filled.config["process"]
    if process["args"][-1] == "600":   # a target of exec
        process["args"] = PROBE
        filled.save()
    words = ["run", "--bundle", filled.bundle, filled.id]
    if process.get("terminal"):
        code, out = on_terminal(rt, *words)
        assert code == 0, out
    else:
        told = rt.call(*words)
        assert told.code == 0, told
        out = told.out
    status, mounts = parsed(out)
    check_process(process, status, "seccomp" in filled.config["linux"])
    check_mounts(filled.config, mounts)


@pytest.mark.rows("EXE-01", "EXE-02", "CAP-03")
@pytest.mark.parametrize("case", EXECS)
def test_exec(case, make, rt):
    filled = make(case.split("-")[0] + "-exec-target")
    process, path = filled.process_file(case)
    with open(os.devnull, "w", encoding="ascii") as null:
        assert rt.call("create", "--bundle", filled.bundle, filled.id, stdout=null).code == 0
    assert rt.call("start", filled.id).code == 0
    if process.get("terminal"):
        code, out = on_terminal(rt, "exec", "--process", path, filled.id)
        assert code == 0, out
    else:
        told = rt.call("exec", "--process", path, filled.id)
        assert told.code == 0, told
        out = told.out
    status, _ = parsed(out)
    if "capabilities" not in process:
        process["capabilities"] = filled.config["process"]["capabilities"]
    check_process(process, status, "seccomp" in filled.config["linux"])
    pid = rt.state(filled.id)["pid"]
    assert rt.call("kill", filled.id, "KILL").code == 0
    assert host.reap(pid) == 128 + 9


def command_lines(case):
    engine = case.split("-")[0]
    with open(os.path.join(CAPTURED, engine + ".commands"), encoding="utf-8") as file:
        lines = [line.rstrip("\n").partition(": ") for line in file]
    return [line for name, _, line in lines if name == case]


@pytest.mark.rows("ENG-01", "ENG-04", "ENG-11", "ENG-24")
@pytest.mark.parametrize("case", PLAYED)
def test_command_lines(case, make, rt):
    """The engine's own command lines, in its order, from create to the last delete."""
    filled = make(case)
    lines = command_lines(case)
    assert any(" delete " in f" {line} " for line in lines)
    out = os.path.join(filled.work, "out")
    for line in lines:
        words = filled.command(line)
        if "--root" in words:
            words[words.index("--root") + 1] = rt.root
        if "--pid-file" in words:
            pid_file = words[words.index("--pid-file") + 1]
            os.makedirs(os.path.dirname(pid_file), exist_ok=True)
        with open(out, "ab") as file:
            told = rt.call(*words, root="--root" not in words, stdout=file)
        assert told.code == 0, f"{line}\n{told!r}"
        if "create" in words:
            with open(pid_file, encoding="ascii") as file:
                pid = int(file.read())
            assert pid in host.children()
        if "start" in words:
            assert host.reap(pid) == 0
    with open(out, encoding="utf-8") as file:
        status, mounts = parsed(file.read())
    check_process(filled.config["process"], status, "seccomp" in filled.config["linux"])
    check_mounts(filled.config, mounts)
