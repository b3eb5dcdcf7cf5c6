# SPDX-License-Identifier: Apache-2.0
"""docker_nested: a Docker daemon in a container of docker_host's daemon, as `docker:dind` has it. Its
programs are this machine's own, by a read-only bind of /usr; its runtimes are rt and Debian's runc."""

import io
import json
import os
import tarfile

import docker_host
import host

IMAGE = "host-programs"
DATA = "/var/lib/docker"

# What the script `dind` of Docker's image does first: on v2 the container's own cgroup hands its
# controllers down, for which no process may be in it. Without --privileged the mounts are read-only.
FIRST = """set -e
for mount in /sys /sys/fs/cgroup /sys/fs/cgroup/*; do
    ! mountpoint -q "$mount" || mount -o remount,bind,rw "$mount"
done
if [ -e /sys/fs/cgroup/cgroup.controllers ]; then
    mkdir /sys/fs/cgroup/init
    echo 1 >/sys/fs/cgroup/init/cgroup.procs
    sed 's/[^ ]*/+&/g' /sys/fs/cgroup/cgroup.controllers >/sys/fs/cgroup/cgroup.subtree_control
fi
exec dockerd --config-file /etc/docker/daemon.json
"""
RUNTIMES = {"runtimes": {"rt": {"path": "/rt"}}, "default-runtime": "rt"}


def image():
    """A tar of a root file system that is empty but for what /usr does not hold."""
    files = {"etc/passwd": "root:x:0:0:root:/root:/bin/sh\n", "etc/group": "root:x:0:\ndocker:x:999:\n",
             "etc/docker/daemon.json": json.dumps(RUNTIMES), "etc/ld.so.conf": "", "first": FIRST}
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w") as tar:
        for name in "etc etc/docker usr root run tmp var var/lib".split():
            entry = tarfile.TarInfo(name)
            entry.type, entry.mode = tarfile.DIRTYPE, 0o755
            tar.addfile(entry)
        links = {name: os.readlink("/" + name) for name in os.listdir("/") if os.path.islink("/" + name)}
        for name, goal in {**links, "var/run": "/run"}.items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.SYMTYPE, goal
            tar.addfile(entry)
        tar.add("/etc/alternatives", "etc/alternatives")
        for name, text in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(text), 0o644
            tar.addfile(entry, io.BytesIO(text.encode()))
    return data.getvalue()


class Inside:
    """The inner daemon. Called as docker_host.Docker is, and from inside of the outer container."""

    def __init__(self, outer, *options):
        self.outer = outer
        outer("import", "-", IMAGE, stdin=image())
        self.container = outer("run", "--detach", *options, "--tmpfs", "/run", "--volume", DATA,
                               "--volume", "/usr:/usr:ro", "--volume", f"{outer.rt}:/rt:ro", IMAGE,
                               "sh", "/first")
        host.until(self.is_up, "the inner daemon is up", 60)
        self("import", "-", docker_host.IMAGE, stdin=docker_host.busybox_image())

    def is_up(self):
        state = self.outer.state(self.container)
        assert state["Running"], f"{state}\n{self.outer.tell('logs', self.container)!r}"
        return self.tell("version").code == 0

    def here(self, *argv, stdin=None):
        """A command in the outer container."""
        return self.outer("exec", "--interactive", self.container, *argv, stdin=stdin)

    def tell(self, *words, stdin=None):
        return self.outer.tell("exec", "--interactive", self.container, "docker", *words, stdin=stdin)

    def __call__(self, *words, stdin=None):
        told = self.tell(*words, stdin=stdin)
        assert told.code == 0, f"inner docker {' '.join(words)}\n{told!r}"
        return told.out.rstrip("\n")

    def listed(self, runtime):
        """What the runtime itself knows of."""
        program = {"rt": "/rt"}.get(runtime, runtime)
        told = self.here("sh", "-c", 'for root in /run/docker/runtime-*/moby; do "$0" --root "$root" '
                         "list --quiet; done", program)
        return set(told.split())

    def limit(self, container, *words):
        return docker_host.limit(self.outer, f"{self.container}/docker/{container}", *words)
