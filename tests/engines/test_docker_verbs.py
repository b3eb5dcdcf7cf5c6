# SPDX-License-Identifier: Apache-2.0
"""Debian's Docker with rt as its runtime: what is done to containers that run, how they end, and what
they survive. docs/engines.md has a line for each of these tests."""

import json
import os
import signal
import time

import pytest

import docker_host
import host
from docker_host import SLEEP, limit

def test_exec(docker):
    container = docker.start("--env", "COLOUR=green", "--", *SLEEP)
    told = docker("exec", "--user", "worker", "--env", "SHAPE=round", "--workdir", "/tmp", container,
                  "sh", "-c", "whoami; pwd; echo $COLOUR $SHAPE; grep -c . /proc/1/cgroup")
    assert told.splitlines()[:3] == ["worker", "/tmp", "green round"]
    assert docker.tell("exec", container, "sh", "-c", "exit 9").code == 9
    assert docker("exec", "-i", container, "cat", stdin=b"through\n") == "through"
    assert docker("exec", "--detach", container, "touch", "/tmp/detached") == ""
    host.until(lambda: docker.tell("exec", container, "ls", "/tmp/detached").code == 0, "detached exec")
    assert docker("exec", container, "cat", "/proc/self/cgroup") == \
        docker("exec", container, "cat", "/proc/1/cgroup")


def test_exec_terminal(docker):
    container = docker.start("--", *SLEEP)
    terminal = docker.terminal("exec", "-it", container, "sh")
    terminal.expect("# ")
    # The client tells the size once the shell runs.
    terminal.type("until stty size 2>/dev/null; do :; done; pwd; whoami; ps; echo al''l\n")
    told = terminal.expect("all")
    for line in ("24 80", "/\r", "root", "PID "):
        assert line in told, told
    terminal.type("exit 4\n")
    assert terminal.end() == 4


def test_stop(docker):
    hears = docker.start("--", "sh", "-c", "trap 'exit 11' TERM; echo up; while :; do sleep 0.1; done")
    docker.until_up(hears)
    docker("stop", "--time", "30", hears)
    assert docker.state(hears)["ExitCode"] == 11
    deaf = docker.start("--", "sleep", "1000")
    docker("stop", "--time", "1", deaf)
    assert docker.state(deaf)["ExitCode"] == 137
    docker("start", deaf)
    assert docker.state(deaf)["Status"] == "running"


@pytest.mark.rows("ENG-23")
def test_kill(docker):
    container = docker.start("--", "sh", "-c", "trap 'exit 21' USR1; echo up; while :; do sleep 0.1; done")
    host.until(lambda: docker("logs", container) == "up", "the trap is set")
    docker("kill", "--signal", "USR1", container)
    assert docker("wait", container) == "21"
    docker("start", container)
    docker("kill", container)
    assert docker("wait", container) == "137"
    told = docker.tell("kill", container)
    assert told.code == 1 and "is not running" in told.err


def test_killed_in_the_foreground(docker):
    terminal = docker.terminal("run", "--rm", "--name", "front", docker_host.IMAGE, "sh", "-c",
                               "echo up; exec sleep 1000")
    terminal.expect("up")
    docker("kill", "front")
    assert terminal.end() == 137


@pytest.mark.rows("ENG-16", "ENG-24")
def test_died_behind_the_engine(docker):
    """The process dies while docker thinks to stop it: no error, and nothing left."""
    container = docker.start("--", *SLEEP)
    docker.here("kill", "-KILL", str(docker.state(container)["Pid"]))
    docker("stop", container)
    assert docker.state(container)["ExitCode"] == 137
    docker("rm", container)


@pytest.mark.needs("freezer")
def test_pause(docker):
    container = docker.start("--", "sh", "-c", "while :; do echo >>/tmp/count; sleep 0.01; done")

    def count():
        return int(docker.here("sh", "-c", f"wc -l </proc/{docker.state(container)['Pid']}"
                               "/root/tmp/count 2>/dev/null || echo 0"))
    host.until(lambda: count() > 0, "it counts")
    docker("pause", container)
    assert docker.state(container)["Status"] == "paused"
    assert docker.list()[container]["status"] == "paused"
    before = count()
    assert docker.tell("exec", container, "true").code == 1
    time.sleep(0.1)    # ten rounds of the loop, if it ran
    assert count() == before
    docker("unpause", container)
    host.until(lambda: count() > before, "it counts again")
    assert docker.state(container)["Status"] == "running"


@pytest.mark.needs("memory", "cpu", "pids")
def test_update(docker):
    container = docker.start("--memory", "64m", "--", *SLEEP)
    docker("update", "--memory", "48m", "--memory-swap", "48m", "--cpu-quota", "30000",
           "--cpu-period", "100000", "--pids-limit", "77", container)
    told = [limit(docker, container, *names).split()[0] for names in (
        ("memory", "memory.limit_in_bytes", "memory.max"), ("cpu", "cpu.cfs_quota_us", "cpu.max"),
        ("pids", "pids.max", "pids.max"))]
    assert told == [str(48 << 20), "30000", "77"]


@pytest.mark.needs("memory", "pids")
def test_stats(docker):
    container = docker.start("--memory", "64m", "--", *SLEEP)
    told = json.loads(docker("stats", "--no-stream", "--format", "{{json .}}", container))
    used, most = told["MemUsage"].split(" / ")
    assert most == "64MiB" and not used.startswith("0B") and int(told["PIDs"]) >= 1


@pytest.mark.needs("ps")
def test_top(docker):
    container = docker.start("--", "sleep", "12345")
    assert "sleep 12345" in docker("top", container)
    assert "sleep 12345" in docker("top", container, "-o", "pid,args")


@pytest.mark.rows("ENG-07", "ENG-08", "ENG-09", "ENG-17")
@pytest.mark.parametrize("options, command, code, text", [
    (["--no-such-option"], ["true"], 125, "no-such-option"),
    (["--workdir", "/etc/passwd"], ["true"], 125, "is not a directory"),
    ([], ["/etc/passwd"], 126, "permission denied"),
    ([], ["/data"], 126, "permission denied"),
    ([], ["no-such-program"], 127, "executable file not found in $PATH"),
    ([], ["/no/such/program"], 127, "no such file or directory"),
    ([], ["sh", "-c", "exit 3"], 3, "")])
def test_exit_codes(docker, options, command, code, text):
    told = docker.tell("run", "--rm", *options, docker_host.IMAGE, *command)
    assert told.code == code and text in told.err, told


@pytest.mark.rows("ENG-17")
@pytest.mark.parametrize("command, code, text", [
    ("/etc/passwd", 126, "permission denied"),
    ("no-such-program", 126, "executable file not found"),
    ("/no/such/program", 126, "no such file or directory")])
def test_exit_codes_of_exec(docker, command, code, text):
    container = docker.start("--", *SLEEP)
    told = docker.tell("exec", container, command)
    assert told.code == code and text in told.out + told.err, told


def test_failed_start_leaves_nothing(docker):
    before = docker.here("cat", "/proc/self/mountinfo")
    for _ in range(3):
        assert docker.tell("run", "--rm", docker_host.IMAGE, "no-such-program").code == 127
    assert docker.list() == {}
    assert docker.here("cat", "/proc/self/mountinfo") == before


def test_health(docker):
    container = docker.start("--health-cmd", "test ! -e /tmp/ill", "--health-interval", "0.2s",
                             "--health-retries", "1", "--", *SLEEP)
    docker.until(container, lambda state: state["Health"]["Status"] == "healthy", "healthy")
    docker("exec", container, "touch", "/tmp/ill")
    docker.until(container, lambda state: state["Health"]["Status"] == "unhealthy", "unhealthy")


def test_events(docker):
    since = docker.here("date", "+%s.%N").strip()
    assert docker.tell("run", "--name", "told", docker_host.IMAGE, "sh", "-c", "exit 6").code == 6
    docker("rm", "told")
    lines = [json.loads(line) for line in docker(
        "events", "--since", since, "--until", docker.here("date", "+%s.%N").strip(),
        "--filter", "container=told", "--format", "{{json .}}").splitlines()]
    assert [line["Action"] for line in lines] == ["create", "attach", "start", "die", "destroy"]
    assert lines[3]["Actor"]["Attributes"]["exitCode"] == "6"


def test_build(docker):
    """docker build: each RUN is a container of the default runtime."""
    recipe = (f"FROM {docker_host.IMAGE}\nRUN echo built:x:1001:1001::/:/bin/sh >>/etc/passwd\n"
              "USER built\nCMD [\"sh\", \"-c\", \"id -un\"]\n")
    docker("build", "--tag", "built", "-", stdin=recipe.encode())
    assert docker("run", "--rm", "built") == "built"
    docker("rmi", "built")


def test_build_with_buildkit(docker):
    """BuildKit runs its steps by itself, with the runc that it finds first."""
    docker("build", "--tag", "built", "-", env={"DOCKER_BUILDKIT": "1"},
           stdin=f"FROM {docker_host.IMAGE}\nRUN id -u >/who\nCMD cat /who\n".encode())
    with open(docker.data + "/runc.log", encoding="utf-8") as file:
        assert [line for line in file if " run --bundle " in line]
    assert docker("run", "--rm", "built") == "0"
    docker("rmi", "built")


def test_many_at_once(docker):
    """Docker starts them in parallel; so does rt."""
    names = [f"one-of-many-{number}" for number in range(12)]
    for name in names:
        docker("create", "--name", name, docker_host.IMAGE, *SLEEP)
    docker("start", *names)
    assert {line["status"] for line in docker.list().values()} == {"running"}
    assert len(docker.list()) == len(names)
    docker.until_up(*names)
    docker("stop", *names)
    assert {docker.state(name)["ExitCode"] for name in names} == {0}


# --- daemons with options of their own ---------------------------------------------------------

@pytest.mark.rows("ENG-22")
def test_userns_remap():
    """All containers in a user namespace, whose ids docker takes from /etc/subuid."""
    with docker_host.daemon("--userns-remap=default") as docker:
        container = docker.start("-v", "kept:/data", "--", *SLEEP)
        inside = docker("exec", container, "cat", "/proc/self/uid_map").split()
        assert inside[0] == "0" and int(inside[1]) >= 100000
        pid = docker.state(container)["Pid"]
        assert docker.here("stat", "-c", "%u", f"/proc/{pid}").strip() == inside[1]
        docker("exec", container, "touch", "/data/mine")
        assert docker("exec", container, "stat", "-c", "%u", "/data/mine") == "0"
        assert docker.run("--userns", "host", "--", "cat", "/proc/self/uid_map").split()[1] == "0"


@pytest.mark.rows("ENG-11", "ENG-13")
def test_containers_outlive_the_daemon():
    """--live-restore: the daemon dies and comes back; containers neither notice nor are lost."""
    with docker_host.daemon("--live-restore") as docker:
        container = docker.start("--", *SLEEP)
        pid = docker.state(container)["Pid"]
        docker.kill_daemon()
        assert docker.list()[container]["status"] == "running"
        docker.start_daemon_again()
        assert docker.state(container)["Pid"] == pid
        assert docker("exec", container, "echo", "still here") == "still here"
        docker.until_up(container)
        docker("stop", container)
        assert docker.state(container)["ExitCode"] == 0


def lives_in(pid, namespace):
    try:
        return os.readlink(f"/proc/{pid}/ns/pid") == namespace and host.stat_state(pid) != "Z"
    except OSError:
        return False


def test_nothing_is_left(docker_daemon):
    """A daemon that is ended in the middle of things leaves no process, mount or cgroup."""
    before = host.mountinfo()
    docker = docker_host.Docker(docker_daemon.rt)
    try:
        container = docker.start("-p", "8124:80", "--", "sleep", "1000")
        assert host.Cgroups().dirs(container) != []
        namespace = os.readlink(f"/proc/{docker.first}/ns/pid")
        docker.process.terminate()
    finally:
        docker.close(code=-signal.SIGTERM)

    def left():
        return [pid for pid in os.listdir("/proc") if pid.isdigit() and lives_in(pid, namespace)]
    host.until(lambda: not left(), "all processes have ended")
    assert host.Cgroups().dirs(container) == []
    assert not os.path.exists(docker.data)
    assert host.mountinfo() == before
