# SPDX-License-Identifier: Apache-2.0
"""checkpoint and restore as Podman, conmon, containerd and Docker ask for them, with a real CRIU
(RT_TEST_CRIU, which tests/tools/criu.sh makes).

The containers count signals in a shell's variable: who says "count 2" next is the one that said
"count 1" before."""

import json
import os
import re
import signal
import subprocess

import pytest

import docker_host
import host
from conmon import lines
from podman import read, write
from test_ctr import Running, ctr  # noqa: F401

pytestmark = [pytest.mark.needs("criu", "root: CRIU"), pytest.mark.own]

SCRIPT = ("trap 'n=$((n+1)); echo count $n | tee -a /counted' USR1; echo up; sleep 1000000 & "
          "while :; do wait $!; done")
COUNTER = ("sh", "-c", SCRIPT)
STRANGER = "does not descend from its init"     # what rt says of a process that exec has made


# ---- conmon; before the engines, whose keepers of namespaces a test of bare containers would take for
# something left behind


RECORDER = """#!/bin/sh
echo "$*" >>{record}
exec {runtime} "$@"
"""


@pytest.fixture
def recorded(conmon):
    """conmon with a runtime that writes down how it is called, and a container that counts."""
    conmon.record = conmon.work + "/calls"
    conmon.rt.path, real = write(conmon.work + "/recorder", "", 0o755), conmon.rt.path
    write(conmon.rt.path, RECORDER.format(record=conmon.record, runtime=real), 0o755)
    conmon.images = conmon.work + "/images"
    conmon.box.ops(f"count {signal.SIGUSR1.value}")
    return conmon


def counted(conmon, number):
    assert conmon.rt.call("kill", conmon.box.id, "USR1").code == 0
    host.until(lambda: lines(conmon, "stdout").endswith(f"count {number}\n"), f"count {number}")


def written(conmon):
    """A checkpoint, at whose end the first monitor ends too."""
    assert conmon.create()["data"] > 0
    assert conmon.rt.call("start", conmon.box.id).code == 0
    host.until(lambda: os.path.exists(conmon.log) and lines(conmon, "stdout") == "up\n", "up")
    counted(conmon, 1)
    told = conmon.rt.call("checkpoint", "--image-path", conmon.images, "--work-path", conmon.box.dir, conmon.box.id)
    assert told.code == 0, told
    assert conmon.exit_code() == 137
    conmon.box.exists = False
    os.unlink(f"{conmon.exits}/{conmon.box.id}")
    os.unlink(conmon.record)


@pytest.mark.rows("ENG-03", "CKP-30", "CKP-27")
def test_conmon_restore(recorded):
    """The whole line, in conmon's order; pid file, log and exit code as of one that was created."""
    written(recorded)
    pid = recorded.create("--restore", recorded.images, "--runtime-opt", "--file-locks", "--runtime-opt",
                          "--tcp-established")["data"]
    box = recorded.box
    assert read(recorded.record) == (
        f"--root {recorded.rt.root} restore --bundle {box.dir} --pid-file {recorded.pid_file} --detach "
        f"--image-path {recorded.images} --work-path {box.dir} --file-locks --tcp-established {box.id}")
    assert read(recorded.pid_file) == str(pid)
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        assert int(re.search(r"PPid:\t(\d+)", file.read())[1]) == int(read(recorded.work + "/conmon.pid"))
    assert {"restore.log", "stats-restore"} <= set(os.listdir(box.dir))
    counted(recorded, 2)
    assert lines(recorded, "stdout") == "up\ncount 1\ncount 2\n"
    assert recorded.rt.call("kill", box.id, "KILL").code == 0
    assert recorded.exit_code() == 137


@pytest.mark.rows("ENG-03", "ENG-07", "CKP-22", "CKP-37")
def test_conmon_restore_fails(recorded):
    """The reason comes by the sync pipe with -1; there is no pid file and no container."""
    written(recorded)
    os.unlink(recorded.pid_file)
    os.truncate(f"{recorded.images}/mm-1.img", 10)
    told = recorded.create("--restore", recorded.images)
    assert told["data"] == -1 and "criu could not restore the container" in told["message"], told
    assert not os.path.exists(recorded.pid_file)
    assert "does not exist" in recorded.rt.call("state", recorded.box.id).err


# ---- Podman


def begin(podman, *options, name="one", **more):
    podman.up(*options, "box", *COUNTER, name=name, **more)
    podman.until_logged("up", name)


def count(podman, number, name="one"):
    podman.call("kill", "--signal", "USR1", name)
    podman.until_logged(f"count {number}\n", name)


def checkpoint(podman, *options, name="one", **more):
    return podman.call("container", "checkpoint", *options, name, **more)


def restore(podman, *options, name="one", **more):
    """By its name, or (--import, an image) whatever it is called then."""
    told = podman.call("container", "restore", *options, **more)
    if told.code == 0:
        podman.ids.append(podman.inspect(name)["Id"])
    return told


def archive(podman):
    return f"{podman.place.dir}/checkpoint{len(podman.ids)}.tar.zst"


@pytest.mark.rows("CKP-01", "CKP-02", "CKP-03", "CKP-29")
def test_podman(podman):
    """In place: the log goes on, exec works, the exit code comes, the files are where Podman keeps them."""
    begin(podman)
    count(podman, 1)
    directory = podman.place.inside(podman.inspect()["StaticDir"])
    told = json.loads(checkpoint(podman, "--keep", "--print-stats").out)
    assert told["container_statistics"][0]["criu_statistics"]["pages_written"] > 0
    state = podman.state()
    assert (state["Status"], state["Checkpointed"]) == ("exited", True)
    assert {"dump.log", "stats-dump"} <= set(os.listdir(directory))
    assert {"descriptors.json", "pstree.img"} <= set(os.listdir(directory + "/checkpoint"))

    told = json.loads(restore(podman, "--keep", "--print-stats", "one").out)
    assert told["container_statistics"][0]["criu_statistics"]["pages_restored"] > 0
    assert {"restore.log", "stats-restore"} <= set(os.listdir(directory))
    count(podman, 2)
    assert podman.logs() == "up\ncount 1\ncount 2\n"
    assert podman.out("exec", "one", "cat", "/counted") == "count 1\ncount 2"
    with podman.terminal("exec", "--tty", "one", "tty") as terminal:
        terminal.expect("/dev/pts/")
    podman.call("kill", "one")
    assert podman.out("wait", "one") == "137"


@pytest.mark.rows("CKP-01", "CKP-29")
def test_podman_again_and_again(podman):
    begin(podman)
    for number in range(1, 4):
        count(podman, number)
        checkpoint(podman)
        restore(podman, "one")
    count(podman, 4)
    podman.call("stop", "--time", "0", "one")
    podman.call("start", "one")     # anew
    host.until(lambda: podman.logs().count("up\n") == 2, "up again")
    podman.call("kill", "--signal", "USR1", "one")
    host.until(lambda: podman.logs().count("count 1\n") == 2, "it counts from the beginning")


@pytest.mark.rows("CKP-04", "CKP-29")
def test_podman_a_second_copy(podman):
    """The first one has run on meanwhile, and runs beside it."""
    begin(podman)
    count(podman, 1)
    checkpoint(podman, "--leave-running", "--export", archive(podman))
    assert podman.running()
    count(podman, 2)
    restore(podman, "--import", archive(podman), "--name", "two", name="two")
    count(podman, 2, "two")
    count(podman, 3)
    assert podman.logs("two") == "up\ncount 1\ncount 2\n"       # the log is in the archive
    assert podman.kernel_namespace("pid") != podman.kernel_namespace("pid", "two")


@pytest.mark.rows("CKP-25", "CKP-34", "CKP-29")
def test_podman_from_an_archive(podman):
    """The container and its volume are gone when it is restored: all it had is in the archive."""
    begin(podman, "--volume", "kept:/data", "--tmpfs", "/scratch", "--memory", "64m", "--pids-limit", "50",
          "--hostname", "counter")
    podman.call("exec", "one", "sh", "-c", "echo root >/file; echo volume >/data/file; echo tmpfs >/scratch/file")
    count(podman, 1)
    checkpoint(podman, "--export", archive(podman))
    path = archive(podman)
    podman.call("rm", "one")
    podman.call("volume", "rm", "kept")
    restore(podman, "--import", path)
    count(podman, 2)
    assert podman.out("exec", "one", "cat", "/file", "/data/file", "/scratch/file").split() == ["root", "volume", "tmpfs"]
    assert podman.out("exec", "one", "hostname") == "counter"
    cgroups, pid = host.Cgroups(), podman.pid()
    assert podman.ids[-1] in cgroups.path(pid, "memory")
    assert cgroups.read(pid, "memory", "memory.limit_in_bytes", "memory.max") == str(64 << 20)
    assert cgroups.read(pid, "pids", "pids.max", "pids.max") == "50"


@pytest.mark.rows("CKP-29")
def test_podman_from_an_image(podman):
    begin(podman)
    count(podman, 1)
    checkpoint(podman, "--create-image", "counted")
    podman.call("rm", "one")
    restore(podman, "counted")
    count(podman, 2)
    podman.call("rm", "--force", "--time", "0", "one")
    podman.call("rmi", "counted")


@pytest.mark.rows("CKP-20")
def test_podman_remove_at_the_end(podman):
    """What --rm said holds for the restored one, too."""
    begin(podman, "--rm")
    checkpoint(podman, "--export", archive(podman))
    path = archive(podman)
    host.until(lambda: podman.call("container", "exists", "one", code=None).code == 1, "it is removed", 20)
    restore(podman, "--import", path)
    count(podman, 1)
    podman.call("kill", "one")
    host.until(lambda: podman.call("container", "exists", "one", code=None).code == 1, "it is removed", 20)


@pytest.mark.rows("CKP-30")
def test_podman_terminal(podman):
    podman.up("--interactive", "--tty", "box", "sh")
    with podman.terminal("attach", "one") as terminal:
        terminal.send("number=5; echo is=$number\n")
        terminal.expect("is=5")
    checkpoint(podman)
    restore(podman, "one")
    with podman.terminal("attach", "one", rows=33, columns=44) as terminal:
        # Attach tells the size when it likes.
        terminal.send("until [ \"$(stty size)\" = '33 44' ]; do sleep 0.01; done; echo still=$number\n")
        terminal.expect("still=5")
        terminal.send("exit 3\n")
        terminal.wait()     # Podman's attach itself ends with the code of the first end, 0
    assert podman.out("wait", "one") == "3"


@pytest.mark.rows("CKP-23")
def test_podman_bridge(podman):
    """The address and the hardware's address stay; Podman makes the network namespace."""
    begin(podman, network="bridge")
    before = podman.inspect()["NetworkSettings"]["Networks"]
    checkpoint(podman)
    restore(podman, "one")
    networks = podman.inspect()["NetworkSettings"]["Networks"]
    assert networks == before
    count(podman, 1)
    shown = podman.out("exec", "one", "ip", "addr", "show", "eth0")
    assert networks["podman"]["IPAddress"] in shown and networks["podman"]["MacAddress"] in shown


@pytest.mark.rows("CKP-05", "CKP-14")
def test_podman_open_connection(podman):
    """The other side, which is not in the container, does not notice."""
    podman.up("box", "nc", "-ll", "-p", "7000", "-e", "cat", network="bridge")
    address = podman.inspect()["NetworkSettings"]["IPAddress"]
    host.until(lambda: ":1B58 " in podman.out("exec", "one", "cat", "/proc/net/tcp", "/proc/net/tcp6"), "it listens")
    with subprocess.Popen([*podman.place.enter(), "busybox", "nc", address, "7000"], stdin=subprocess.PIPE,
                          stdout=subprocess.PIPE, text=True) as client:
        try:
            def echoed(word):
                client.stdin.write(word + "\n")
                client.stdin.flush()
                return client.stdout.readline() == word + "\n"
            assert echoed("before")
            told = checkpoint(podman, code=125)
            assert "criu could not dump the container" in told.err and "--tcp-established" in told.err
            assert echoed("between") and podman.running()
            checkpoint(podman, "--tcp-established")
            restore(podman, "--tcp-established", "one")
            assert echoed("after")
        finally:
            client.kill()


@pytest.mark.rows("CKP-24", "CKP-23", "CKP-33")
@pytest.mark.parametrize("again", [False, True])
def test_podman_pod(podman, again):
    """Back in its pod, or in another: with that one's network, ipc and host name."""
    pod = other = podman.out("pod", "create", "--name", "first", "--network", "none")
    podman.ids.append(podman.out("run", "--detach", "--pod", pod, "--name", "one", "box", *COUNTER))
    podman.until_logged("up")
    count(podman, 1)
    if again:
        checkpoint(podman)
        restore(podman, "one")
    else:
        checkpoint(podman, "--export", archive(podman))
        path = archive(podman)
        other = podman.out("pod", "create", "--name", "second", "--network", "none")
        podman.call("rm", "one")
        restore(podman, "--import", path, "--pod", other)
    count(podman, 2)
    infra = podman.out("pod", "inspect", "--format", "{{.InfraContainerID}}", other)
    podman.ids.append(infra)
    for kind in ("net", "ipc", "uts"):
        assert podman.kernel_namespace(kind) == podman.kernel_namespace(kind, infra)


@pytest.mark.rows("CKP-22")
def test_podman_why_there_is_no_checkpoint(podman):
    """rt's own words; and the container runs on."""
    begin(podman)
    podman.call("exec", "--detach", "one", "sleep", "100000")
    assert STRANGER in checkpoint(podman, code=125).err
    count(podman, 1)
    assert podman.running()


@pytest.mark.rows("CKP-22", "CKP-37")
def test_podman_why_there_is_no_restore(podman):
    begin(podman)
    checkpoint(podman)
    directory = podman.place.inside(podman.inspect()["StaticDir"]) + "/checkpoint"
    os.truncate(f"{directory}/mm-1.img", 10)
    told = restore(podman, "one", code=125)
    assert "criu could not restore the container" in told.err and "mm-1.img" in told.err


# ---- containerd


@pytest.fixture
def images(ctr):  # noqa: F811
    """Checkpoints are images. A second one with parts of a first would lack them (containerd 1.6 leaves
    out what its store has), so each test begins and ends without."""
    def names():
        return ctr.daemon.ctr("images", "ls", "-q").out.split()
    before = names()
    yield names
    for name in set(names()) - set(before):
        ctr.daemon.ctr("images", "rm", "--sync", name)


def up(client, *options):
    box = client.up(*options, args=COUNTER)
    host.until(lambda: "sleep" in box.exec("ps").out, "its trap is set")
    return box


def said(box):
    return box.exec("cat", "/counted", code=None).out


def counts(box, number):
    box.daemon.ctr("task", "kill", "-s", "USR1", box.id)
    host.until(lambda: said(box).endswith(f"count {number}\n"), f"count {number}")


def restored(client, image, *options):
    client.made.append(f"back{len(client.made)}-{os.getpid()}")
    client.daemon.ctr("containers", "restore", "--live", *options, client.made[-1], image)
    return Running(client.daemon, client.made[-1])


@pytest.mark.rows("CKP-01", "CKP-04", "CKP-29", "CKP-31", "CKP-10", "ENG-04", "ENG-05")
@pytest.mark.usefixtures("images")
def test_ctr(ctr):  # noqa: F811
    """As an image, with what it has written; it runs on. Then another container of that image, which the
    shim restores with --no-subreaper."""
    box = up(ctr)
    counts(box, 1)
    ctr.daemon.ctr("containers", "checkpoint", "--task", "--rw", "--image", box.id, "saved")
    assert box.status == "RUNNING"
    counts(box, 2)
    box.kill()
    assert box.remove() == 137
    back = restored(ctr, "saved", "--rw")
    assert back.status == "RUNNING"
    counts(back, 2)
    assert said(back) == "count 1\ncount 2\n"
    back.kill()
    assert back.remove() == 137


@pytest.mark.rows("CKP-02", "CKP-03", "CKP-04", "CKP-20")
def test_ctr_task_checkpoint(ctr, images):  # noqa: F811
    box = up(ctr)
    task = ("task", "checkpoint", "--image-path", "/run/images", "--work-path", "/run/work")
    ctr.daemon.ctr(*task, box.id)
    assert {"pstree.img", "descriptors.json"} <= set(os.listdir(ctr.daemon.path("/run/images")))
    assert "dump.log" in os.listdir(ctr.daemon.path("/run/work"))
    assert box.status == "RUNNING"
    counts(box, 1)
    told = ctr.daemon.ctr("task", "checkpoint", "--exit", box.id)
    assert told.out.startswith("containerd.io/checkpoint/") and told.out.strip() in images()
    host.until(lambda: box.status == "STOPPED", "it has ended")
    assert "does not exist" in ctr.daemon.rt("state", box.id, code=1).err
    assert box.remove() == 137


@pytest.mark.rows("CKP-22", "ENG-08")
@pytest.mark.usefixtures("images")
def test_ctr_why_there_is_no_checkpoint(ctr):  # noqa: F811
    box = up(ctr)
    box.exec("sleep", "100000", options=["--detach"])
    told = ctr.daemon.ctr("task", "checkpoint", "--exit", box.id, code=1)
    assert STRANGER in told.err
    counts(box, 1)
    assert box.status == "RUNNING"


# ---- Docker


@pytest.fixture(scope="module")
def experimental():
    with docker_host.daemon("--experimental") as made:
        yield made


@pytest.fixture
def docker(experimental):
    yield experimental
    experimental.clean()


def logged(docker, word, times=1):
    host.until(lambda: docker("logs", "one").splitlines().count(word) == times, f"{word} is logged")


def docker_counts(docker, number, times=1):
    docker("kill", "--signal", "USR1", "one")
    logged(docker, f"count {number}", times)


def docker_begin(docker, *options):
    docker.start("--name", "one", *options, "--", *COUNTER)
    logged(docker, "up")


def collect(docker):
    """containerd has the same bytes still from the checkpoint before, and Docker 20.10 fails on finding
    them, until they are collected: which is now."""
    tool = ("ctr", "--address", "/run/docker/containerd/containerd.sock", "--namespace", "moby", "leases")
    docker.here(*tool, "rm", "--sync", docker.here(*tool, "create").strip())


def docker_checkpoint(docker, name, *options):
    collect(docker)
    docker("checkpoint", "create", *options, "one", name)


def docker_back(docker, name):
    docker.until("one", lambda state: not state["Running"], "it has ended")
    collect(docker)
    docker("start", "--checkpoint", name, "one")


@pytest.mark.rows("CKP-01", "CKP-04", "CKP-29", "CKP-35", "CKP-16", "CKP-25", "CKP-34")
def test_docker(docker):
    """With a network, which Docker makes again from its hook; twice, and anew at last."""
    docker_begin(docker, "--volume", "kept:/data", "--memory", "64m")
    docker("exec", "one", "sh", "-c", "echo volume >/data/file")
    docker_counts(docker, 1)
    docker_checkpoint(docker, "first", "--leave-running")
    docker_counts(docker, 2)
    docker_checkpoint(docker, "second")
    assert docker("checkpoint", "ls", "one").split()[2:] == ["first", "second"]
    docker_back(docker, "second")
    docker_counts(docker, 3)
    assert docker("exec", "one", "cat", "/data/file") == "volume"
    assert docker_host.limit(docker, docker.inspect("one")["Id"], "memory", "memory.limit_in_bytes",
                             "memory.max") == str(64 << 20)
    address = docker.inspect("one")["NetworkSettings"]["IPAddress"]
    assert f"inet {address}/" in docker("exec", "one", "ip", "addr", "show", "eth0")
    assert "1 packets received" in docker.here("busybox", "ping", "-c", "1", "-w", "10", address)
    docker("kill", "one")
    docker_back(docker, "first")
    docker_counts(docker, 2, times=2)
    docker("checkpoint", "rm", "one", "first")
    docker("kill", "one")
    docker("start", "one")
    logged(docker, "up", times=2)
    docker_counts(docker, 1, times=2)


@pytest.mark.rows("CKP-30")
def test_docker_terminal(docker):
    docker.start("--name", "one", "--interactive", "--tty", "--network", "none", "--", "sh")
    terminal = docker.terminal("attach", "one")
    terminal.type("number=5; echo is=$number\n")
    terminal.expect("is=5")
    terminal.type("\x10\x11")      # ctrl-p ctrl-q: detaches
    terminal.end()
    docker_checkpoint(docker, "first")
    docker_back(docker, "first")
    terminal = docker.terminal("attach", "one")
    terminal.type("echo still=$number\n")
    terminal.expect("still=5")
    terminal.type("exit 3\n")
    assert terminal.end() == 3


@pytest.mark.rows("CKP-22")
def test_docker_why_there_is_no_checkpoint(docker):
    docker_begin(docker)
    docker("exec", "--detach", "one", "sleep", "100000")
    assert STRANGER in docker.tell("checkpoint", "create", "one", "first").err
    docker_counts(docker, 1)
    assert docker.state("one")["Running"]
