#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""Runs a command as root in a container that $RT has made: privileged, with the host's programs.

    tests/as/nested.py -- COMMAND...

It has namespaces and cgroups of its own, which it may write to, and all capabilities that the caller
has; of the host it sees all directories but /dev, /proc, /sys, /run and /tmp, read-only. $TMPDIR is a
tmpfs. $RT_TEST_AS tells the tests: nested."""

import copy
import json
import os
import re
import subprocess
import sys
import tempfile

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
sys.path.insert(0, os.path.join(TOP, "tests", "feature"))

import bundle  # noqa: E402
import host  # noqa: E402

OWN = ("dev", "proc", "sys", "run", "tmp", "mnt", "lost+found")

# On v2 a cgroup with controllers for those below it holds no process itself.
LEAVE_ROOT = """for root in /sys/fs/cgroup /sys/fs/cgroup/unified; do
    [ ! -e "$root/cgroup.controllers" ] ||
        { mkdir "$root/tests" && echo 0 >"$root/tests/cgroup.procs"; } || exit 125
done
exec "$@"
"""


def capabilities():
    """All that this process has, by their names."""
    with open("/proc/self/status", encoding="ascii") as file:
        mask = int(next(line for line in file if line.startswith("CapPrm")).split()[1], 16)
    with open("/usr/include/linux/capability.h", encoding="ascii") as file:
        known = re.findall(r"^#define (CAP_[A-Z_]+)\s+(\d+)$", file.read(), re.MULTILINE)
    return [name for name, number in known if mask >> int(number) & 1]


def document(command, rt):
    environment = dict(os.environ, RT="/rt", TMPDIR="/tmp", PWD="/source", RT_TEST_AS="nested")
    config = copy.deepcopy(bundle.BASE)
    config["process"].update(
        args=["/bin/sh", "-c", LEAVE_ROOT, "sh"] + command, cwd="/source", noNewPrivileges=False,
        capabilities={name: capabilities() for name in ("bounding", "effective", "permitted")})
    del config["process"]["rlimits"]
    linux = config["linux"]
    linux.update(maskedPaths=[], readonlyPaths=[], cgroupsPath=f"/rt-nested-{os.getpid()}",
                 resources={"devices": [{"allow": True, "access": "rwm"}]})
    for each in config["mounts"]:
        if each["type"] in ("sysfs", "cgroup", "proc"):
            each["options"] = ["nosuid", "noexec", "nodev"]
    config["mounts"] += [
        {"destination": path, "type": "tmpfs", "source": "tmpfs", "options": [f"mode={mode}"]}
        for path, mode in (("/tmp", "1777"), ("/run", "755"), ("/mnt", "755"))]
    for name in sorted(os.listdir("/")):
        if name not in OWN and os.path.isdir(f"/{name}") and not os.path.islink(f"/{name}"):
            config["mounts"].append({"destination": f"/{name}", "type": "bind", "source": f"/{name}",
                                     "options": ["rbind", "ro"]})
    probe = environment.get("RT_PROBE")
    if probe:
        environment["RT_PROBE"] = "/probe"
    for source, destination in [(TOP, "/source"), (rt, "/rt")] + ([(probe, "/probe")] if probe else []):
        config["mounts"].append({"destination": destination, "type": "bind", "source": source,
                                 "options": ["rbind", "ro"]})
    config["process"]["env"] = [f"{name}={value}" for name, value in environment.items()]
    return config


def main(words):
    if words[:1] != ["--"] or len(words) < 2 or os.geteuid() != 0:
        print("usage, as root: tests/as/nested.py -- COMMAND...", file=sys.stderr)
        return 125
    rt = os.path.abspath(os.environ.get("RT") or f"{TOP}/build/rt")
    directory = tempfile.mkdtemp(prefix="rt-nested-")
    rootfs = f"{directory}/rootfs"
    host.own_mount_namespace()
    host.mount("tmpfs", directory, "tmpfs", data="mode=0755")
    try:
        os.mkdir(rootfs)
        for name in os.listdir("/"):
            if os.path.islink(f"/{name}"):
                os.symlink(os.readlink(f"/{name}"), f"{rootfs}/{name}")
        with open(f"{directory}/config.json", "w", encoding="utf-8") as file:
            json.dump(document(words[1:], rt), file)
        return subprocess.call([rt, "--root", f"{directory}/state", "run", "-b", directory,
                                os.path.basename(directory)])
    finally:
        host.umount(directory)
        os.rmdir(directory)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
