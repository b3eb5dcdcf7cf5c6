# SPDX-License-Identifier: Apache-2.0
"""Buildah: each RUN of a Containerfile is a container of rt. Buildah speaks to the runtime itself,
without conmon: create, start, state, kill, delete."""

import json
import os
import signal
import subprocess

import pytest

import host
from podman import Engine, emptied, require, write


class Buildah(Engine):
    """On the storage of a Podman."""

    def __init__(self, podman, log):
        storage = podman.options[1:podman.options.index("--tmpdir")]
        super().__init__(podman.place, "buildah", [*storage, "--storage-driver", "vfs"], podman.user)
        self.podman, self.log, self.ids = podman, log, []
        # Buildah tells nobody which runtime it calls: this one notes its command line.
        self.runtime = write(f"{podman.home}/noted", f'#!/bin/sh\necho "$@" >>{log}\n'
                             f'exec {podman.place.runtime} "$@"\n', 0o755)
        self.flags = ["--isolation", "oci", "--runtime", self.runtime, "--network", "none"]

    def build(self, text, *args, code=0):
        directory = f"{self.home}/context"
        os.makedirs(directory, exist_ok=True)
        write(f"{directory}/Containerfile", "FROM localhost/box\n" + text)
        write(f"{directory}/file", "from the context\n")
        return self.call("bud", *self.flags, "--tag", "built", *args, directory, code=code)

    def run(self, *args, **options):
        return self.call("run", "--isolation", "oci", "--runtime", self.runtime, *args, **options)

    def verbs(self):
        with open(self.log, encoding="utf-8") as file:
            words = [line.split() for line in file]
        names = ("create", "start", "state", "kill", "delete")
        return [next(word for word in line if word in names) for line in words]

    def clean(self):
        self.call("rm", "--all")
        self.call("rmi", "--force", "built", code=None)
        self.call("rmi", "--prune", code=None)
        self.podman.clean()
        if os.path.exists(self.log):
            os.remove(self.log)


@pytest.fixture(params=["root", "user"])
def buildah(request):
    require("buildah")
    podman = request.getfixturevalue("podman_root" if request.param == "root" else "podman_user")
    log = f"{podman.home}/log"
    yield from emptied(Buildah(podman, log))


@pytest.mark.rows("ENG-05")
def test_build(buildah):
    """What RUN makes is in the image, with the environment, directory and user that were asked for."""
    buildah.build("ENV COLOUR=green\nWORKDIR /work\nCOPY file .\n"
                  "RUN cat file >copy && echo $COLOUR >>copy && id -u >>copy\n"
                  "USER worker\nRUN id -u >/tmp/id; pwd >>/tmp/id\n"
                  'CMD ["cat", "/work/copy", "/tmp/id"]\n')
    assert buildah.podman.run("built").out == "from the context\ngreen\n0\n1000\n/work\n"
    verbs = buildah.verbs()
    assert verbs.count("create") == verbs.count("start") == verbs.count("delete") == 2
    assert verbs[:2] == ["create", "start"] and verbs[-1] == "delete"


@pytest.mark.rows("ENG-19")
def test_by_the_drop_in(buildah):
    """The name of the drop-in is looked for in PATH."""
    buildah.call("from", "--name", "working", "localhost/box")
    buildah.env["PATH"] = f"{buildah.place.dir}/bin:{os.environ['PATH']}"
    told = buildah.call("run", "--isolation", "oci", "--network", "none", "working", "--", "nowhere", code=None)
    assert told.code != 0 and "rt: error: exec" in told.err, told


def test_stages(buildah):
    buildah.build("RUN echo made >/made\nFROM localhost/box\nCOPY --from=0 /made /data/made\nRUN cat /data/made\n")
    assert buildah.podman.run("built", "cat", "/data/made").out == "made\n"
    assert buildah.podman.run("built", "test", "-e", "/made", code=1).err == ""


@pytest.mark.rows("ENG-17", "ENG-07")
@pytest.mark.parametrize("line, words", [
    ("RUN echo before; exit 7", "exit status 7"),
    ('RUN ["nowhere"]', "executable file not found in $PATH"),
    ('RUN ["/data"]', "ermission denied")])
def test_a_step_that_fails(buildah, line, words):
    told = buildah.build(line + "\n", code=None)
    assert told.code not in (0, None) and words in told.err, told


def test_mounts_of_a_step(buildah):
    secret = write(f"{buildah.home}/secret", "hidden", 0o644)
    told = buildah.build(
        "RUN --mount=type=tmpfs,target=/scratch grep ' /scratch tmpfs' /proc/mounts\n"
        "RUN --mount=type=secret,id=word cat /run/secrets/word && echo\n"
        "RUN --mount=type=bind,source=file,target=/given cat /given && ! touch /given 2>/dev/null\n",
        "--secret", f"id=word,src={secret}")
    assert "hidden\n" in told.out and "from the context\n" in told.out
    assert buildah.podman.run("built", "ls", "/run/secrets", code=None).out == ""


def test_rights_of_a_step(buildah):
    told = buildah.build("RUN grep -E '^(CapEff|Seccomp):' /proc/self/status; ulimit -n\n",
                         "--cap-drop", "all", "--ulimit", "nofile=100:200", "--ulimit", "nproc=1000")
    assert "CapEff:\t0000000000000000\n" in told.out and "Seccomp:\t2\n" in told.out
    assert "\n100\n" in told.out


@pytest.mark.rows("ENG-05")
def test_run(buildah):
    """A working container: what one step changes, the next one sees."""
    name = buildah.out("from", "--name", "working", "localhost/box")
    buildah.run("--network", "none", name, "--", "sh", "-c", "echo first >/data/file")
    told = buildah.run("--network", "none", "--user", "worker", "--hostname", "inner", "--env",
                       "COLOUR=red", name, "--", "sh", "-c", "id -u; hostname; cat /data/file; echo $COLOUR; exit 6", code=6)
    assert told.out == "1000\ninner\nfirst\nred\n"
    buildah.call("config", "--cmd", "cat /data/file", name)
    buildah.call("commit", "--quiet", name, "built")
    assert buildah.podman.run("built").out == "first\n"


@pytest.mark.rows("ENG-14")
def test_run_on_a_terminal(buildah):
    buildah.call("from", "--name", "working", "localhost/box")
    argv = ["run", "--isolation", "oci", "--runtime", buildah.runtime, "--network", "none", "--tty",
            "working", "--", "sh", "-c", "tty; read word; echo said $word; exit 3"]
    with buildah.terminal(*argv) as terminal:
        terminal.expect("/dev/pts/0\n")
        terminal.send("hello\n")
        terminal.expect("said hello\n")
        assert terminal.wait() == 3


def test_interrupted(buildah):
    """Buildah is stopped while a step runs: nothing of the container stays."""
    buildah.call("from", "--name", "working", "localhost/box")
    argv = ["run", "--isolation", "oci", "--runtime", buildah.runtime, "--network", "none", "working",
            "--", "sh", "-c", "echo ready; exec sleep 1000"]
    with buildah.start(*argv, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL) as process:
        assert process.stdout.readline() == "ready\n"
        # It listens to signals once it has begun to watch the container.
        host.until(lambda: "state" in buildah.verbs(), "buildah watches")
        process.send_signal(signal.SIGINT)
        assert process.wait(30) != 0
    host.until(lambda: "delete" in buildah.verbs(), "buildah has deleted it", 20)


def test_image_of_nothing(buildah):
    """FROM scratch: the smallest build of all."""
    told = buildah.build("FROM scratch\nCOPY file /\n")
    assert told.code == 0
    told = json.loads(buildah.out("inspect", "--type", "image", "built"))
    assert told["OCIv1"]["rootfs"]["diff_ids"]
