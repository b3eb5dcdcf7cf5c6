# SPDX-License-Identifier: Apache-2.0
"""sd_notify: the container says READY=1 at a socket of its own, and rt tells the service manager at
NOTIFY_SOCKET, which is a socket of the test here."""

import os
import select
import signal
import socket
import subprocess
import tempfile

import pytest

import host
import who
from bundle import label

INSIDE = "/run/notify/notify.sock"


class Manager:
    """What a service manager is to those whom it has started: a datagram socket."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.socket.bind(address)
        self.address = address.replace("\0", "@")
        self.env = {**os.environ, "NOTIFY_SOCKET": self.address}

    def has_heard(self, timeout=0):
        return bool(select.select([self.socket], [], [], timeout)[0])

    def hear(self, timeout=host.PATIENCE):
        """The next message, and the descriptors that came with it."""
        assert self.has_heard(timeout), "nobody tells the service manager anything"
        message, fds, _, _ = socket.recv_fds(self.socket, 4096, 8)
        return message.decode(), fds

    def hear_main(self, pid):
        """READY=1 and MAINPID in one message, and the barrier behind it, which is opened."""
        message, fds = self.hear()
        assert message.splitlines() == ["READY=1", f"MAINPID={pid}"] and not fds
        message, fds = self.hear()
        assert message == "BARRIER=1" and len(fds) == 1
        os.close(fds[0])


@pytest.fixture
def manager(work):
    found = Manager(os.path.join(work, "manager"))
    if who.ROOTLESS:
        os.chmod(found.address, 0o777)
    yield found
    found.socket.close()


class Call:
    """rt in the background: `with Call (box, env, "start", box.id) as call`."""

    def __init__(self, box, env, *args):
        # Files, as what the container keeps open must not keep us.
        self.error = tempfile.TemporaryFile("w+", dir=box.rt.work)
        self.process = subprocess.Popen([box.rt.path, "--root", box.rt.root, *args], env=env,
                                        stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=self.error)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.error.close()

    def is_there(self):
        return self.process.poll() is None

    def end(self):
        """Its exit code and what it said."""
        code = self.process.wait(host.PATIENCE)
        self.error.seek(0)
        return code, self.error.read()


def fifo(box, name="/go"):
    path = box.fifo(name)
    if who.ROOTLESS:
        os.chmod(path, 0o666)
    return path


@pytest.mark.rows("CLI-38", "FDS-01", "FDS-02", "FDS-03", "FDS-04", "FDS-09")
@pytest.mark.parametrize("user", [0, pytest.param(1000, marks=pytest.mark.needs("ids"))])
@pytest.mark.own
def test_run_in_front(new_box, manager, user):
    box = new_box("report", "notify READY=1", "stat " + INSIDE, "create /run/notify/x",
                  "ls /run/notify")
    box.process["user"] = {"uid": user, "gid": user}
    told = box.run(env=manager.env)
    assert told.report["env"].count("NOTIFY_SOCKET=" + INSIDE) == 1
    assert manager.address not in told.out
    assert told.line("notify")["ret"] == len("READY=1")
    assert told.line("stat")["mode"] & 0o777 == 0o777
    assert told.errno("create") == "EROFS" or user
    assert manager.hear() == ("READY=1", [])
    assert not manager.has_heard()


@pytest.mark.rows("FDS-04")
@pytest.mark.own
def test_only_ready_goes_through(new_box, manager):
    """Nor does a container choose the host's main process, or leave descriptors with it."""
    box = new_box("notify MAINPID=1", ["notify", "STATUS=up", "X_READY=1", "READY=11"],
                  ["notify", "STATUS=b", "READY=1", "MAINPID=1"], "barrier",
                  ["notify", "READY=1\n" + "x" * 5000])
    told = box.run(env=manager.env)
    assert told.line("barrier")["ret"] == 1     # the pipe was closed
    assert manager.hear() == ("READY=1", [])
    assert not manager.has_heard()


@pytest.mark.rows("FDS-04")
@pytest.mark.own
def test_ready_while_it_runs(new_box, manager):
    """As of a service that reloads; and the barrier is over when what came before has gone on."""
    box = new_box("notify READY=1", "barrier", "await /go", "notify READY=1", "barrier", "await /go")
    path = fifo(box)
    box.save()
    with Call(box, manager.env, "run", "-b", box.dir, box.id) as call:
        for _ in range(2):
            assert manager.hear() == ("READY=1", [])
            assert call.is_there()
            host.let_go(path)
        assert call.end()[0] == 0


@pytest.mark.rows("FDS-05", "FDS-06", "FDS-08", "VRB-05")
@pytest.mark.parametrize("verb", ["run -d", "start"], ids=label)
def test_detached(new_box, manager, verb):
    """rt leaves when the service manager knows which process it is about from now on."""
    box = new_box("await /go", "notify READY=1", "pause")
    path = fifo(box)
    box.save()
    if verb == "start":
        box.create(env=manager.env)
        args = ("start", box.id)
    else:
        args = ("run", "-d", "-b", box.dir, box.id)
    with Call(box, manager.env, *args) as call:
        host.until(lambda: box.rt.call("state", box.id).code == 0 and box.status() == "running",
                   "running")
        box.exists, box.pid = True, box.state()["pid"]
        assert call.is_there() and not manager.has_heard()
        host.let_go(path)
        message, _ = manager.hear()
        assert message.splitlines()[0] == "READY=1"
        if "MAINPID" not in message:    # runc says it in two
            message, _ = manager.hear()
        assert f"MAINPID={box.pid}" in message.splitlines()
        message, fds = manager.hear()
        assert message == "BARRIER=1" and len(fds) == 1
        assert call.is_there()
        os.close(fds[0])
        assert call.end()[0] == 0
    assert box.status() == "running"


@pytest.mark.rows("FDS-08")
@pytest.mark.parametrize("verb", ["run -d", "start"], ids=label)
@pytest.mark.own
def test_ready_and_gone(new_box, manager, verb):
    """What was said before the end counts, however fast the end was."""
    box = new_box("notify READY=1")
    if verb == "start":
        box.create(env=manager.env)
        args = ("start", box.id)
    else:
        box.save()
        args = ("run", "-d", "-b", box.dir, box.id)
    with Call(box, manager.env, *args) as call:
        message, _ = manager.hear()
        assert message.startswith("READY=1\nMAINPID=")
        os.close(manager.hear()[1][0])
        assert call.end()[0] == 0
    box.exists, box.pid = True, int(message.partition("=1\nMAINPID=")[2])
    box.wait()


@pytest.mark.rows("FDS-08", "VRB-05")
@pytest.mark.own
def test_end_without_ready(new_box, manager):
    box = new_box("await /go")
    path = fifo(box)
    box.create(env=manager.env)
    with Call(box, manager.env, "start", box.id) as call:
        host.until(lambda: box.status() == "running", "running")
        assert call.is_there()
        host.let_go(path)    # init becomes a zombie that nobody reaps for now
        code, err = call.end()
    assert code == 0 and "READY=1" in err
    assert not manager.has_heard()
    assert box.status() == "stopped"


@pytest.mark.rows("FDS-08")
@pytest.mark.own
def test_wait_is_in_nobodys_way(new_box, manager):
    """While `start` waits for READY=1, others do with the container what they want."""
    box = new_box("pause")
    box.create(env=manager.env)
    with Call(box, manager.env, "start", box.id) as call:
        host.until(lambda: box.status() == "running", "running")
        assert box.exec().report["pid"] > 1
        assert not any(entry.startswith("NOTIFY_SOCKET=") for entry in box.exec().report["env"])
        assert call.is_there()
        box.delete("-f")
        code, err = call.end()
    assert code == 0 and "READY=1" in err
    box.wait()


@pytest.mark.rows("FDS-08")
def test_create_waits_for_nobody(new_box, manager):
    box = new_box("notify READY=1", "pause")
    box.create(env=manager.env)
    assert not manager.has_heard()
    assert box.status() == "created"


@pytest.mark.rows("CLI-38", "FDS-01")
@pytest.mark.own
def test_start_without_the_manager(new_box, manager):
    """Nobody listens, and nobody waits: not rt, and not who says it."""
    box = new_box("await /go", "notify READY=1", "echo up", "pause")
    path = fifo(box)
    box.create(env=manager.env)
    box.start()
    host.let_go(path)
    assert box.lines_until("up").errno("notify") == "ECONNREFUSED"
    assert not manager.has_heard()


@pytest.mark.rows("CLI-38", "VRB-05")
@pytest.mark.own
def test_start_alone_with_the_manager(new_box, manager, fails):
    box = new_box("pause")
    box.create()
    told = box.rt.call("start", box.id, env=manager.env)
    fails(told, "NOTIFY_SOCKET", "created")
    assert box.status() == "created"
    box.start()


@pytest.mark.rows("FDS-08", "VRB-05")
@pytest.mark.parametrize("address", ["{work}/none", "@rt-nobody", "relative", "vsock:2:1234"],
                         ids=label)
@pytest.mark.own
def test_manager_that_is_not_there(new_box, work, address):
    """It is told of, and the container lives all the same; nobody is waited for."""
    address = address.format(work=work)
    box = new_box("pause")
    box.create("-d", verb="run", env={**os.environ, "NOTIFY_SOCKET": address})
    assert box.status() == "running"
    box.kill("KILL")
    box.wait()
    box.delete()
    told = box.ops("report").run(env={**os.environ, "NOTIFY_SOCKET": address})
    assert "NOTIFY_SOCKET=" + INSIDE in told.report["env"]
    assert address in told.err and "warning" in told.err


@pytest.mark.rows("FDS-04")
@pytest.mark.own
def test_abstract_address(new_box):
    manager = Manager(f"\0rt-test-{os.getpid()}")
    new_box("notify READY=1").run(env=manager.env)
    assert manager.hear() == ("READY=1", [])


@pytest.mark.rows("FDS-09")
@pytest.mark.own
def test_socket_of_the_document(new_box, manager):
    """Whoever brings one of his own (podman does) is let be; nobody waits for what goes there."""
    box = new_box("report", "pause")
    box.process["env"].append("NOTIFY_SOCKET=/x")
    assert "NOTIFY_SOCKET=/x" in box.up(env=manager.env).report["env"]
    box.kill("KILL")
    box.wait()
    box.delete()
    box.create("-d", verb="run", env=manager.env)
    assert not manager.has_heard()


@pytest.mark.rows("FDS-07")
@pytest.mark.parametrize("user", [0, pytest.param(1000, marks=pytest.mark.needs("ids"))])
def test_user_namespace(new_box, manager, user):
    box = new_box("notify READY=1", "barrier")
    box.process["user"] = {"uid": user, "gid": user}
    box.userns()
    box.run(env=manager.env)
    assert manager.hear() == ("READY=1", [])


@pytest.mark.rows("FDS-02")
@pytest.mark.own
def test_nothing_is_left_on_the_host(new_box, manager, rt):
    box = new_box("notify READY=1", "pause")
    box.create(env=manager.env)
    assert "notify" not in str(os.listdir(os.path.join(rt.root, box.id)))
    with open(f"/proc/{box.pid}/mountinfo", encoding="utf-8") as file:
        mounts = [line.split() for line in file if " /run/notify " in line]
    assert len(mounts) == 1 and {"ro", "nosuid", "nodev", "noexec"} <= set(mounts[0][5].split(","))
    assert mounts[0][mounts[0].index("-") + 1] == "tmpfs"


@pytest.mark.rows("FDS-02")
@pytest.mark.parametrize("how", ["readonly", "/run"], ids=label)
def test_where_the_root_is_readonly(new_box, manager, how):
    box = new_box("notify READY=1")
    if how == "readonly":
        box.config["root"]["readonly"] = True
    else:
        box.mount("/run")
    box.run(env=manager.env)
    assert manager.hear()[0].strip() == "READY=1"


@pytest.mark.rows("FDS-01")
@pytest.mark.own
def test_no_mount_namespace(new_box, manager, fails):
    box = new_box("report")
    box.namespace("mount", absent=True)
    for key in ("maskedPaths", "readonlyPaths"):
        del box.linux[key]
    box.config["mounts"] = []
    fails(box.run(code=None, env=manager.env), "NOTIFY_SOCKET", "mount namespace")


@pytest.mark.rows("FDS-15")
@pytest.mark.own
def test_descriptors(new_box, manager):
    """Neither end of any socket is the container's, or a hook's."""
    box = new_box("report", "notify READY=1")
    path = box.beside("told", "")
    for kind in ("createRuntime", "createContainer", "startContainer", "poststart"):
        box.hook(kind, "hook " + path, **({"path": "/bin/probe"} if kind == "startContainer" else {}))
    box.bind(path, path)
    told = box.run(env=manager.env)
    assert set(told.report["fds"]) == {"0", "1", "2"}
    reports = box.hook_reports(path)
    assert [set(report["fds"]) <= {"0", "1", "2"} for report, _ in reports] == [True] * 4


@pytest.mark.rows("FDS-08", "VRB-05")
@pytest.mark.parametrize("verb", ["run -d", "start"], ids=label)
@pytest.mark.own
def test_never_ready(new_box, manager, fails, verb):
    """Nobody waits for ever, not even while it talks; and who is given up does not run on."""
    box = new_box(*["notify X=1"] * 20, "pause")
    limit = ["--timeout=700ms"]
    if verb == "start":
        box.create(env=manager.env)
        fails(box.rt.call("start", box.id, globals=limit, env=manager.env), "READY=1", "0.7 s")
        assert box.status() == "stopped"
    else:
        box.save()
        fails(box.rt.call("run", "-d", "-b", box.dir, box.id, globals=limit, env=manager.env),
              "READY=1", "0.7 s")
        assert box.rt.call("state", box.id).code != 0
    assert not manager.has_heard()


@pytest.mark.rows("FDS-06")
@pytest.mark.own
def test_barrier_that_nobody_opens(new_box, manager):
    box = new_box("notify READY=1", "pause")
    # It has so long for READY=1, too, which it says at once.
    box.create("-d", verb="run", env=manager.env, globals=["--timeout=3s"])
    assert box.status() == "running"
    assert manager.hear()[0].startswith("READY=1")


@pytest.mark.rows("FDS-08")
@pytest.mark.own
def test_killed_start(new_box, manager):
    """A unit that took too long to start: rt is told to end, and the container is where it was."""
    box = new_box("pause")
    box.create(env=manager.env)
    with Call(box, manager.env, "start", box.id) as call:
        host.until(lambda: host.comm(box.pid) == "probe", "executed")
        call.process.send_signal(signal.SIGTERM)
        assert call.end()[0] == -signal.SIGTERM
    assert box.status() == "running"


@pytest.mark.rows("FDS-08")
@pytest.mark.own
def test_manager_that_does_not_listen(new_box, manager):
    """Its queue is full: what waits is bounded, and the container's end is still seen."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as other:
        other.connect(manager.address)
        other.setblocking(False)
        with pytest.raises(BlockingIOError):
            while True:
                other.send(b"X=1")
    box = new_box("notify READY=1")
    told = box.run(env=manager.env, globals=["--timeout=500ms"])
    assert "READY=1" in told.err and "warning" in told.err
