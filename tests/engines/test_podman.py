# SPDX-License-Identifier: Apache-2.0
"""What people do with one container of Podman, and what they see of it."""

import json
import re
import subprocess

import pytest

import host
from fixtures import CGROUPS


@pytest.mark.rows("ENG-19", "CLI-21")
def test_info(podman):
    """By the drop-in of contrib/engines/podman alone: no option names rt."""
    told = json.loads(podman.out("info", "--format", "json"))["host"]["ociRuntime"]
    assert (told["name"], told["path"]) == ("rt", podman.place.runtime)
    assert told["version"].startswith("rt version ")
    name = podman.up("box", "sleep", "1000")
    assert podman.out("inspect", "--format", "{{.OCIRuntime}}", "one") == "rt"
    assert podman.out("info", "--format", "{{.Host.OCIRuntime.Name}} {{.Host.OCIRuntime.Path}}") == \
        f"rt {podman.place.runtime}"
    listed = subprocess.run([*podman.place.enter(), podman.place.runtime, "list", "--quiet"], check=True,
                            stdout=subprocess.PIPE, text=True).stdout
    assert listed.split() == [name]


@pytest.mark.rows("ENG-01", "ENG-06")
def test_run(podman):
    """Standard output and error come apart, and hold nothing but what the container wrote."""
    told = podman.run("box", "sh", "-c", "echo out; echo error >&2; exit 3", code=3)
    assert (told.out, told.err) == ("out\n", "error\n")
    told = podman.run("--env", "COLOUR=two words", "--workdir", "/data", "--hostname", "inner",
                      "--user", "worker", "box", "sh", "-c", 'echo "$COLOUR"; pwd; hostname; id')
    assert told.out == ("two words\n/data\ninner\n"
                        "uid=1000(worker) gid=1000(worker) groups=1000(worker),2000(extra)\n")


@pytest.mark.rows("ENG-06")
def test_standard_input(podman):
    assert podman.run("--interactive", "box", "cat", text="from outside\n").out == "from outside\n"


@pytest.mark.rows("ENG-17", "ENG-07", "ENG-08")
@pytest.mark.parametrize("argv, code, words", [
    (["nowhere"], 127, 'executable file not found in $PATH'),
    (["/bin/nowhere"], 127, "o such file or directory"),
    (["/data"], 126, "ermission denied"),
    (["/etc/passwd"], 126, "ermission denied")])
def test_what_cannot_be_executed(podman, argv, code, words):
    told = podman.run("box", *argv, code=code)
    assert words in told.err and argv[0] in told.err and "rt: exec" in told.err, told
    podman.up("box", "sleep", "1000")
    told = podman.call("exec", "one", *argv, code=code)
    assert words in told.err and argv[0] in told.err, told


@pytest.mark.rows("ENG-01")
@pytest.mark.parametrize("name, code", [("TERM", 143), ("KILL", 137)])
def test_exit_code_of_a_signal(podman, name, code):
    """As the second process: the first of a pid namespace does not die by its own signals."""
    podman.run("--init", "box", "sh", "-c", f"kill -{name} $$", code=code)


@pytest.mark.rows("ENG-29")
def test_create_init_start(podman):
    """`init` goes as far as `rt create`: nothing has run, and nothing is in the log."""
    podman.ids.append(podman.out("create", "--name", "one", "--network", "none", "box", "echo", "ran"))
    assert podman.state()["Status"] == "created"
    podman.call("container", "init", "one")
    assert podman.state()["Status"] == "initialized" and podman.pid() > 0
    assert podman.logs() == ""
    assert podman.out("start", "--attach", "one") == "ran"
    assert podman.logs() == "ran\n"
    assert podman.out("start", "--attach", "one") == "ran", "once more"


@pytest.mark.rows("ENG-02", "EXE-13")
def test_exec(podman):
    podman.up("--env", "COLOUR=blue", "box", "sleep", "1000")
    script = 'echo "$COLOUR $SHAPE"; pwd; id -u; cat; echo error >&2; exit 4'
    told = podman.call("exec", "--interactive", "--env", "SHAPE=round", "--workdir", "/tmp", "--user",
                       "1000:2000", "one", "sh", "-c", script, text="typed\n", code=4)
    assert (told.out, told.err) == ("blue round\n/tmp\n1000\ntyped\n", "error\n")
    podman.call("exec", "--detach", "one", "touch", "/tmp/made")
    host.until(lambda: podman.call("exec", "one", "test", "-e", "/tmp/made", code=None).code == 0,
               "a detached process has run")
    with podman.start("exec", "one", "sh", "-c", "kill -KILL $$", stderr=subprocess.DEVNULL) as process:
        assert process.wait(30) == 137


@pytest.mark.rows("ENG-02")
def test_exec_where_nothing_runs(podman):
    podman.up("box", "true")
    podman.call("wait", "one")
    told = podman.call("exec", "one", "true", code=255)
    assert "can only create exec sessions on running containers" in told.err


@pytest.mark.rows("EXE-10", "ENG-14")
def test_exec_on_a_terminal(podman):
    podman.up("box", "sleep", "1000")
    with podman.terminal("exec", "-it", "one", "sh", rows=33, columns=99) as terminal:
        # Podman tells the size when it likes.
        terminal.send("tty; until [ \"$(stty size)\" = '33 99' ]; do sleep 0.01; done; exec 2>&1; echo at''start\n")
        told = terminal.expect("atstart\n")
        assert "/dev/pts/0" in told
        terminal.resize(44, 111)
        terminal.send("until stty size | grep -x '44 111'; do sleep 0.01; done\n")
        terminal.expect("44 111\n")
        terminal.send("trap 'echo inter''rupted' INT; echo rea''dy; sleep 1000\n")
        terminal.expect("ready\n")
        host.until(lambda: "sleep 1000" in podman.out("top", "one", "args").splitlines()[2:],
                   "the foreground sleeps")
        terminal.send("\x03")
        terminal.expect("interrupted\n")
        terminal.send("exit 5\n")
        assert terminal.wait() == 5


@pytest.mark.rows("ENG-14")
def test_run_on_a_terminal(podman):
    argv = ["run", "--rm", "-it", "--network", "none", "box", "sh", "-c",
            "tty; until stty size | grep -x '31 77'; do sleep 0.01; done; read word; echo \"said $word\"; exit 6"]
    with podman.terminal(*argv, rows=31, columns=77) as terminal:
        terminal.expect("/dev/pts/0\n")
        terminal.expect("31 77\n")
        terminal.send("hello\n")
        terminal.expect("said hello\n")
        assert terminal.wait() == 6


@pytest.mark.rows("ENG-14")
def test_attach_and_detach(podman):
    podman.up("-it", "box", "sh", "-c", "while read word; do echo \"heard $word\"; done")
    for word in ("first", "second"):
        with podman.terminal("attach", "--detach-keys", "ctrl-x", "one") as terminal:
            terminal.send(f"{word}\n")
            terminal.expect(f"heard {word}\n")
            terminal.send("\x18")
            assert terminal.wait() == 0
        assert podman.running()


@pytest.mark.rows("ENG-06")
def test_logs(podman):
    podman.up("box", "sh", "-c", "echo one; echo two >&2; printf part; sleep 0.1; echo ial; seq 1 2000")
    told = podman.call("logs", "--follow", "one")
    assert told.out == "one\npartial\n" + "".join(f"{n}\n" for n in range(1, 2001))
    assert told.err == "two\n"
    assert podman.out("logs", "--tail", "2", "one") == "1999\n2000"


@pytest.mark.parametrize("driver, logged", [("json-file", "hello\n"), ("none", None)])
def test_log_drivers(podman, driver, logged):
    podman.up("--log-driver", driver, "box", "echo", "hello")
    podman.call("wait", "one")
    told = podman.call("logs", "one", code=0 if logged else None)
    assert told.out == (logged or "") and (logged or "not logging output" in told.err)


def test_passthrough(podman):
    """conmon hands its own standard streams on: rt's caller's are the container's."""
    told = podman.call("run", "--detach", "--name", "one", "--network", "none", "--log-driver",
                       "passthrough", "box", "sh", "-c", "echo straight")
    podman.ids.append(podman.inspect()["Id"])
    podman.call("wait", "one")
    assert "straight" in told.out.splitlines()


SLOW_END = "trap 'echo ending; exit 9' TERM; echo ready; while :; do sleep 0.05; done"


@pytest.mark.rows("ENG-23")
def test_stop(podman):
    podman.up("box", "sh", "-c", SLOW_END)
    podman.until_logged("ready")
    podman.call("stop", "one")
    assert podman.logs().endswith("ending\n") and podman.state()["ExitCode"] == 9


@pytest.mark.rows("ENG-23")
def test_stop_of_one_that_does_not_listen(podman):
    podman.up("box", "sleep", "1000")
    podman.call("stop", "--time", "0", "one")
    assert podman.state()["ExitCode"] == 137


@pytest.mark.rows("ENG-23")
def test_stop_signal(podman):
    podman.up("--stop-signal", "USR1", "box", "sh", "-c", SLOW_END.replace("TERM", "USR1"))
    podman.until_logged("ready")
    podman.call("stop", "one")
    assert podman.state()["ExitCode"] == 9


@pytest.mark.rows("ENG-23", "ENG-16")
def test_kill(podman):
    podman.up("box", "sh", "-c", SLOW_END.replace("TERM", "HUP"))
    podman.until_logged("ready")
    podman.call("kill", "--signal", "HUP", "one")
    assert podman.out("wait", "one") == "9"
    assert "can only kill running containers" in podman.call("kill", "one", code=125).err


def test_restart(podman):
    podman.up("box", "sh", "-c", "echo started; exec sleep 1000")
    podman.until_logged("started")
    first = podman.pid()
    podman.call("restart", "--time", "0", "one")
    podman.until_logged("started")
    assert podman.running() and podman.pid() != first


def test_restart_policy(podman):
    """conmon has podman start it again, and again."""
    podman.up("--restart", "on-failure:2", "box", "sh", "-c", "echo ran >>/data/runs; exit 3")
    host.until(lambda: podman.inspect()["RestartCount"] == 2 and
               podman.state()["Status"] == "exited", "it ran three times", 30)
    assert podman.out("cp", "one:/data/runs", "-").count("ran\n") == 3


@pytest.mark.rows("ENG-15", "ENG-18", "ENG-24")
def test_remove(podman):
    podman.up("box", "sleep", "1000")
    assert "already in use" in podman.call("run", "--name", "one", "box", "true", code=125).err
    assert "cannot remove container" in podman.call("rm", "one", code=2).err
    podman.call("rm", "--force", "--time", "0", "one")
    assert podman.out("ps", "--all", "--quiet") == ""
    assert "no such container" in podman.call("rm", "one", code=1).err


@pytest.mark.rows("ENG-24")
def test_remove_after_the_runtime_forgot(podman):
    """Killed from outside and its state gone: podman cleans up by `delete --force`."""
    name = podman.up("box", "sleep", "1000")
    subprocess.run([*podman.place.enter(), podman.place.runtime, "delete", "--force", name], check=True)
    podman.call("rm", "--force", "--time", "0", "one")
    assert podman.out("ps", "--all", "--quiet") == ""


@pytest.mark.rows("CGS-30")
def test_pause(podman):
    podman.up("box", "sleep", "1000")
    podman.call("pause", "one")
    assert podman.state()["Status"] == "paused"
    state = CGROUPS.read(podman.pid(), "freezer", "freezer.state", "cgroup.freeze")
    assert state in ("FROZEN", "1")
    assert "running" in podman.call("exec", "one", "true", code=255).err
    assert "paused" in podman.call("pause", "one", code=125).err
    podman.call("unpause", "one")
    podman.call("exec", "one", "true")
    podman.call("pause", "one")
    podman.call("rm", "--force", "--time", "0", "one")


def test_top(podman):
    podman.up("--user", "worker", "box", "sh", "-c", "sleep 1000 & sleep 1000 & echo ready; wait")
    podman.until_logged("ready")

    def told():
        return [line.split() for line in podman.out("top", "one", "user,pid,ppid,args").splitlines()]
    host.until(lambda: [line[3:] for line in told()].count(["sleep", "1000"]) == 2, "both have begun to sleep")
    lines = told()
    assert lines[0] == ["USER", "PID", "PPID", "COMMAND"]
    assert {tuple(line[:3]) for line in lines[1:]} == \
        {("worker", "1", "0"), ("worker", "2", "1"), ("worker", "3", "1")}


@pytest.mark.rows("ENG-27")
def test_stats(podman):
    """The figures are read in the cgroup whose path podman gave."""
    podman.up("box", "sh", "-c", "touch /tmp/x; dd if=/dev/zero of=/dev/null bs=1M count=300; sleep 1000 &"
              "echo worked; wait")
    podman.until_logged("worked")
    told = json.loads(podman.out("stats", "--no-stream", "--format", "json", "one"))[0]
    assert int(told["pids"]) == 2
    assert float(re.match(r"([\d.]+)[kMG]?B / ", told["mem_usage"])[1]) > 0, told
    assert re.fullmatch(r"[\d.]+m?s", told["cpu_time"]) and float(told["cpu_time"].rstrip("ms")) > 1, told


@pytest.mark.rows("ENG-11", "ENG-13", "ENG-28")
def test_conmon_is_the_parent(podman):
    name = podman.up("box", "sleep", "1000")
    with open(f"/proc/{podman.pid()}/status", encoding="ascii") as file:
        parent = int(next(line for line in file if line.startswith("PPid")).split()[1])
    assert host.describe(parent).count("conmon")
    with open(f"/proc/{podman.pid()}/cgroup", encoding="ascii") as file:
        assert f"libpod-{name}" in file.read()
    with open(f"/proc/{parent}/cgroup", encoding="ascii") as file:
        assert f"libpod-{name}" not in file.read().replace("/conmon", "")


def test_copy_diff_commit(podman):
    podman.up("box", "sh", "-c", "echo inner >/data/file; exec sleep 1000")
    host.until(lambda: podman.call("exec", "one", "test", "-s", "/data/file", code=None).code == 0, "file")
    assert "A /data/file" in podman.out("diff", "one")
    podman.call("cp", "one:/data/file", "/run/podman/file")
    podman.call("cp", "/run/podman/file", "one:/data/copy")
    assert podman.out("exec", "one", "cat", "/data/copy") == "inner"
    image = podman.out("commit", "--quiet", "one")
    assert podman.run(image, "cat", "/data/copy").out == "inner\n"
    podman.call("rmi", "--force", image)
