# SPDX-License-Identifier: Apache-2.0
"""pods: what the kubelet makes of a pod: a sandbox, containers in it, their logs."""

import collections
import contextlib
import itertools
import json
import os

import grpc

import host
from containerd import BUSYBOX

Exited = collections.namedtuple("Exited", "code out err")
_serial = itertools.count()
RUNNING, EXITED = 1, 2


class Pod:
    """A sandbox. linux: of its config; handler: the name of a runtime in the daemon's config."""

    def __init__(self, cri, work, handler="rt", **config):
        self.cri, self.daemon, self.work, self.containers = cri, cri.daemon, work, []
        name = f"pod{next(_serial)}"
        linux = {"cgroup_parent": f"/{self.daemon.tag}", **config.pop("linux", {})}
        self.config = {"metadata": {"name": name, "uid": f"uid-{name}", "namespace": "default"},
                       "hostname": name, "log_directory": f"{work}/{name}", "linux": linux, **config}
        self.id = cri.RunPodSandbox(config=self.config, runtime_handler=handler).pod_sandbox_id

    @property
    def status(self):
        return self.cri.PodSandboxStatus(pod_sandbox_id=self.id).status

    @property
    def pid(self):
        info = self.cri.PodSandboxStatus(pod_sandbox_id=self.id, verbose=True).info["info"]
        return self.daemon.outside(json.loads(info)["pid"])

    def create(self, *command, security=None, resources=None, **config):
        box = PodContainer(self, command, security or {}, resources or {}, config)
        self.containers.append(box)
        return box

    def up(self, *command, **config):
        return self.create(*(command or ("sleep", "1000")), **config).start()

    def run(self, *command, **config):
        """To its end: Exited."""
        return self.up(*command, **config).wait()

    def stop(self):
        self.cri.StopPodSandbox(pod_sandbox_id=self.id)

    def remove(self):
        self.stop()
        self.cri.RemovePodSandbox(pod_sandbox_id=self.id)


class PodContainer:
    def __init__(self, pod, command, security, resources, config):
        self.pod, self.cri, self.daemon, self.cgroups = pod, pod.cri, pod.daemon, pod.daemon.cgroups
        name = f"box{next(_serial)}"
        self.log = f"{pod.config['log_directory']}/{name}"
        config = {"metadata": {"name": name}, "image": {"image": BUSYBOX}, "command": command,
                  "log_path": name, "linux": {"security_context": security, "resources": resources},
                  **config}
        self.id = self.cri.CreateContainer(pod_sandbox_id=pod.id, config=config,
                                           sandbox_config=pod.config).container_id

    def start(self):
        self.cri.StartContainer(container_id=self.id)
        return self

    @property
    def status(self):
        return self.cri.ContainerStatus(container_id=self.id).status

    @property
    def pid(self):
        info = self.cri.ContainerStatus(container_id=self.id, verbose=True).info["info"]
        return self.daemon.outside(json.loads(info)["pid"])

    def lines(self, stream=None):
        """What it wrote, from the log as the kubelet reads it: TIME STREAM TAG TEXT."""
        if not os.path.exists(self.log):
            return []
        with open(self.log, encoding="utf-8") as file:
            words = [line.rstrip("\n").split(" ", 3) for line in file if line.endswith("\n")]
        return [each[3] for each in words if stream in (None, each[1])]

    def wait(self):
        host.until(lambda: self.status.state == EXITED, "the container has exited", 30)
        return Exited(self.status.exit_code, self.lines("stdout"), self.lines("stderr"))

    def exec(self, *command, timeout=30):
        told = self.cri.ExecSync(container_id=self.id, cmd=command, timeout=timeout)
        return Exited(told.exit_code, told.stdout.decode(), told.stderr.decode())

    def stop(self, timeout=0):
        self.cri.StopContainer(container_id=self.id, timeout=timeout)

    def remove(self):
        self.cri.RemoveContainer(container_id=self.id)


@contextlib.contextmanager
def refused():
    """The call fails; .details () of what is given says why, once it has."""
    class Refusal:
        error = None

        def details(self):
            return self.error.details()
    refusal = Refusal()
    try:
        yield refusal
    except grpc.RpcError as error:
        refusal.error = error
    assert refusal.error is not None, "the call succeeded"
