# SPDX-License-Identifier: Apache-2.0
"""Debian's Docker with rt as its runtime: what a person asks of `docker run` is what the container has.
docs/engines.md has a line for each of these tests."""

import json
import os

import pytest

import docker_host
import host
from docker_host import SLEEP, limit


def words(text):
    """{name: value} of lines such as those of /proc/self/status."""
    return {name: value.strip() for name, _, value in
            (line.partition(":") for line in text.splitlines())}


# --- that it is rt -----------------------------------------------------------------------------

@pytest.mark.rows("ENG-04", "ENG-05", "ENG-19", "ENG-27")
def test_the_runtime_is_rt(docker):
    """daemon.json of contrib names it; its own list knows the container by docker's id and pid."""
    assert docker("info", "--format", "{{.DefaultRuntime}}") == "rt"
    commit = next(line.split(": ")[1] for line in docker.here(docker.rt, "--version").splitlines()
                  if line.startswith("commit: "))
    assert commit.startswith(docker("info", "--format", "{{.RuncCommit.ID}}"))
    container = docker.start("--", *SLEEP)
    seen = docker.inspect(container)
    listed = docker.list()
    assert seen["HostConfig"]["Runtime"] == "rt"
    assert list(listed) == [container]
    assert (listed[container]["pid"], listed[container]["status"]) == (seen["State"]["Pid"], "running")
    cgroup = docker.here("cat", f"/proc/{seen['State']['Pid']}/cgroup")
    assert f"{docker.cgroup}/{container}\n" in cgroup


# --- run ---------------------------------------------------------------------------------------

@pytest.mark.rows("ENG-06", "ENG-29")
def test_detached_logs_and_wait(docker):
    container = docker.start("--", "sh", "-c", "echo to-out; echo to-err >&2; exit 7")
    assert docker("wait", container) == "7"
    assert docker.tell("logs", container) == (0, "to-out\n", "to-err\n")
    assert docker.state(container)["ExitCode"] == 7


def test_standard_input(docker):
    assert docker.run("--interactive", "--", "cat", stdin=b"line one\nline two\n") == \
        "line one\nline two"


@pytest.mark.rows("ENG-14")
def test_terminal(docker):
    """-it: a shell with job control on a terminal of the size that the person's has."""
    terminal = docker.terminal("run", "--rm", "-it", docker_host.IMAGE, "sh")
    terminal.expect("# ")
    # The client tells the size once the shell runs.
    terminal.type("until stty size 2>/dev/null; do :; done; tty; echo al''l\n")
    told = terminal.expect("all")
    assert "24 80" in told and "/dev/pts/0" in told
    terminal.type("sh -c 'echo be''gun; exec sleep 1000'\n")
    terminal.expect("begun")
    terminal.type("\x03")
    terminal.expect("# ")
    terminal.type("echo code $?\n")
    terminal.expect("code 130")
    terminal.type("exit 5\n")
    assert terminal.end() == 5


def test_rm_and_what_stays(docker):
    docker("run", "--rm", "--name", "goes", docker_host.IMAGE, "true")
    docker("run", "--name", "stays", docker_host.IMAGE, "true")
    assert docker("ps", "--all", "--format", "{{.Names}} {{.State}}") == "stays exited"


def test_environment(docker):
    told = docker.run("-e", "COLOUR=green", "-e", "SPACED=a  b", "--workdir", "/made/new",
                      "--hostname", "inner", "--", "sh", "-c", 'echo "$COLOUR $SPACED"; pwd; hostname')
    assert told.splitlines() == ["green a  b", "/made/new", "inner"]


def test_bind_volumes(docker):
    folder = os.path.join(docker.data, "folder")
    os.makedirs(folder, exist_ok=True)
    with open(folder + "/note", "w", encoding="ascii") as file:
        file.write("from outside\n")
    told = docker.run("-v", f"{folder}:/rw", "-v", f"{folder}:/ro:ro", "--", "sh", "-c",
                      "cat /ro/note; echo from inside >/rw/answer; touch /ro/answer 2>&1; cat /ro/answer")
    assert told.splitlines()[0] == "from outside" and told.splitlines()[-1] == "from inside"
    assert "Read-only file system" in told
    with open(folder + "/answer", encoding="ascii") as file:
        assert file.read() == "from inside\n"


def test_named_volumes(docker):
    """What the image has there comes along; what is written stays; read-only is read-only."""
    told = docker.run("-v", "kept:/data", "--", "sh", "-c", "cat /data/kept; echo more >/data/more")
    assert told == "of the image"
    told = docker.run("-v", "kept:/elsewhere:ro", "--", "sh", "-c",
                      "cat /elsewhere/more; touch /elsewhere/no 2>&1; true")
    assert told.splitlines()[0] == "more" and "Read-only file system" in told
    assert docker("volume", "rm", "kept") == "kept"


@pytest.mark.parametrize("propagation, comes_in, goes_out", [
    ("rprivate", False, False), ("rslave", True, False), ("rshared", True, True)])
def test_propagation(docker, propagation, comes_in, goes_out):
    place = "/run/propagation"
    docker.here("mkdir", "-p", place)
    docker.here("mount", "-t", "tmpfs", "shared", place)
    docker.here("mount", "--make-shared", place)
    docker.here("mkdir", place + "/in", place + "/out")
    container = docker.start("-v", f"{place}:/data:{propagation}", "--cap-add", "SYS_ADMIN",
                             "--security-opt", "apparmor=unconfined", "--", *SLEEP)
    docker.here("mount", "-t", "tmpfs", "from-outside", place + "/in")
    docker("exec", container, "mount", "-t", "tmpfs", "from-inside", "/data/out")
    inside = docker("exec", container, "cat", "/proc/self/mountinfo")
    outside = docker.here("cat", "/proc/self/mountinfo")
    docker("rm", "--force", container)
    docker.here("umount", "--recursive", place)
    assert ("from-outside" in inside, "from-inside" in outside) == (comes_in, goes_out)


def test_tmpfs(docker):
    told = docker.run("--tmpfs", "/scratch:size=1m,mode=1770,noexec", "--", "sh", "-c",
                      "grep ' /scratch ' /proc/mounts; stat -c %a /scratch; "
                      "dd if=/dev/zero of=/scratch/full bs=1k count=2000 2>&1; true")
    assert told.splitlines()[0].startswith("tmpfs /scratch tmpfs") and "noexec" in told
    assert "size=1024k" in told and "1770" in told.splitlines() and "No space left" in told


@pytest.mark.parametrize("user, expected", [
    ("1000:2000", "uid=1000(worker) gid=2000(extra) groups=2000(extra),3000"),
    ("worker", "uid=1000(worker) gid=1000(worker) groups=1000(worker),2000(extra),3000")])
def test_user(docker, user, expected):
    told = docker.run("--user", user, "--group-add", "3000", "--", "sh", "-c",
                      "id; touch /data/no 2>&1; grep CapEff /proc/self/status")
    id_line, refusal, caps = told.splitlines()
    assert sorted(id_line.replace(" ", ",").split(",")) == sorted(expected.replace(" ", ",").split(","))
    assert "Permission denied" in refusal and int(caps.split()[1], 16) == 0


def test_capabilities(docker):
    def effective(*options):
        return int(words(docker.run(*options, "--", "cat", "/proc/self/status"))["CapEff"], 16)
    net_bind, net_admin, chown = 1 << 10, 1 << 12, 1 << 0
    default = effective()
    assert default & chown and not default & net_admin
    assert effective("--cap-add", "NET_ADMIN") == default | net_admin
    assert effective("--cap-drop", "CHOWN") == default & ~chown
    assert effective("--cap-drop", "ALL", "--cap-add", "NET_BIND_SERVICE") == net_bind


@pytest.mark.needs("sys_resource")
def test_privileged(docker):
    told = docker.run("--privileged", "--", "sh", "-c",
                      "cat /proc/self/status; mount -t tmpfs none /tmp && echo mounted; ls /dev")
    status = words(told)
    assert int(status["CapEff"], 16) >> 21 & 1 and status["Seccomp"] == "0"
    assert "mounted" in told and "kmsg" in told.split()


@pytest.mark.needs("no-sys_resource")
def test_privileged_beyond_what_the_host_has(docker):
    """A capability that the daemon itself lacks cannot be given; the others are."""
    told = docker("run", "--rm", "--privileged", docker_host.IMAGE, "grep", "^CapEff", "/proc/self/status")
    has = int(told.split()[1], 16)
    assert has >> 21 & 1 and not has >> 24 & 1      # CAP_SYS_ADMIN, CAP_SYS_RESOURCE


def test_seccomp(docker):
    with open(docker.data + "/profile.json", "w", encoding="ascii") as file:
        json.dump({"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [
            {"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO", "errnoRet": 28}]}, file)
    shell = ("sh", "-c", "grep ^Seccomp: /proc/self/status; mkdir /tmp/x 2>&1 && echo made; "
             "unshare -U true 2>&1 && echo unshared")

    def told(*options):
        return docker.run(*options, "--", *shell[:2], shell[2] + "; true")
    default, open_, own = (told(*options) for options in (
        (), ("--security-opt", "seccomp=unconfined"),
        ("--security-opt", f"seccomp={docker.data}/profile.json")))
    assert "Seccomp:\t2" in default and "made" in default and "unshared" not in default
    assert "Seccomp:\t0" in open_ and "made" in open_ and "unshared" in open_
    assert "Seccomp:\t2" in own and "No space left" in own and "unshared" in own


def test_no_new_privileges(docker):
    def told(*options):
        return words(docker.run(*options, "--", "cat", "/proc/self/status"))["NoNewPrivs"]
    assert (told(), told("--security-opt", "no-new-privileges")) == ("0", "1")


def test_read_only(docker):
    told = docker.run("--read-only", "--tmpfs", "/tmp", "-v", "kept:/data", "--", "sh", "-c",
                      "touch /no 2>&1; touch /tmp/yes /data/yes && echo written")
    assert told.splitlines() == ["touch: /no: Read-only file system", "written"]


# --- limits ------------------------------------------------------------------------------------

@pytest.mark.needs("memory")
def test_memory(docker):
    container = docker.start("--memory", "32m", "--", *SLEEP)
    assert limit(docker, container, "memory", "memory.limit_in_bytes", "memory.max") == str(32 << 20)


@pytest.mark.needs("memory")
def test_out_of_memory(docker):
    """OOMKilled is what the daemon has heard when the container ends, so init has to live until then:
    of its own death by the OOM killer the engine hears on two ways, and the kernel holds the news of
    memory.events back for up to 10 ms, while those of the death are there at once."""
    memory = ("--memory", "16m", "--memory-swap", "16m", "--")
    assert docker("wait", docker.start(*memory, "sh", "-c", "exec tail /dev/zero")) == "137"

    container = docker.start(*memory, "sh", "-c", "tail /dev/zero; while :; do sleep 1; done")
    host.until(lambda: docker("events", "--since", "0", "--until", docker.here("date", "+%s.%N").strip(),
                              "--filter", f"container={container}", "--filter", "event=oom"), "an OOM event", 30)
    docker("kill", container)
    docker("wait", container)
    assert docker.state(container)["OOMKilled"] is True


@pytest.mark.needs("cpu")
def test_cpus(docker):
    container = docker.start("--cpus", "0.5", "--", *SLEEP)
    told = limit(docker, container, "cpu", "cpu.cfs_quota_us", "cpu.max")
    assert told.split()[0] == "50000"


@pytest.mark.needs("cpuset")
def test_cpuset(docker):
    assert words(docker.run("--cpuset-cpus", "0", "--", "cat", "/proc/self/status")
                 )["Cpus_allowed_list"] == "0"


@pytest.mark.needs("pids")
def test_pids_limit(docker):
    told = docker.tell("run", "--rm", "--pids-limit", "5", docker_host.IMAGE, "sh", "-c",
                       "for i in 1 2 3 4 5 6; do sleep 1000 & done")
    assert told.code == 2 and "can't fork" in told.err


@pytest.mark.needs("devices")
def test_device(docker):
    """What is given can be used as it was given, what is not cannot be used even if it is made."""
    shell = ("sh", "-c", ": </dev/messages && echo readable; (: >>/dev/messages) 2>&1; "
             "mknod /tmp/loop b 7 0; cat /tmp/loop 2>&1; true")
    told = docker.run("--cap-add", "SYSLOG", "--device", "/dev/kmsg:/dev/messages:r", "--", *shell)
    assert told.splitlines() == ["readable", "sh: can't create /dev/messages: Operation not permitted",
                                 "cat: can't open '/tmp/loop': Operation not permitted"]


def test_ulimit(docker):
    told = docker.run("--ulimit", "nofile=512:1024", "--ulimit", "core=0", "--", "sh", "-c",
                      "ulimit -Sn; ulimit -Hn; ulimit -c")
    assert told.split() == ["512", "1024", "0"]


def test_init(docker):
    """--init: a first process that reaps what others leave, and passes signals on."""
    container = docker.start("--init", "--", *SLEEP)
    assert "init" in docker("exec", container, "cat", "/proc/1/comm")
    docker("exec", container, "sh", "-c", "(sleep 0 & exec true) & wait")
    host.until(lambda: "Z" not in docker("exec", container, "ps", "-o", "stat").split(), "zombies")
    docker.until_up(container)
    docker("stop", "--time", "20", container)
    assert docker.state(container)["ExitCode"] == 0


# --- namespaces --------------------------------------------------------------------------------

@pytest.mark.parametrize("kind, option", [("pid", "--pid"), ("ipc", "--ipc"), ("net", "--network")])
def test_namespaces_of_host_and_container(docker, kind, option):
    shareable = ("--ipc", "shareable") if kind == "ipc" else ()
    other = docker.start(*shareable, "--", *SLEEP)

    def told(*options):
        return docker.run(*options, "--", "readlink", f"/proc/self/ns/{kind}")
    of_host = docker.here("readlink", f"/proc/self/ns/{kind}").strip()
    of_other = docker("exec", other, "readlink", f"/proc/self/ns/{kind}")
    own = told()
    assert len({own, of_host, of_other}) == 3
    assert told(option, "host") == of_host
    assert told(option, f"container:{other}") == of_other


def test_network_none(docker):
    told = docker.run("--network", "none", "--", "ip", "-o", "link")
    assert "lo:" in told and "eth0" not in told


@pytest.mark.rows("ENG-30")
def test_networks(docker):
    """Docker's prestart hook brings the network: by name among containers, by a port from outside."""
    docker("network", "create", "between")
    docker.start("--name", "server", "--network", "between", "-p", "127.0.0.1:8123:80", "--", "sh",
                 "-c", "echo served >/tmp/index.html; exec httpd -f -p 80 -h /tmp")
    host.until(lambda: docker.tell("exec", "server", "wget", "-qO-", "http://127.0.0.1/").code == 0,
               "the server answers", 30)
    assert docker.run("--network", "between", "--", "wget", "-qO-", "http://server/") == "served"
    assert docker.here("busybox", "wget", "-qO-", "http://127.0.0.1:8123/") == "served\n"


def test_cgroup_parent(docker):
    told = docker.run("--cgroup-parent", docker.cgroup + "/mine", "--", "cat", "/proc/self/cgroup")
    if host.Cgroups().layout != "v2":
        assert f":{docker.cgroup}/mine/" in told
    docker.start("--name", "in", "--cgroup-parent", docker.cgroup + "/mine", "--", *SLEEP)
    cgroup = docker.here("cat", f"/proc/{docker.state('in')['Pid']}/cgroup")
    assert all("/mine/" in line for line in cgroup.splitlines())


def test_restart(docker):
    """--restart on-failure:2: three runs in all; --restart always: also after a kill."""
    container = docker.start("--restart", "on-failure:2", "--", "sh", "-c", "echo run; exit 3")
    docker.until(container, lambda state: state["Status"] == "exited", "gives up")
    assert docker.inspect(container)["RestartCount"] == 2
    assert docker("logs", container).split() == ["run"] * 3
    container = docker.start("--restart", "always", "--", *SLEEP)
    first = docker.state(container)["Pid"]
    docker.here("kill", "-KILL", str(first))
    docker.until(container, lambda state: state["Running"] and state["Pid"] not in (0, first),
                 "runs again")
