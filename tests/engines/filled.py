# SPDX-License-Identifier: Apache-2.0
"""filled: makes a captured config file runnable on this host. Every change is one that the host
forces on us, and captured/README.md lists them; all else reaches the runtime as the engine wrote it."""

import json
import os
import resource
import shutil
import subprocess

HERE = os.path.dirname(os.path.abspath(__file__))
CAPTURED = os.path.join(HERE, "captured")
APPLETS = "sh cat true sleep id".split()
INITS = ("/dev/init", "/sbin/docker-init", "/run/podman-init")
PROBE = ["/bin/sh", "-c", "cat /proc/self/status /proc/self/mountinfo"]
NS_FILES = {"network": "net", "mount": "mnt"}


def cases(suffix=".json"):
    """The names of the captured files, without the suffix."""
    names = [name[:-len(suffix)] for name in sorted(os.listdir(CAPTURED)) if name.endswith(suffix)]
    return [name for name in names if not name.endswith(".process")]


def load(name):
    with open(os.path.join(CAPTURED, name), encoding="utf-8") as file:
        return json.load(file)


def own_capabilities():
    """The bounding set of this process, as a number."""
    with open("/proc/self/status", encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("CapBnd")).split()[1], 16)


def capability_numbers():
    with open("/usr/include/linux/capability.h", encoding="ascii") as file:
        words = [line.split() for line in file if line.startswith("#define CAP_")]
    return {word[1]: int(word[2]) for word in words if len(word) > 2 and word[2].isdigit()}


NUMBERS = capability_numbers()


class Namespaces:
    """A process in namespaces of its own, for the containers that join some."""

    def __init__(self):
        self.process = subprocess.Popen(
            ["unshare", "--pid", "--net", "--ipc", "--uts", "--fork", "--kill-child",
             "sh", "-c", "echo ready; exec sleep 1000"], stdout=subprocess.PIPE)
        self.process.stdout.readline()
        with open(f"/proc/{self.process.pid}/task/{self.process.pid}/children", encoding="ascii") as file:
            self.pid = int(file.read())

    def path(self, kind):
        return f"/proc/{self.pid}/ns/{NS_FILES.get(kind, kind)}"

    def close(self):
        os.kill(self.pid, 9)
        self.process.wait()
        self.process.stdout.close()


class Filled:
    """A bundle made from a captured file."""

    def __init__(self, case, work, container, namespaces):
        self.case, self.work, self.id = case, work, container
        self.bundle = os.path.join(work, "bundle")
        self.rootfs = os.path.join(work, "rootfs")
        self.namespaces = namespaces
        self.words = {"@BUNDLE@": self.bundle, "@ROOTFS@": self.rootfs, "@ID@": self.id,
                      "@UUID@": self.id[:32], "@SHORTID@": self.id[:12],
                      "@ENGINE@": os.path.join(work, "engine"),
                      "@VOLUME@": os.path.join(work, "volume"), "@HOOK@": "/bin/true",
                      "@HOSTNAME@": "capturehost", "@OTHER": "other"}
        self._make_rootfs()
        self.config = self._replaced(load(case + ".json"))
        self._fit()

    def _make_rootfs(self):
        for name in ("bin", "etc", "tmp", "proc", "sys", "dev", "data"):
            os.makedirs(os.path.join(self.rootfs, name))
        os.makedirs(os.path.join(self.work, "volume", "sub"))
        os.makedirs(self.bundle)
        shutil.copy(shutil.which("busybox"), os.path.join(self.rootfs, "bin", "busybox"))
        for name in APPLETS:
            os.symlink("busybox", os.path.join(self.rootfs, "bin", name))
        for name, text in (("passwd", "root:x:0:0::/:/bin/sh\n"), ("group", "root:x:0:\n")):
            with open(os.path.join(self.rootfs, "etc", name), "w", encoding="ascii") as file:
                file.write(text)

    def _replaced(self, value):
        if isinstance(value, list):
            return [self._replaced(item) for item in value]
        if isinstance(value, dict):
            return {self._replaced(key): self._replaced(item) for key, item in value.items()}
        if not isinstance(value, str):
            return value
        if value.startswith("@SECCOMP@/"):
            return load("seccomp/" + value.partition("/")[2])
        if value.startswith("@NAMESPACE@/"):
            return self.namespaces.path(value.partition("/")[2])
        for word, text in self.words.items():
            value = value.replace(word, text)
        return value

    def _fit(self):
        self.fit_process(self.config["process"])
        for entry in self.config["mounts"]:
            if "bind" in (entry["type"], *entry.get("options", [])):
                self._make_source(entry)
        self._give_to_mapped_root()

    def fit_process(self, process):
        """What this host cannot give, and the init program of an engine that is not installed."""
        own = own_capabilities()
        sets = process.get("capabilities", {})
        for name, words in sets.items():
            sets[name] = [word for word in words if own >> NUMBERS[word] & 1]
        for limit in process.get("rlimits", []):
            if not own >> NUMBERS["CAP_SYS_RESOURCE"] & 1:
                hard = resource.getrlimit(getattr(resource, limit["type"]))[1]
                if hard != resource.RLIM_INFINITY:
                    limit["hard"] = min(limit["hard"], hard)
                    limit["soft"] = min(limit["soft"], hard)
        if process["args"][0] in INITS:
            process["args"] = process["args"][process["args"].index("--") + 1:]
        elif "catatonit" in process["args"][0]:
            process["args"] = PROBE

    def _make_source(self, entry):
        source, name = entry["source"], os.path.basename(entry["destination"])
        if entry["destination"] in INITS:
            entry["source"] = os.path.join(self.rootfs, "bin", "busybox")
        elif source.startswith("/sys/fs/cgroup/") and not os.path.exists(source):
            entry["source"] = os.path.join(self.work, "volume")
        elif source.startswith(self.work):
            if name in ("resolv.conf", "hosts", "hostname", ".containerenv"):
                os.makedirs(os.path.dirname(source), exist_ok=True)
                with open(source, "a", encoding="ascii"):
                    pass
            else:
                os.makedirs(source, exist_ok=True)

    def _give_to_mapped_root(self):
        maps = [self.config["linux"].get(key, []) for key in ("uidMappings", "gidMappings")]
        if not any(maps):
            return
        uid, gid = ([each["hostID"] for each in found if each["containerID"] == 0] or [0] for found in maps)
        for top, directories, files in os.walk(self.work):
            for path in [top] + [os.path.join(top, name) for name in directories + files]:
                os.lchown(path, uid[0], gid[0])

    def save(self):
        with open(os.path.join(self.bundle, "config.json"), "w", encoding="utf-8") as file:
            json.dump(self.config, file)

    def process_file(self, name):
        """A captured process.json, made to fit."""
        process = self._replaced(load(name + ".process.json"))
        self.fit_process(process)
        path = os.path.join(self.work, "process.json")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(process, file)
        return process, path

    def command(self, line):
        """The arguments of a captured command line."""
        return [self._replaced(word) for word in line.split(" ")]
