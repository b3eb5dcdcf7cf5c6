# SPDX-License-Identifier: Apache-2.0
"""containerd by ctr: each option's effect, told by the container itself or by its cgroup, and nothing
left behind. The shim calls rt as it calls runc; a runc that is called fails the test."""

import contextlib
import itertools
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import termios

import pytest

import host
import limits
from containerd import BUSYBOX, WORKER

STATUS = ["cat", "/proc/self/status"]
_serial = itertools.count()


class Running:
    """A detached container; what limits.py wants of one."""

    def __init__(self, daemon, name):
        self.daemon, self.id, self.cgroups = daemon, name, daemon.cgroups

    @property
    def pid(self):
        """By our numbers: the daemon's pid namespace has its own."""
        inner = json.loads(self.daemon.rt("state", self.id).out)["pid"]
        return self.daemon.outside(inner)

    @property
    def status(self):
        lines = self.daemon.ctr("task", "ls").out.splitlines()
        return {line.split()[0]: line.split()[2] for line in lines[1:]}.get(self.id)

    def exec(self, *args, options=(), **more):
        return self.daemon.ctr("task", "exec", "--exec-id", f"exec{next(_serial)}", *options, self.id,
                               *args, **more)

    def metrics(self):
        return json.loads(self.daemon.ctr("task", "metrics", "--format", "json", self.id).out)

    def kill(self, name="KILL", *options):
        self.daemon.ctr("task", "kill", "-s", name, *options, self.id)
        host.until(lambda: self.status == "STOPPED", f"{self.id} is stopped")

    def remove(self, *options):
        """Its exit code."""
        told = self.daemon.ctr("task", "rm", *options, self.id)
        match = re.search(r"non-zero exit code (\d+)", told.err)
        return int(match[1]) if match else 0


class Ctr:
    """ctr run with rt."""

    def __init__(self, daemon):
        self.daemon, self.made = daemon, []

    def words(self, *options, args, image=BUSYBOX):
        name = f"box{next(_serial)}"
        self.made.append(name)
        return ["run", "--runc-binary", self.daemon.runtime, *options, image, name, *args]

    def run(self, *options, args, image=BUSYBOX, **more):
        """In the foreground, to its end."""
        return self.daemon.ctr(*self.words("--rm", *options, args=args, image=image), **more)

    def up(self, *options, args=("sleep", "1000")):
        self.daemon.ctr(*self.words("--detach", *options, args=args))
        return Running(self.daemon, self.made[-1])

    def tty(self, argv):
        return Terminal(self.daemon.command(*argv))

    def close(self):
        for name in self.made:
            self.daemon.ctr("task", "rm", "--force", name, code=None)
            self.daemon.ctr("container", "rm", name, code=None)
        self.daemon.nothing_left()
        assert self.daemon.ctr("container", "ls", "-q").out == ""


class Terminal:
    """A client on a terminal of its own."""

    def __init__(self, argv, rows=33, columns=77):
        self.fd, inner = pty.openpty()
        termios.tcsetwinsize(inner, (rows, columns))
        self.process = subprocess.Popen(argv, stdin=inner, stdout=inner, stderr=inner,
                                        start_new_session=True)
        os.close(inner)
        self.seen = ""

    def expect(self, words):
        while words not in self.seen:
            assert self._read(), f"ended before {words!r}: {self.seen!r}"
        return self.seen

    def _read(self):
        """Takes what came; False at the end."""
        assert select.select([self.fd], [], [], 30)[0], f"nothing more comes: {self.seen!r}"
        try:
            self.seen += os.read(self.fd, 65536).decode()
        except OSError:     # EIO: the last one has closed the terminal
            return False
        return True

    def send(self, text):
        os.write(self.fd, text.encode())

    def resize(self, rows, columns):
        termios.tcsetwinsize(self.fd, (rows, columns))
        os.killpg(self.process.pid, signal.SIGWINCH)

    def end(self):
        """(exit code, all that was written)"""
        while self._read():
            pass
        os.close(self.fd)
        return self.process.wait(30), self.seen


@pytest.fixture
def ctr(containerd):
    client = Ctr(containerd)
    yield client
    client.close()


def status(told):
    assert "CapEff" in told.out, told
    return dict(line.split(":\t", 1) for line in told.out.splitlines() if ":\t" in line)


# ---- run


@pytest.mark.rows("ENG-04", "ENG-06")
def test_output_error_and_exit_code_arrive_as_they_left(ctr):
    told = ctr.run(args=["sh", "-c", "echo to stdout; echo to stderr >&2; exit 42"], code=42)
    assert (told.out, told.err) == ("to stdout\n", "to stderr\n")


def test_standard_input_reaches_the_container_and_ends(ctr):
    client = subprocess.Popen(ctr.daemon.command(*ctr.words("--rm", args=["sh", "-c", "echo ready; sort -r"])),
                              stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert client.stdout.readline() == "ready\n"
    assert client.communicate("one\ntwo\n", timeout=60)[0] == "two\none\n" and client.returncode == 0


@pytest.mark.rows("ENG-05", "ENG-11", "ENG-29")
def test_a_detached_container_is_rts_and_its_shim_is_the_parent(ctr, containerd):
    box = ctr.up()
    assert box.status == "RUNNING"
    assert [each["id"] for each in json.loads(containerd.rt("list", "--format", "json").out)] == [box.id]
    shim, = containerd.pids("containerd-shim-runc-v2")
    assert host.parent(box.pid) == shim
    box.kill()
    assert box.remove() == 137


def test_the_pid_file_of_the_client_names_the_first_process(ctr, containerd, work):
    box = ctr.up("--pid-file", f"{work}/pid")
    with open(f"{work}/pid", encoding="ascii") as file:
        assert containerd.outside(int(file.read())) == box.pid


@pytest.mark.rows("ENG-08", "ENG-09", "ENG-17")
@pytest.mark.parametrize("command, words", [
    ("absent", 'exec: "absent": executable file not found in $PATH'),
    ("/bin/absent", "no such file or directory"),
    ("/etc/passwd", "permission denied"),
])
def test_why_a_container_did_not_start_is_said_by_the_client(ctr, containerd, command, words):
    told = ctr.run(args=[command], code=1)
    assert words.lower() in told.err.lower()
    assert containerd.ctr("task", "ls", "-q").out == ""


@pytest.mark.rows("ENG-18")
def test_an_id_that_is_taken_is_refused(ctr):
    box = ctr.up()
    told = ctr.daemon.ctr("run", "--rm", "--runc-binary", ctr.daemon.runtime, BUSYBOX, box.id, "true",
                          code=None)
    assert told.code != 0 and "already exists" in told.err
    assert box.status == "RUNNING"


# ---- terminals


@pytest.mark.rows("ENG-14")
def test_a_terminal_has_the_clients_size_and_follows_it(ctr):
    script = "; ".join(f"until [ \"$(stty size 2>/dev/null)\" = '{size}' ]; do sleep 0.02; done; echo at {size}"
                       for size in ("33 77", "40 100"))
    terminal = ctr.tty(ctr.words("--rm", "-t", args=["sh", "-c", f"tty; {script}; exit 9"]))
    assert "/dev/pts/0" in terminal.expect("at 33 77")
    terminal.resize(40, 100)
    assert terminal.end()[0] == 9


def test_interrupt_typed_at_the_terminal_ends_the_program(ctr):
    terminal = ctr.tty(ctr.words("--rm", "-t", args=["sh", "-c", "trap 'exit 5' INT; echo ready; "
                                                     "while :; do sleep 0.02; done"]))
    terminal.expect("ready")
    terminal.send("\x03")
    assert terminal.end()[0] == 5


def test_exec_with_a_terminal(ctr):
    box = ctr.up()
    terminal = ctr.tty(["task", "exec", "-t", "--exec-id", "shell", box.id, "sh"])
    terminal.send("tty; echo $((6 * 7))s; exit 3\n")
    code, seen = terminal.end()
    assert code == 3 and "/dev/pts/" in seen and "42s" in seen


# ---- exec


@pytest.mark.rows("ENG-05")
def test_exec_joins_the_container_as_the_user_and_where_asked(ctr):
    box = ctr.up()
    told = box.exec("sh", "-c", "id -u; id -g; pwd; exit 11",
                    options=["--user", "1000:2000", "--cwd", "/tmp"], code=11)
    assert told.out.split() == ["1000", "2000", "/tmp"]
    told = box.exec("sh", "-c", "for each in 1 self; do readlink /proc/$each/ns/mnt; done; ps -o args")
    assert len(set(told.out.split()[:2])) == 1 and "sleep 1000" in told.out


@pytest.mark.rows("ENG-10", "ENG-17")
def test_an_exec_that_fails_leaves_the_container_alone(ctr):
    box = ctr.up()
    told = box.exec("absent", code=1)
    assert "executable file not found in $PATH" in told.err
    assert box.status == "RUNNING" and box.exec("echo", "still").out == "still\n"


def test_many_execs_at_once_keep_their_own_outputs(ctr):
    box = ctr.up()
    clients = [subprocess.Popen(ctr.daemon.command("task", "exec", "--exec-id", f"many{i}", box.id,
                                                   "sh", "-c", f"echo out{i}; exit {i}"),
                                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
               for i in range(8)]
    assert [(client.communicate()[0], client.returncode) for client in clients] == \
        [(f"out{i}\n", i) for i in range(8)]


# ---- signals, pause


@pytest.mark.rows("ENG-23")
def test_kill_delivers_the_signal_that_is_named(ctr):
    box = ctr.up(args=["sh", "-c", "trap 'exit 33' USR1; touch /tmp/ready; while :; do sleep 0.02; done"])
    host.until(lambda: box.exec("test", "-e", "/tmp/ready", code=None).code == 0, "the trap is set")
    box.kill("USR1")
    assert box.remove() == 33


@pytest.mark.rows("ENG-16")
def test_kill_of_an_ended_container_is_not_found(ctr):
    box = ctr.up(args=["true"])
    host.until(lambda: box.status == "STOPPED", "it has ended")
    told = ctr.daemon.ctr("task", "kill", "-s", "KILL", box.id, code=1)
    assert "process already finished: not found" in told.err, told


@pytest.mark.rows("ENG-05")
def test_pause_holds_all_processes_until_resume(ctr, containerd):
    box = ctr.up(args=["sh", "-c", "while :; do echo x >>/tmp/beat; sleep 0.01; done"])
    beats = lambda: os.path.getsize(f"/proc/{box.pid}/root/tmp/beat")    # noqa: E731
    host.until(lambda: os.path.exists(f"/proc/{box.pid}/root/tmp/beat"), "it beats")
    containerd.ctr("task", "pause", box.id)
    assert box.status == "PAUSED"
    assert box.exec("true", code=1).err != ""
    held = beats()
    assert json.loads(containerd.rt("state", box.id).out)["status"] == "paused" and beats() == held
    containerd.ctr("task", "resume", box.id)
    host.until(lambda: beats() > held, "it beats again")
    assert box.status == "RUNNING"


def test_a_paused_container_can_be_removed_by_force(ctr, containerd):
    box = ctr.up()
    containerd.ctr("task", "pause", box.id)
    containerd.ctr("task", "resume", box.id)
    assert box.remove("--force") == 137


def test_all_processes_of_the_container_are_listed(ctr, containerd):
    box = ctr.up(args=["sh", "-c", "sleep 1000 & sleep 1000 & wait"])
    host.until(lambda: len(containerd.ctr("task", "ps", box.id).out.splitlines()) == 4, "three processes")


# ---- limits, metrics


@pytest.mark.rows("ENG-25", "ENG-27")
def test_the_memory_limit_is_set_and_kills(ctr):
    box = ctr.up("--memory-limit", str(32 * limits.MIB))
    assert limits.limit_of(box) == str(32 * limits.MIB)
    ctr.run("--memory-limit", str(32 * limits.MIB), args=["tail", "/dev/zero"], code=137)


@pytest.mark.rows("ENG-27")
def test_the_cgroup_is_the_one_that_is_asked_for(ctr, containerd):
    box = ctr.up("--cgroup", f"/{containerd.tag}/of/ours")
    assert set(containerd.cgroups.of(box.pid).values()) >= {f"/{containerd.tag}/of/ours"}
    box.kill()
    assert box.remove() == 137
    for root in containerd.cgroups.roots:
        with contextlib.suppress(FileNotFoundError):
            os.rmdir(os.path.join(root, containerd.tag, "of"))


def test_cpus_are_a_quota_of_the_period(ctr):
    box = ctr.up("--cpus", "0.5", "--cpu-shares", "512")
    assert limits.bandwidth_of(box) == ("50000", "100000")
    assert limits.shares_of(box) in ("512", "20")


@pytest.mark.rows("ENG-27")
def test_metrics_are_of_the_containers_cgroup(ctr):
    box = ctr.up("--memory-limit", str(48 * limits.MIB), args=["sh", "-c", "sleep 1000 & wait"])
    host.until(lambda: box.metrics()["pids"]["current"] == 2, "two processes are counted")
    numbers = box.metrics()
    assert numbers["memory"]["usage"]["limit"] == 48 * limits.MIB
    assert 0 < numbers["memory"]["usage"]["usage"] < 48 * limits.MIB
    assert numbers["cpu"]["usage"]["total"] > 0


# ---- what the container may


def test_seccomp_is_what_stops_it(ctr):
    script = "unshare -U true; grep Seccomp: /proc/self/status"
    free = ctr.run(args=["sh", "-c", script])
    held = ctr.run("--seccomp", args=["sh", "-c", script])
    assert "Seccomp:\t0" in free.out and "not permitted" not in free.err
    assert "Seccomp:\t2" in held.out and "Operation not permitted" in held.err


def test_a_seccomp_profile_of_ones_own(ctr, work):
    profile = f"{work}/profile.json"
    with open(profile, "w", encoding="utf-8") as file:
        json.dump({"defaultAction": "SCMP_ACT_ALLOW",
                   "syscalls": [{"names": ["mkdir", "mkdirat"], "action": "SCMP_ACT_ERRNO"}]}, file)
    options = ("--seccomp", "--seccomp-profile", profile)
    told = ctr.run(*options, args=["sh", "-c", "touch /tmp/a && mkdir /tmp/b"], code=1)
    assert "can't create directory '/tmp/b': Operation not permitted" in told.err


def test_capabilities_are_added_and_dropped(ctr):
    net_admin, mknod = 1 << 12, 1 << 27
    plain = ctr.run(args=STATUS)
    other = ctr.run("--cap-add", "CAP_NET_ADMIN", "--cap-drop", "CAP_MKNOD", args=STATUS)
    before, after = (int(status(told)["CapEff"], 16) for told in (plain, other))
    assert before & (net_admin | mknod) == mknod and after == (before | net_admin) & ~mknod


def test_new_privileges_are_refused_unless_allowed(ctr):
    assert status(ctr.run(args=STATUS))["NoNewPrivs"] == "1"
    assert status(ctr.run("--allow-new-privs", args=STATUS))["NoNewPrivs"] == "0"


def test_privileged_has_the_daemons_capabilities_and_devices(ctr):
    script = "cat /proc/self/status; mount -t tmpfs none /tmp && echo mounted; echo 1 >/proc/sys/net/ipv4/ip_forward"
    told = ctr.run("--privileged", args=["sh", "-c", script])
    assert "mounted" in told.out
    with open("/proc/self/status", encoding="ascii") as file:
        ours = next(line.split()[1] for line in file if line.startswith("CapEff"))
    assert status(told)["CapEff"] == ours


def test_the_user_of_the_image(ctr):
    told = ctr.run(args=["id"], image=WORKER)
    assert told.out == "uid=1000(worker) gid=1000(worker) groups=1000(worker),2000(extra)\n"


# ---- what the container sees


def test_a_read_only_root_and_a_bind_mount(ctr, work):
    with open(f"{work}/greeting", "w", encoding="ascii") as file:
        file.write("hello\n")
    told = ctr.run("--read-only", "--mount", f"type=bind,src={work},dst=/data,options=rbind:ro",
                   args=["sh", "-c", "cat /data/greeting; touch /tmp/a; touch /data/b"], code=1)
    assert told.out == "hello\n"
    assert told.err.count("Read-only file system") == 2


def test_environment_and_directory(ctr):
    told = ctr.run("--env", "COLOUR=green", "--cwd", "/home", args=["sh", "-c", "echo $COLOUR; pwd"])
    assert told.out == "green\n/home\n"


def test_a_device_is_there_and_allowed(ctr):
    told = ctr.run("--device", "/dev/full", args=["sh", "-c", "echo x >/dev/full"], code=1)
    assert "No space left on device" in told.err


def test_the_network_is_the_containers_own_the_daemons_or_the_named(ctr, containerd):
    def links(*options):
        return ctr.run(*options, args=["readlink", "/proc/self/ns/net"]).out.strip()
    daemons = os.readlink(f"/proc/{containerd.first}/ns/net")
    assert links() != daemons
    assert links("--net-host") == daemons
    box = ctr.up()
    inner = json.loads(containerd.rt("state", box.id).out)["pid"]
    assert links("--with-ns", f"network:/proc/{inner}/ns/net") == os.readlink(f"/proc/{box.pid}/ns/net")


def test_a_document_of_ones_own_with_a_user_namespace(ctr, containerd, work):
    """--config: the very config.json. (With --uidmap ctr forgets --runc-binary.)"""
    box = ctr.up()
    made = json.loads(containerd.ctr("container", "info", box.id).out)["Spec"]
    made["process"]["args"] = ["cat", "/proc/self/uid_map"]
    made["linux"]["namespaces"].append({"type": "user"})
    for kind in ("uidMappings", "gidMappings"):
        made["linux"][kind] = [{"containerID": 0, "hostID": 100000, "size": 65536}]
    made["linux"]["cgroupsPath"] = f"/{containerd.tag}/document"
    made["root"]["path"] = rootfs = f"{work}/rootfs"
    for name in ("bin", "proc", "sys", "dev", "run"):
        os.makedirs(f"{rootfs}/{name}")
    shutil.copy(f"/proc/{box.pid}/root/bin/busybox", f"{rootfs}/bin/cat")
    with open(f"{work}/config.json", "w", encoding="utf-8") as file:
        json.dump(made, file)
    ctr.made.append("document")
    told = containerd.ctr("run", "--rm", "--runc-binary", containerd.runtime, "--config",
                          f"{work}/config.json", "document")
    assert told.out.split() == ["0", "100000", "65536"]


# ---- trouble


@pytest.mark.rows("ENG-05")
def test_a_daemon_that_starts_again_finds_its_containers(ctr, containerd):
    box = ctr.up()
    before = box.pid
    containerd.restart()
    assert box.status == "RUNNING" and box.pid == before
    assert box.exec("echo", "again").out == "again\n"


@pytest.mark.rows("ENG-24")
def test_a_killed_shim_takes_the_container_with_it(ctr, containerd):
    box = ctr.up()
    pid = box.pid
    shim, = containerd.pids("containerd-shim-runc-v2")
    os.kill(shim, signal.SIGKILL)
    host.wait_dead(pid)
    host.until(lambda: box.status in (None, "STOPPED", "UNKNOWN"), "the daemon noticed")
    containerd.ctr("task", "rm", "--force", box.id, code=None)
    containerd.ctr("container", "rm", box.id)
    containerd.nothing_left()


def test_ten_containers_at_once(ctr):
    clients = [subprocess.Popen(ctr.daemon.command(*ctr.words("--rm", args=["sh", "-c", f"exit {i}"])),
                                stdin=subprocess.DEVNULL) for i in range(10)]
    assert [client.wait(60) for client in clients] == list(range(10))
