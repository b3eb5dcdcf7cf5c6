# SPDX-License-Identifier: Apache-2.0
"""exec without privileges: the rights come with the container's user namespace."""

import fcntl
import json
import os
import shutil
import signal
import subprocess
import tempfile
import time

import pytest

import blocked
import host
from test_patience import is_blocked
from test_rootless import UID, user_box  # noqa: F401 (a fixture)

pytestmark = pytest.mark.needs("root: becomes an ordinary user by itself")


@pytest.fixture
def running(user_box):  # noqa: F811
    """A container of an ordinary user that waits, and what he executes in it."""
    box = user_box
    box.ops("pause")
    box.process["oomScoreAdj"] = 200
    assert box.act("create").code == 0
    box.pid = box.state()["pid"]
    assert box.act("start").code == 0
    call = box.rt.call

    def act(*flags, ops=()):
        def become_user():
            os.setgroups([])
            os.setresgid(UID, UID, UID)
            os.setresuid(UID, UID, UID)
        words = [word for each in ops for word in (each.split() + [";"])][:-1]
        return call("exec", *flags, box.id, "/bin/probe", *words, env={"PATH": os.environ["PATH"]},
                    preexec_fn=become_user)
    box.execute = act
    yield box
    box.act("delete", "-f")
    host.reap_all()


@pytest.mark.rows("EXE-01", "EXE-27", "EXE-31", "EXE-36")
@pytest.mark.own
def test_report(running):
    told = running.execute(ops=["report", "exit 7"])
    assert told.code == 7, told
    report = told.report
    assert report["status"]["Uid"].split() == ["0"] * 4
    assert report["pid"] == report["pgid"] == report["sid"]
    assert (report["ppid"], report["oom_score_adj"]) == (0, 200)
    for name in ("ipc", "mnt", "net", "pid", "user", "uts"):
        assert report["namespaces"][name] == os.stat(f"/proc/{running.pid}/ns/{name}").st_ino, name
    assert set(report["fds"]) == {"0", "1", "2"}


@pytest.mark.rows("EXE-12", "EXE-13", "ENG-11")
@pytest.mark.own
def test_detached(running):
    path = os.path.join(running.runtime, "pid")
    told = running.execute("-d", "--pid-file", path, ops=["pause"])
    assert told.code == 0, told
    with open(path, encoding="ascii") as file:
        pid = int(file.read())
    assert pid in host.children()
    os.kill(pid, signal.SIGTERM)
    assert host.reap(pid) == 128 + 15


@pytest.mark.rows("EXE-09", "EXE-27")
@pytest.mark.own
def test_terminal(running):
    told = running.execute("-t", ops=["tty"])
    assert told.code == 0, told
    line = next(each for each in told.out.splitlines() if each.startswith('{"op": "tty"'))
    assert json.loads(line)["isatty"] == 1


@pytest.mark.rows("EXE-26", "EXE-39", "EXE-07")
@pytest.mark.own
def test_failures(running, fails):
    assert fails(running.execute("--cwd", "/none"), "/none", "no such file").code == 255
    assert fails(running.execute("-u", "5"), "user").code == 255   # has no id here


@pytest.mark.rows("EXE-27", "UID-24")
@pytest.mark.own
def test_as_root_of_a_user_namespace(user_box):  # noqa: F811
    """As podman calls it without privileges: the container's namespaces belong to rt's own user
    namespace, and rt's pid namespace to the outer one, into which it cannot come back."""
    box = user_box
    box.namespace("user", absent=True)
    box.namespace("network", absent=True)
    del box.linux["uidMappings"], box.linux["gidMappings"]
    box.ops("pause")
    again = '"$1" --root "$3"'
    script = (f'"$@" && {again} start "$7" && {again} exec "$7" /bin/probe report && '
              f'{again} delete -f "$7"')
    told = box.act("create", shell=f"exec unshare -Ur /bin/sh -c '{script}' sh \"$@\"")
    assert told.code == 0, told
    assert told.report["pid"] != 1
    host.reap_all()


def calling(box, verb, *words):
    """The user's rt, not waited for. What it says goes to a file, which the container may keep open."""
    err = tempfile.TemporaryFile(dir=box.rt.work, mode="w+")
    argv, options = blocked.start([box.rt.path, "--root", box.rt.root, verb, *words],
                                  {"user": UID, "group": UID, "extra_groups": []})
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=err, **options)
    process.err = err
    return process


def said(process):
    code = process.wait(timeout=host.PATIENCE)
    with process.err as err:
        err.seek(0)
        return code, err.read()


@pytest.mark.rows("EXE-01", "EXE-29", "LCY-14")
@pytest.mark.own
def test_before_a_run_has_executed(user_box):  # noqa: F811
    """Its init is not dumpable then, which hides its namespaces from a user: exec waits for the run."""
    box = user_box
    box.ops("pause")
    program = box.path("/bin/leased")
    shutil.copy(box.path("/bin/probe"), program)
    box.process["args"][0] = "/bin/leased"
    box.save()
    handler = signal.signal(signal.SIGIO, signal.SIG_IGN)   # it tells of a lease that is to be given up
    with open(program, "rb") as file:
        fcntl.fcntl(file, fcntl.F_SETLEASE, fcntl.F_WRLCK)  # execve waits for its end
        run = calling(box, "run", "-d", "-b", box.dir, box.id)
        record = os.path.join(box.rt.root, box.id, "record.json")
        host.until(lambda: os.path.exists(record) and box.status() == "running", "runs")
        assert host.comm(box.state()["pid"]) != "leased"
        other = calling(box, "exec", box.id, "/bin/probe", "exit", "7")
        host.until(lambda: is_blocked(other.pid), "exec waits for the lock")
    assert said(run) == (0, "")     # the end of the file was that of the lease
    assert said(other) == (7, "")
    signal.signal(signal.SIGIO, handler)
    assert box.act("delete", "-f").code == 0
    host.reap_all()


@pytest.mark.rows("EXE-01", "EXE-29", "HKS-13")
@pytest.mark.own
def test_of_a_program_that_the_user_cannot_read(user_box):  # noqa: F811
    """The kernel hides its namespaces from a user for as long as it runs: nothing is to be waited for, least of all
    the end of a start whose hook asks."""
    box = user_box
    box.ops("pause")
    program = box.path("/bin/unread")
    shutil.copy(box.path("/bin/probe"), program)
    os.chown(program, 0, 0)
    os.chmod(program, 0o711)
    box.process["args"][0] = "/bin/unread"
    said_there = box.runtime + "/said"
    line = f"{box.rt.path} --root {box.rt.root} --timeout 20s exec {box.id} /bin/probe 2>{said_there} && exit 3; exit 0"
    box.hook("poststart", path="/bin/sh", args=["sh", "-c", line], env=[f"XDG_RUNTIME_DIR={box.runtime}"])
    begun = time.monotonic()
    told = box.act("run", "-d")
    assert (told.code, told.err) == (0, ""), told
    with open(said_there, encoding="utf-8") as file:
        text = file.read()
    assert "cannot look at the user namespace" in text and "permission denied" in text.lower(), text
    assert time.monotonic() - begun < 10
    assert box.act("delete", "-f").code == 0
    host.reap_all()
