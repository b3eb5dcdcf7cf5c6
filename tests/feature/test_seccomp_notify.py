# SPDX-License-Identifier: Apache-2.0
"""SCMP_ACT_NOTIFY: an agent outside answers calls of the container. The agent is that of
contrib/seccomp-agent, which answers as the metadata says and logs what it sees."""

import json
import os
import socket
import subprocess

import pytest

import host
from bundle import label
from fixtures import TOP

AGENT = os.path.join(TOP, "contrib", "seccomp-agent", "seccomp-agent.py")
NOTIFY = "SCMP_ACT_NOTIFY"


class Agent:
    def __init__(self, directory):
        self.path, self.log = os.path.join(directory, "agent.sock"), os.path.join(directory, "log")
        self.process = subprocess.Popen(["/usr/bin/python3", AGENT, "--socket", self.path,
                                         "--log", self.log])
        host.until(lambda: self.lines("listening"), "the agent listens")

    def lines(self, key):
        if not os.path.exists(self.log):
            return []
        with open(self.log, encoding="utf-8") as file:
            whole = [json.loads(line) for line in file if line.endswith("\n")]
        return [line for line in whole if key in line]

    @property
    def messages(self):
        return [line["message"] for line in self.lines("message")]

    @property
    def calls(self):
        return {line["call"] for line in self.lines("call")}

    def stop(self):
        self.process.kill()
        self.process.wait()


@pytest.fixture
def agent(new_box, work):   # new_box first: the agent ends before it looks for leftovers
    agent = Agent(work)
    yield agent
    agent.stop()


def notify(path, *names, metadata="getcpu=EXDEV", **more):
    return {"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": path, "listenerMetadata": metadata,
            "syscalls": [{"names": list(names), "action": NOTIFY}], **more}


def told_by(box, verb):
    """What the probe told, which each of the three verbs started."""
    if verb == "run":
        return box.run()
    if verb == "create":
        box.create()
        box.start()
        return box.finish()
    box.up()
    return box.exec(ops=("call getcpu",))


@pytest.mark.rows("SEC-01", "SEC-15", "SEC-16", "SEC-17", "SEC-18", "SEC-22")
@pytest.mark.parametrize("nnp", [True, False])
def test_create_and_start(new_box, agent, nnp):
    box = new_box("call getcpu", "call getppid", "report")
    box.process["noNewPrivileges"] = nnp
    box.config["annotations"] = {"color": "blue"}
    box.linux["seccomp"] = notify(agent.path, "getcpu", "getppid", metadata="getcpu=EXDEV;getppid=77")
    box.create()
    pid = box.pid
    box.start()
    told = box.finish()
    assert told.errno("call", "getcpu") == "EXDEV"
    assert told.line("call", "getppid")["ret"] == 77
    assert told.report["status"]["Seccomp"] == "2"
    assert agent.messages == [{
        "ociVersion": agent.messages[0]["ociVersion"], "fds": ["seccompFd"], "pid": pid,
        "metadata": "getcpu=EXDEV;getppid=77",
        "state": {"ociVersion": agent.messages[0]["ociVersion"], "id": box.id, "pid": pid,
                  "status": "creating", "bundle": box.dir, "annotations": {"color": "blue"}}}]


@pytest.mark.rows("SEC-15", "SEC-17")
def test_run_without_metadata(new_box, agent):
    box = new_box("call getcpu")
    box.linux["seccomp"] = notify(agent.path, "getcpu")
    del box.linux["seccomp"]["listenerMetadata"]
    assert box.run().errno("call", "getcpu") is None
    assert "metadata" not in agent.messages[0]
    assert agent.calls == {"getcpu"}


@pytest.mark.rows("SEC-17", "SEC-18")
def test_exec(new_box, agent):
    box = new_box("pause")
    box.linux["seccomp"] = notify(agent.path, "getcpu")
    box.up()
    told = box.exec(ops=("call getcpu",))
    assert told.errno("call", "getcpu") == "EXDEV"
    first, second = agent.messages
    assert (first["state"]["status"], second["state"]["status"]) == ("creating", "running")
    assert first["pid"] == first["state"]["pid"] == second["state"]["pid"] == box.pid
    assert second["pid"] != box.pid


@pytest.mark.rows("SEC-21", "SEC-22")
@pytest.mark.parametrize("nnp", [True, False])
@pytest.mark.parametrize("verb", ["run", "create", "exec"])
@pytest.mark.needs("ids")
def test_calls_of_the_runtime_itself(new_box, agent, nnp, verb):
    """What hands the listener over would be notified as well, or worse; but what rt still calls below
    the filter passes by its door."""
    calls = ("sendmsg sendto write writev close fcntl execve capset prctl setgroups setgid setuid "
             "setresuid setresgid openat faccessat faccessat2 read rt_sigaction rt_sigprocmask "
             "umask exit_group exit brk mmap").split()
    box = new_box("call getcpu", *(["pause"] if verb == "exec" else []))
    box.process["noNewPrivileges"] = nnp
    box.process["user"] = {"uid": 7, "gid": 7, "additionalGids": [5]}
    box.linux["seccomp"] = notify(agent.path, "getcpu", *calls)
    box.linux["seccomp"]["syscalls"].append({"names": ["recvmsg", "recvfrom"],
                                             "action": "SCMP_ACT_KILL_PROCESS"})
    told = told_by(box, verb)
    assert told.errno("call", "getcpu") == "EXDEV"
    assert {"getcpu", "execve"} <= agent.calls
    assert not agent.calls & {"sendmsg", "capset", "setresuid", "setgroups", "prctl"}


@pytest.mark.rows("SEC-19")
@pytest.mark.parametrize("verb", ["run", "create"])
@pytest.mark.parametrize("kind", ["missing", "deaf", "datagram", "file"])
def test_nobody_there(new_box, work, fails, verb, kind):
    box = new_box("echo ran")
    path = os.path.join(work, "nobody.sock")
    with socket.socket(socket.AF_UNIX,
                       socket.SOCK_DGRAM if kind == "datagram" else socket.SOCK_STREAM) as server:
        if kind in ("deaf", "datagram"):
            server.bind(path)
        if kind == "deaf":
            server.close()
        if kind == "file":
            with open(path, "w", encoding="ascii"):
                pass
        box.linux["seccomp"] = notify(path, "getcpu")
        told = box.run(code=None) if verb == "run" else box.create(code=None)
    fails(told, "seccomp agent", at="/linux/seccomp/listenerPath")
    assert "ran" not in told.out


@pytest.mark.rows("SEC-19")
@pytest.mark.parametrize("nnp", [True, False])
def test_agent_that_is_gone_at_the_start(new_box, agent, fails, nnp):
    """It had its listener at create. Calls of the program fail now, and nothing waits for ever."""
    box = new_box("call getcpu", "echo ran")
    box.process["noNewPrivileges"] = nnp
    box.linux["seccomp"] = notify(agent.path, "getcpu", "close", "sendmsg")
    box.create()
    agent.stop()
    box.start()
    assert box.lines_until("ran").errno("call", "getcpu") == "ENOSYS"
    box.wait()


@pytest.mark.rows("SEC-19")
@pytest.mark.parametrize("nnp", [True, False])
def test_agent_that_is_gone_at_execve(new_box, agent, fails, nnp):
    """The process must not run a single instruction, and the container is stopped."""
    box = new_box("echo ran")
    box.process["noNewPrivileges"] = nnp
    box.linux["seccomp"] = notify(agent.path, "execve", "exit_group", "close", "sendmsg")
    box.create()
    agent.stop()
    fails(box.start(code=None), "function not implemented", "agent has ended", at="/process/args/0")
    assert box.status() == "stopped"
    assert "ran" not in box.rest()
    box.wait()


@pytest.mark.rows("SEC-20")
def test_agent_that_dies(new_box, agent):
    """Nobody else holds the listener: calls fail instead of waiting."""
    box = new_box("trap 10", "until 10", "call getcpu", "echo over")
    box.linux["seccomp"] = notify(agent.path, "getcpu")
    box.up()
    agent.stop()
    box.kill("USR1")
    assert box.lines_until("over").errno("call", "getcpu") == "ENOSYS"
    box.wait()


@pytest.mark.rows("SEC-15")
@pytest.mark.parametrize("names", [["no_such_call"], []], ids=label)
def test_without_notified_calls_nobody_is_asked(new_box, names):
    box = new_box("call getcpu")
    box.linux["seccomp"] = notify("/nobody/there", *names)
    if not names:
        box.linux["seccomp"]["syscalls"] = []
    assert box.run().errno("call", "getcpu") is None


@pytest.mark.rows("SEC-12", "SEC-13", "SEC-14")
@pytest.mark.parametrize("flags", [["TSYNC"], ["WAIT_KILLABLE_RECV", "TSYNC", "LOG"], []], ids=label)
def test_flags(new_box, agent, flags):
    box = new_box("call getcpu")
    box.linux["seccomp"] = notify(agent.path, "getcpu",
                                  flags=[f"SECCOMP_FILTER_FLAG_{each}" for each in flags])
    assert box.run().errno("call", "getcpu") == "EXDEV"


@pytest.mark.rows("SEC-22", "HKS-31")
def test_start_container_hooks_have_the_agent(new_box, agent):
    box = new_box("call getcpu")
    box.hook("startContainer", "call getcpu", "exit 0", path="/bin/probe")
    box.linux["seccomp"] = notify(agent.path, "getcpu", "execve")
    assert box.run().errno("call", "getcpu") == "EXDEV"
    assert len(agent.lines("call")) >= 4    # two getcpu, two execve


@pytest.mark.rows("SEC-21", "SEC-22", "SEC-02")
@pytest.mark.own
@pytest.mark.parametrize("nnp", [True, False])
@pytest.mark.parametrize("verb", ["run", "create", "exec"])
def test_notify_by_default(new_box, agent, nnp, verb):
    """Each call goes to the agent, those of the last leg among them; but what hands the listener
    over passes by the filter's door."""
    box = new_box("call getcpu", *(["pause"] if verb == "exec" else []))
    box.process["noNewPrivileges"] = nnp
    box.linux["seccomp"] = notify(agent.path)
    box.linux["seccomp"].update(defaultAction=NOTIFY, syscalls=[])
    told = told_by(box, verb)
    assert told.errno("call", "getcpu") == "EXDEV"
    assert {"getcpu", "execve", "write"} <= agent.calls


@pytest.mark.rows("SEC-19", "SEC-21")
@pytest.mark.own
@pytest.mark.parametrize("nnp", [True, False])
def test_notify_by_default_and_nobody_answers(new_box, agent, fails, nnp):
    """Not even the end of the process can be had without the agent; it ends all the same."""
    box = new_box("echo ran")
    box.process["noNewPrivileges"] = nnp
    box.linux["seccomp"] = notify(agent.path)
    box.linux["seccomp"].update(defaultAction=NOTIFY, syscalls=[])
    box.create()
    agent.stop()
    fails(box.start(code=None), "function not implemented", at="/process/args/0")
    assert box.status() == "stopped"
    assert "ran" not in box.rest()
    box.wait()
