# SPDX-License-Identifier: Apache-2.0
"""Annotations of config.json: those that rt obeys, those that it refuses, and all the others, which
it only carries along."""

import os

import pytest

from test_seccomp_notify import agent, notify  # noqa: F401 (a fixture)
from test_terminal import ConsoleSocket

OUTSIDE = ("prestart", "createRuntime", "createContainer", "poststart", "poststop")
ALL = OUTSIDE[:3] + ("startContainer",) + OUTSIDE[3:]


def content(path):
    with open(path, encoding="ascii") as file:
        return file.read().split()


def talking(box):
    """A hook of each kind that says its kind, on both outputs."""
    for kind in ALL:
        box.hook(kind, f"echo out-{kind}", f"complain err-{kind}",
                 path="/bin/probe" if kind == "startContainer" else None)
    return box


@pytest.mark.rows("ANN-03")
@pytest.mark.own
@pytest.mark.parametrize("verb", ["run", "create"])
def test_hooks_print_to_files(new_box, verb):
    box = talking(new_box("report"))
    out, err = box.beside("out", "before\n"), os.path.join(box.dir, "err")
    box.config["annotations"] = {"run.oci.hooks.stdout": out, "run.oci.hooks.stderr": err}
    if verb == "run":
        box.run()
    else:
        box.create()
        box.start()
        box.finish()
    assert content(out) == ["before"] + [f"out-{kind}" for kind in ALL]
    assert content(err) == [f"err-{kind}" for kind in ALL]
    assert os.stat(err).st_mode & 0o7777 == 0o600


@pytest.mark.rows("ANN-03")
@pytest.mark.own
def test_the_other_output_is_still_captured(new_box, fails):
    box = new_box("report")
    out = os.path.join(box.dir, "out")
    box.config["annotations"] = {"run.oci.hooks.stdout": out}
    box.hook("createRuntime", "echo one", "complain two", "exit 3")
    fails(box.run(code=None), "createRuntime", "exit status 3: two", at="/hooks/createRuntime/0")
    assert content(out) == ["one"]


@pytest.mark.rows("ANN-03")
@pytest.mark.own
def test_the_process_does_not_get_the_files(new_box):
    box = talking(new_box("report"))
    box.config["annotations"] = {"run.oci.hooks.stdout": box.dir + "/out"}
    assert sorted(box.run().report["fds"], key=int) == ["0", "1", "2"]


@pytest.mark.rows("ANN-03")
@pytest.mark.own
@pytest.mark.parametrize("kind, words", [("relative", "absolute path"), ("missing", "no such file"),
                                         ("fifo", "no such device"), ("link", "symbolic link")])
def test_output_that_cannot_be_opened(new_box, fails, kind, words):
    box = talking(new_box("report"))
    fifo = os.path.join(box.dir, "fifo")
    os.mkfifo(fifo)
    link = os.path.join(box.dir, "link")
    os.symlink(box.beside("elsewhere"), link)
    path = {"relative": "out", "missing": "/none/out", "fifo": fifo, "link": link}[kind]
    box.config["annotations"] = {"run.oci.hooks.stderr": path}
    fails(box.run(code=None), words, at="run.oci.hooks.stderr")


@pytest.mark.rows("ANN-03", "HDN-09")
@pytest.mark.own
def test_a_container_does_not_choose_the_files(new_box):
    """A directory for logs that is shared with the container, which has put a link there."""
    box = talking(new_box("pause"))
    logs, prize = box.path("/logs"), box.beside("prize", "before\n")
    os.mkdir(logs)
    box.config["annotations"] = {"run.oci.hooks.stdout": logs + "/out"}
    box.up()
    assert content(logs + "/out")
    os.rename(logs + "/out", logs + "/old")
    os.symlink(prize, logs + "/out")
    told = box.delete("-f")
    assert "symbolic link" in told.err
    box.wait()
    assert content(prize) == ["before"]


@pytest.mark.rows("ANN-05", "FDS-18")
@pytest.mark.own
@pytest.mark.parametrize("verb", ["create", "run"])
def test_pidfd_receiver(new_box, work, verb):
    box = new_box("pause")
    receiver = ConsoleSocket(work + "/receiver")
    box.config["annotations"] = {"run.oci.pidfd_receiver": receiver.path}
    try:
        box.create(*(["-d"] if verb == "run" else []), verb=verb)
        pidfd, _ = receiver.receive()
    finally:
        receiver.close()
    with open(f"/proc/self/fdinfo/{pidfd}", encoding="ascii") as file:
        assert f"Pid:\t{box.pid}\n" in file.read()
    os.close(pidfd)
    box.delete("-f")


@pytest.mark.rows("ANN-05", "FDS-18")
@pytest.mark.own
def test_pidfd_receiver_that_is_not_there(box, fails):
    box.config["annotations"] = {"run.oci.pidfd_receiver": "/none/socket"}
    fails(box.run(code=None), "/none/socket", "no such file", at="run.oci.pidfd_receiver")
    box.config["annotations"] = {"run.oci.pidfd_receiver": "socket"}
    fails(box.run(code=None), "absolute path", at="run.oci.pidfd_receiver")


@pytest.mark.rows("ANN-07", "SEC-31")
@pytest.mark.own
@pytest.mark.parametrize("verb", ["create", "run"])
def test_seccomp_receiver(new_box, agent, verb):    # noqa: F811
    """Stands for a listenerPath that the document leaves out."""
    box = new_box("call getcpu")
    box.linux["seccomp"] = notify("", "getcpu")
    del box.linux["seccomp"]["listenerPath"]
    box.config["annotations"] = {"run.oci.seccomp.receiver": agent.path}
    if verb == "run":
        told = box.run()
    else:
        box.create()
        box.start()
        told = box.finish()
    assert told.errno("call", "getcpu") == "EXDEV"
    assert agent.messages[0]["state"]["id"] == box.id


@pytest.mark.rows("CLI-41")
@pytest.mark.own
def test_no_seccomp_receiver_from_the_environment(box, fails):
    """Where calls are sent is a matter of the document alone."""
    box.linux["seccomp"] = notify("", "getcpu")
    del box.linux["seccomp"]["listenerPath"], box.linux["seccomp"]["listenerMetadata"]
    told = box.run(code=None, env={**os.environ, "RUN_OCI_SECCOMP_RECEIVER": "/run/agent"})
    fails(told, "is required", at="/linux/seccomp/listenerPath")


@pytest.mark.rows("ANN-06", "ANN-07", "ANN-08", "MNT-66", "SEC-32")
@pytest.mark.own
@pytest.mark.parametrize("name, value", [
    ("run.oci.handler", "krun"), ("run.oci.handler", "wasm"),
    ("run.oci.seccomp.plugins", "a.so"),
    ("run.oci.systemd.force_cgroup_v1", "/sys/fs/cgroup")])
def test_refused(box, fails, name, value):
    """What would make the container another one is not taken for had."""
    box.config["annotations"] = {name: value}
    fails(box.run(code=None), name, at="config.json:1:")


@pytest.mark.rows("ANN-08", "ANN-10", "ANN-11", "ANN-13", "ANN-14")
@pytest.mark.own
def test_carried_along(new_box):
    """What only a handler or criu would read, and what only looks like an order."""
    box = new_box("pause")
    box.config["annotations"] = {
        "run.oci.handler": "", "module.wasm.image/variant": "compat", "krun.cpus": "4",
        "krun.ram_mib": "512", "io.kubernetes.cri.container-type": "sandbox",
        "org.criu.config": "/etc/criu/none.conf", "bundle": "/somewhere/else"}
    box.create()
    state = box.state()
    assert state["annotations"] == box.config["annotations"]
    assert state["bundle"] == box.dir
    box.delete()


@pytest.mark.rows("ANN-11")
@pytest.mark.own
def test_features_name_the_annotations_that_change_something(rt):
    told = rt.call("features")
    for name in ("run.oci.hooks.stdout", "run.oci.hooks.stderr", "run.oci.pidfd_receiver",
                 "run.oci.seccomp.receiver", "run.oci.keep_original_groups", "org.criu.config"):
        assert f"\"{name}\"" in told.out
    assert "\"bundle\"" not in told.out
