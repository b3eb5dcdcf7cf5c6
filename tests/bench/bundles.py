# SPDX-License-Identifier: Apache-2.0
"""The bundles that are run."""

import copy
import json
import os
import shutil
import sys

CAPTURED = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "engines", "captured")

DEFAULT = {
    "ociVersion": "1.0.2",
    "process": {
        "terminal": False, "user": {"uid": 0, "gid": 0}, "args": ["/bin/true"], "cwd": "/",
        "env": ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "TERM=xterm"],
        "capabilities": {name: ["CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"]
                         for name in ("bounding", "effective", "permitted", "inheritable", "ambient")},
        "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 1024, "soft": 1024}],
        "noNewPrivileges": True,
    },
    "root": {"path": "rootfs", "readonly": True},
    "hostname": "bench",
    "mounts": [
        {"destination": "/proc", "type": "proc", "source": "proc"},
        {"destination": "/dev", "type": "tmpfs", "source": "tmpfs",
         "options": ["nosuid", "strictatime", "mode=755", "size=65536k"]},
        {"destination": "/dev/pts", "type": "devpts", "source": "devpts",
         "options": ["nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620", "gid=5"]},
        {"destination": "/dev/shm", "type": "tmpfs", "source": "shm",
         "options": ["nosuid", "noexec", "nodev", "mode=1777", "size=65536k"]},
        {"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue",
         "options": ["nosuid", "noexec", "nodev"]},
        {"destination": "/sys", "type": "sysfs", "source": "sysfs",
         "options": ["nosuid", "noexec", "nodev", "ro"]},
        {"destination": "/sys/fs/cgroup", "type": "cgroup", "source": "cgroup",
         "options": ["nosuid", "noexec", "nodev", "relatime", "ro"]},
    ],
    "linux": {
        "resources": {"devices": [{"allow": False, "access": "rwm"}]},
        "namespaces": [{"type": name} for name in ("pid", "network", "ipc", "uts", "mount", "cgroup")],
        "maskedPaths": ["/proc/acpi", "/proc/asound", "/proc/kcore", "/proc/keys",
                        "/proc/latency_stats", "/proc/timer_list", "/proc/timer_stats",
                        "/proc/sched_debug", "/sys/firmware", "/proc/scsi"],
        "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger"],
    },
}


def profile(name):
    with open(os.path.join(CAPTURED, "seccomp", name + ".json"), encoding="utf-8") as file:
        return json.load(file)


def podman_config():
    """What Podman really wrote (tests/engines/captured), without the files that it binds from its own
    directories, and in namespaces of its own; so floor's container is still the same but for the
    seccomp profile."""
    with open(os.path.join(CAPTURED, "podman-v2-plain.json"), encoding="utf-8") as file:
        config = json.load(file)
    config["linux"]["seccomp"] = profile("podman-1")
    config["process"]["args"] = ["/bin/true"]
    config["root"]["path"] = "rootfs"
    config["hostname"] = "bench"
    config["mounts"] = [entry for entry in config["mounts"] if entry["type"] != "bind"]
    config["linux"]["namespaces"] = [{"type": entry["type"]} for entry in config["linux"]["namespaces"]]
    del config["linux"]["cgroupsPath"]
    config["linux"]["resources"].pop("pids", None)     # a controller that may be missing here
    return config


def sleeping():
    config = copy.deepcopy(DEFAULT)
    config["process"]["args"] = ["/bin/sleep", "1000"]
    return config


def sized(size):
    """The default bundle, with so many annotations that the document has `size` bytes."""
    config = copy.deepcopy(DEFAULT)
    length = len(json.dumps(config))
    notes = config["annotations"] = {}
    while length < size:
        key, value = f"org.example.note-{len(notes):06}", "x" * 64
        notes[key] = value
        length += len(key) + len(value) + 8
    return config


def limited(bytes_):
    config = copy.deepcopy(DEFAULT)
    config["linux"]["resources"]["memory"] = {"limit": bytes_}
    return config


def make(directory, config, *programs):
    """A bundle whose root holds busybox, and the given programs in /bin."""
    busybox = shutil.which("busybox")
    if not busybox:
        sys.exit("bench: no busybox (package busybox-static)")
    for name in ("bin", "proc", "dev", "sys", "etc"):
        os.makedirs(os.path.join(directory, "rootfs", name))
    for program in (busybox, *programs):
        shutil.copy(program, os.path.join(directory, "rootfs", "bin"))
    for name in ("true", "sleep"):
        os.symlink("busybox", os.path.join(directory, "rootfs", "bin", name))
    write(directory, config)
    return directory


def write(directory, config):
    with open(os.path.join(directory, "config.json"), "w", encoding="utf-8") as file:
        json.dump(config, file)
