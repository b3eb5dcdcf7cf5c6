# SPDX-License-Identifier: Apache-2.0
"""exec into a hostile container: what is in there already waits for rt to come in."""

import hashlib
import os
import re
import shutil
import subprocess

import pytest

import compiled
from bundle import label
from fixtures import TOOLS
from test_rootless import UID, user_box  # noqa: F401 (a fixture)

OWN = pytest.mark.own
ROUNDS = int(os.environ.get("RT_EXEC_ROUNDS", "60"))   # 1000 for a night
ALL_CAPS = ["CAP_" + name for name in
            "CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP "
            "LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER "
            "SYS_MODULE SYS_RAWIO SYS_CHROOT SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE "
            "SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE AUDIT_CONTROL SETFCAP "
            "MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF "
            "CHECKPOINT_RESTORE".split()]


def digest(path):
    with open(path, "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


@pytest.fixture(scope="session")
def watcher():
    return compiled.program("watcher", [os.path.join(TOOLS, "watcher.c")])


@pytest.fixture
def hostile(new_box, watcher):
    """A container whose init is the watcher, and what it has found after many an exec."""
    def make(change=None):
        box = new_box()
        shutil.copy(watcher, box.path("/bin/watcher"))
        box.process["args"] = ["/bin/watcher", "/stop"]
        if change:
            change(box)
        box.create()
        box.start()
        assert box.line() == "up"
        return box

    def found(box):
        for _ in range(ROUNDS):
            box.exec(ops=["exit 0"])
        box.file("/stop")
        lines = box.rest().splitlines()
        assert box.wait() == 0
        assert int(lines[-1].split()[1]) > 0, "it has met nobody"
        return [line for line in lines if line.startswith("leak")]
    make.found = found
    return make


@pytest.mark.rows("HDN-14", "PRC-40", "EXE-01")
@OWN
@pytest.mark.parametrize("userns", [False, True])
def test_cve_2016_9962(hostile, userns):
    """Root of a user namespace with all its rights, and root of the host with those of a container,
    get nothing of an rt on its way to its program."""
    def change(box):
        if userns:
            box.userns()
            box.process["capabilities"] = {name: ALL_CAPS for name in
                                           ("bounding", "effective", "permitted")}
    assert hostile.found(hostile(change)) == []


@pytest.mark.rows("HDN-14", "EXE-31")
@pytest.mark.needs("root: becomes an ordinary user by itself")
@OWN
def test_cve_2016_9962_of_a_user(user_box, watcher):  # noqa: F811
    """An ordinary user's container that sees all processes, with all rights in its user namespace."""
    box = user_box
    box.namespace("pid", absent=True)
    box.config["mounts"] = [each for each in box.config["mounts"] if each["destination"] != "/proc"]
    box.mount("/proc", "bind", "/proc", ["rbind"])
    for kind in ("maskedPaths", "readonlyPaths"):
        box.linux.pop(kind, None)
    box.process["capabilities"] = {name: ALL_CAPS for name in ("bounding", "effective", "permitted")}
    shutil.copy(watcher, box.path("/bin/watcher"))
    box.process["args"] = ["/bin/watcher", "/stop"]
    box.process["oomScoreAdj"] = 200    # what rt does to the process before it is out of reach
    box.save()
    as_user = {"user": UID, "group": UID, "extra_groups": [], "stdin": subprocess.DEVNULL,
               "env": {"PATH": os.environ["PATH"], "XDG_RUNTIME_DIR": box.runtime}}
    rt = [box.rt.path, "--root", box.rt.root]
    with subprocess.Popen([*rt, "run", "-b", box.dir, box.id], stdout=subprocess.PIPE, text=True,
                          **as_user) as running:
        assert running.stdout.readline() == "up\n"
        for _ in range(ROUNDS):
            subprocess.run([*rt, "exec", box.id, "/bin/probe", "exit", "0"], check=True, **as_user)
        box.file("/stop")
        lines = running.stdout.read().splitlines()
        assert running.wait() == 0
    assert int(lines[-1].split()[1]) > 0, "it has met nobody"
    assert not [line for line in lines if line.startswith("leak")]


@pytest.mark.rows("HDN-01")
@OWN
def test_cve_2019_5736(hostile, rt):
    """Who may trace every process still cannot write to rt's program."""
    def change(box):
        box.process["capabilities"] = {name: box.process["capabilities"][name] + ["CAP_SYS_PTRACE"]
                                       for name in ("bounding", "effective", "permitted")}
    before = digest(rt.path)
    found = hostile.found(hostile(change))
    assert not [line for line in found if line.startswith("leak: exe")]
    assert digest(rt.path) == before


@pytest.mark.rows("HDN-01")
@OWN
@pytest.mark.parametrize("program", ["/proc/self/exe", "/bin/script"])
def test_the_program_itself(new_box, rt, program):
    box = new_box("pause")
    box.file("/bin/script", "#!/proc/self/exe\n", 0o755)
    box.up()
    before = digest(rt.path)
    rt.call("exec", box.id, program, "--version")
    assert digest(rt.path) == before


@pytest.mark.rows("HDN-03", "FDS-17", "FDS-15")
@OWN
@pytest.mark.parametrize("number", range(3, 21))
def test_cve_2024_21626(new_box, fails, number):
    """A directory of the host's is no working directory, by whatever name."""
    box = new_box("pause")
    os.symlink(f"/proc/self/fd/{number}", box.path("/away"))
    box.up()
    for path in (f"/proc/self/fd/{number}", "/away", f"/proc/self/fd/{number}/.."):
        told = box.exec("--cwd", path, code=None)
        if told.code == 0:      # a descriptor of the container's own root
            assert not re.search("unreachable|^$", told.report["cwd"]), told
            assert told.report["cwd"].startswith("/")
            assert os.path.isdir(box.path(told.report["cwd"]))
        else:
            fails(told, path)


@pytest.mark.rows("HDN-13", "EXE-07", "CLI-36")
@OWN
@pytest.mark.parametrize("user", ["1:", ":2", ":", "", "-1", "-0", "4294967295", "4294967296",
                                  "18446744073709551616", "1 ", " 1", "1\n", "0x1", "1e0", "1.0",
                                  "1:2:3", "1:-1", "1:4294967295", "1:x", "x:1", "root", "+1"],
                         ids=label)
def test_cve_2026_30892(new_box, fails, user):
    """What is not one or two numbers is nobody, and not root."""
    box = new_box("pause")
    box.up()
    told = fails(box.exec(f"--user={user}", code=None), "--user")
    assert told.out == ""


@pytest.mark.rows("PRC-07", "EXE-07")
@pytest.mark.needs("ids")
def test_cve_2016_3697(new_box):
    """A user of the image by the name of a number is not meant by that number."""
    box = new_box("pause")
    box.file("/etc/passwd", "1000:x:0:0:root:/root:/bin/sh\n")
    box.up()
    report = box.exec("-u", "1000").report
    assert report["status"]["Uid"].split() == ["1000"] * 4


@pytest.mark.rows("HDN-12", "EXE-08", "PRC-12")
@pytest.mark.parametrize("userns", [False, True])
@pytest.mark.needs("root: has groups")
def test_groups_of_the_caller(new_box, userns):
    """CVE-2022-36109: none of them goes in."""
    box = new_box("pause")
    if userns:
        box.userns()
    box.process["user"]["additionalGids"] = [77]
    box.up()
    assert box.exec(extra_groups=[0, 4, 5, 1234]).report["groups"] == [77]


@pytest.mark.rows("HDN-01", "EXE-01")
@OWN
def test_hostile_image(new_box):
    """Neither a library nor a helper of the image's is asked for anything: its /etc, /dev, /proc."""
    box = new_box("pause")
    box.file("/etc/nsswitch.conf", "passwd: evil\n")
    box.file("/etc/passwd", "x" * 100000 + "\n\n:::\n0:x:0\n")
    box.file("/etc/ld.so.preload", "/evil.so\n")
    box.up()
    assert "HOME=/" in box.exec("-e", "LD_PRELOAD=/evil.so").report["env"]
