#!/usr/bin/python3
# SPDX-License-Identifier: Apache-2.0
"""bench: how long a container takes to start, in multiples of what the kernel itself needs.

    RT=build/rt tests/bench/bench.py [--rounds N] [--readme] [--json FILE]

floor (floor.c) makes only the kernel's calls; rt, crun and runc are measured against it in turns
(A B C A B C ...), so that whatever else the machine does meets all of them. Programs that are not
installed, or cannot run a container on this host, are named and left out.

All of it happens in a mount namespace of its own with cgroup v2 over /sys/fs/cgroup; the host's
mounts are not touched. The containers' files lie on a tmpfs.
"""

import argparse
import ctypes
import json
import os
import re
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time

HERE = os.path.dirname(os.path.abspath(__file__))
TOP = os.path.dirname(os.path.dirname(HERE))
CAPTURED = os.path.join(TOP, "tests", "engines", "captured")
WORKLOADS = {
    "default": "run /bin/true, the bundle of `rt spec`",
    "podman": "run /bin/true, Podman's bundle with its seccomp profile",
    "lifecycle": "create + start + kill + delete, default bundle",
}
NULL = [(os.POSIX_SPAWN_OPEN, number, "/dev/null", os.O_RDWR, 0) for number in (0, 1, 2)]


class Broken(Exception):
    """A program cannot do what is measured."""


# ---- the host -----------------------------------------------------------------------------------

def enter_own_namespace():
    """Starts this program again in a mount namespace of its own."""
    if os.environ.get("BENCH_INSIDE"):
        return
    if os.geteuid() != 0:
        sys.exit("bench: making containers takes root")
    os.execvp("unshare", ["unshare", "--mount", "--propagation", "private", "env", "BENCH_INSIDE=1",
                          sys.executable, os.path.abspath(__file__), *sys.argv[1:]])


def lay_cgroup2():
    subprocess.run(["mount", "-t", "cgroup2", "cgroup2", "/sys/fs/cgroup"], check=True)


def become_subreaper():
    """Created containers become our children when their runtime ends, as they become conmon's."""
    if ctypes.CDLL(None, use_errno=True).prctl(36, 1, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl (PR_SET_CHILD_SUBREAPER)")


def remove_cgroups():
    """Those of programs that failed; a measured one has removed its own."""
    for name in os.listdir("/sys/fs/cgroup"):
        if name.startswith("bench-"):
            os.rmdir(os.path.join("/sys/fs/cgroup", name))


def may_raise_memlock():
    with open("/proc/self/status", encoding="ascii") as file:
        effective = int(next(line for line in file if line.startswith("CapEff")).split()[1], 16)
    return bool(effective >> 24 & 1) or \
        resource.getrlimit(resource.RLIMIT_MEMLOCK)[1] == resource.RLIM_INFINITY


# ---- bundles ------------------------------------------------------------------------------------

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


def podman_config():
    """What Podman really wrote (tests/engines/captured), without the files that it binds from its own
    directories, and in namespaces of its own; so floor's container is still the same but for the
    seccomp profile."""
    with open(os.path.join(CAPTURED, "podman-v2-plain.json"), encoding="utf-8") as file:
        config = json.load(file)
    with open(os.path.join(CAPTURED, "seccomp", "podman-1.json"), encoding="utf-8") as file:
        config["linux"]["seccomp"] = json.load(file)
    config["process"]["args"] = ["/bin/true"]
    config["root"]["path"] = "rootfs"
    config["hostname"] = "bench"
    config["mounts"] = [entry for entry in config["mounts"] if entry["type"] != "bind"]
    config["linux"]["namespaces"] = [{"type": entry["type"]} for entry in config["linux"]["namespaces"]]
    del config["linux"]["cgroupsPath"]
    config["linux"]["resources"].pop("pids", None)     # a controller that may be missing here
    return config


def make_bundle(directory, config):
    os.makedirs(directory)
    for name in ("bin", "proc", "dev", "sys", "etc"):
        os.makedirs(os.path.join(directory, "rootfs", name))
    busybox = shutil.which("busybox")
    if not busybox:
        sys.exit("bench: no busybox (package busybox-static)")
    shutil.copy(busybox, os.path.join(directory, "rootfs", "bin", "busybox"))
    for name in ("true", "sleep"):
        os.symlink("busybox", os.path.join(directory, "rootfs", "bin", name))
    with open(os.path.join(directory, "config.json"), "w", encoding="utf-8") as file:
        json.dump(config, file)
    return directory


def make_bundles(work):
    lifecycle = json.loads(json.dumps(DEFAULT))
    lifecycle["process"]["args"] = ["/bin/sleep", "1000"]
    return {"default": make_bundle(os.path.join(work, "default"), DEFAULT),
            "podman": make_bundle(os.path.join(work, "podman"), podman_config()),
            "lifecycle": make_bundle(os.path.join(work, "lifecycle"), lifecycle)}


# ---- what is measured ---------------------------------------------------------------------------

def call(argv, environ=os.environ):
    """One program from start to end."""
    pid = os.posix_spawn(argv[0], argv, environ, file_actions=NULL)
    status = os.waitstatus_to_exitcode(os.wait4(pid, 0)[1])
    if status != 0:
        raise Broken(f"{' '.join(argv)}: exit {status}")


def compiled(work, name, *flags):
    path = os.path.join(work, name)
    subprocess.run([os.environ.get("CC", "cc"), "-std=gnu11", "-D_GNU_SOURCE", "-O2", *flags, "-o", path,
                    os.path.join(HERE, name + ".c")], check=True)
    return path


class Floor:
    name = "floor"

    def __init__(self, work):
        self.path = compiled(work, "floor", "-static")
        self.version = "floor.c"

    def once(self, _workload, bundle):
        """The lifecycle, too, is measured against a run: nothing less makes the same container."""
        argv = (self.path, os.path.join(bundle, "rootfs"), "/sys/fs/cgroup/bench-floor")
        begin = time.monotonic_ns()
        call(argv)
        return time.monotonic_ns() - begin


class Runtime:
    def __init__(self, name, path, work):
        self.name, self.path = name, path
        self.root = os.path.join(work, "state-" + name)
        self.pid_file = os.path.join(work, "pid-" + name)
        told = subprocess.run([path, "--version"], capture_output=True, text=True, check=False)
        self.version = told.stdout.splitlines()[0] if told.stdout else "?"
        self.environ = dict(os.environ)
        if name == "crun" and not may_raise_memlock():
            self.environ["LD_PRELOAD"] = compiled(work, "memlock", "-shared", "-fPIC")

    def argv(self, *words):
        return (self.path, "--root", self.root, *words)

    def once(self, workload, bundle):
        if workload == "lifecycle":
            return self.lifecycle(bundle)
        argv = self.argv("run", "--bundle", bundle, "bench-" + self.name)
        begin = time.monotonic_ns()
        call(argv, self.environ)
        return time.monotonic_ns() - begin

    def lifecycle(self, bundle):
        name = "bench-" + self.name
        begin = time.monotonic_ns()
        call(self.argv("create", "--bundle", bundle, "--pid-file", self.pid_file, name), self.environ)
        call(self.argv("start", name), self.environ)
        call(self.argv("kill", name, "KILL"), self.environ)
        with open(self.pid_file, encoding="ascii") as file:
            os.waitpid(int(file.read()), 0)
        call(self.argv("delete", name), self.environ)
        return time.monotonic_ns() - begin

    def probe(self, workload, bundle):
        """Why this program cannot be measured here, or None."""
        try:
            self.once(workload, bundle)
            return None
        except (Broken, OSError) as failure:
            self.ask("delete", "--force", "bench-" + self.name)
            told = self.ask("create", "--bundle", bundle, "bench-" + self.name)
            self.ask("delete", "--force", "bench-" + self.name)
            return (told.strip().splitlines() or [str(failure)])[-1]

    def ask(self, *words):
        """What it says on standard error."""
        with tempfile.TemporaryFile() as file:
            subprocess.run(self.argv(*words), env=self.environ, stdin=subprocess.DEVNULL,
                           stdout=subprocess.DEVNULL, stderr=file, check=False, timeout=20)
            file.seek(0)
            return file.read().decode(errors="replace")


def programs(options, work):
    found = [Floor(work)]
    for name, path in (("rt", options.rt), ("crun", options.crun), ("runc", options.runc)):
        if path and os.access(path, os.X_OK):
            found.append(Runtime(name, os.path.abspath(path), work))
        else:
            print(f"bench: no {name}" + (f" at {path}" if path else ""), file=sys.stderr)
    return found


def measure(workload, bundle, every, rounds, warmups):
    able = []
    for each in every:
        reason = each.probe(workload, bundle) if isinstance(each, Runtime) else None
        if reason:
            print(f"bench: {each.name} cannot run '{workload}' here: {reason}", file=sys.stderr)
        else:
            able.append(each)
    times = {each.name: [] for each in able}
    for turn in range(warmups + rounds):
        for each in able:
            took = each.once(workload, bundle)
            if turn >= warmups:
                times[each.name].append(took / 1e6)
    return times


# ---- what is told -------------------------------------------------------------------------------

def summary(times):
    """{program: {median, p10, p90, min, ratio}} in milliseconds."""
    found = {}
    for name, samples in times.items():
        deciles = statistics.quantiles(samples, n=10)
        found[name] = {"median": statistics.median(samples), "p10": deciles[0], "p90": deciles[8],
                       "min": min(samples), "n": len(samples)}
    for values in found.values():
        values["ratio"] = values["median"] / found["floor"]["median"]
    return found


def table(results):
    lines = []
    for workload, values in results.items():
        lines.append(WORKLOADS[workload])
        lines.append(f"  {'':8}{'median':>10}{'p10':>9}{'p90':>9}{'min':>9}{'x floor':>10}")
        for name, each in values.items():
            lines.append(f"  {name:8}{each['median']:7.2f} ms{each['p10']:9.2f}{each['p90']:9.2f}"
                         f"{each['min']:9.2f}{each['ratio']:10.2f}")
    return "\n".join(lines)


def readme(results, versions):
    names = list(dict.fromkeys(name for values in results.values() for name in values))
    short = {name: " ".join(re.findall(r"^\w+|\d+\.\d+[\w.]*", versions[name])[:2])
             for name in names if name not in ("floor", "rt")}
    lines = ["| | " + " | ".join(short.get(name, name) for name in names) + " |",
             "|---|" + "---:|" * len(names)]
    for workload, values in results.items():
        cells = [f"{values[name]['median']:.1f} ms ({values[name]['ratio']:.2f}x)" if name in values else "-"
                 for name in names]
        lines.append(f"| {WORKLOADS[workload]} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rt", default=os.environ.get("RT") or os.path.join(TOP, "build", "rt"))
    parser.add_argument("--crun", default=shutil.which("crun"))
    parser.add_argument("--runc", default=shutil.which("runc"))
    parser.add_argument("--rounds", type=int, default=60)
    parser.add_argument("--warmups", type=int, default=5)
    parser.add_argument("--workload", choices=WORKLOADS, action="append", help="default: all")
    parser.add_argument("--json", metavar="FILE", help="write all samples to FILE (- for standard output)")
    parser.add_argument("--readme", action="store_true", help="print a Markdown table")
    parser.add_argument("--limit", metavar="WORKLOAD=RATIO", action="append", default=[],
                        help="fail where rt takes more than RATIO times floor")
    return parser.parse_args()


def over_limits(results, limits):
    failures = []
    for limit in limits:
        workload, _, most = limit.partition("=")
        if "rt" not in results.get(workload, {}):
            failures.append(f"{workload}: rt was not measured")
        elif results[workload]["rt"]["ratio"] > float(most):
            failures.append(f"{workload}: rt takes {results[workload]['rt']['ratio']:.2f} times floor, "
                            f"{most} is the limit")
    return failures


def main():
    options = arguments()
    enter_own_namespace()
    become_subreaper()
    work = tempfile.mkdtemp(prefix="rt-bench-")
    subprocess.run(["mount", "-t", "tmpfs", "-o", "mode=0755", "tmpfs", work], check=True)
    try:
        lay_cgroup2()
        every, bundles = programs(options, work), make_bundles(work)
        samples = {workload: measure(workload, bundles[workload], every, options.rounds, options.warmups)
                   for workload in options.workload or WORKLOADS}
    finally:
        remove_cgroups()
        subprocess.run(["umount", "-l", work], check=True)
        os.rmdir(work)
    results = {workload: summary(times) for workload, times in samples.items()}
    versions = {each.name: each.version for each in every}
    print(readme(results, versions) if options.readme else table(results))
    if options.json:
        text = json.dumps({"versions": versions, "kernel": os.uname().release, "cpus": os.cpu_count(),
                           "results": results, "samples": samples}, indent=1)
        with open("/dev/stdout" if options.json == "-" else options.json, "w", encoding="utf-8") as file:
            file.write(text + "\n")
    failures = over_limits(results, options.limit)
    for failure in failures:
        print(f"bench: {failure}", file=sys.stderr)
    return 1 if failures else 0


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    sys.exit(main())
