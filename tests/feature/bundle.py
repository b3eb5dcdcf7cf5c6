# SPDX-License-Identifier: Apache-2.0
"""bundle: the runtime under test, and containers with a bundle of their own.

    box = Container (runtime, directory)
    box.ops ("report", "stat /dev/null")     # what the probe does in the container
    box.config["hostname"] = "x"
    told = box.run ()                        # Told: .code .out .err .report .line (...)
"""

import json
import os
import pickle
import select
import shutil
import subprocess
import tempfile
import time

import blocked
import host
import who

CAPS = [f"CAP_{name}" for name in
        "CHOWN DAC_OVERRIDE FSETID FOWNER MKNOD NET_RAW SETGID SETUID SETFCAP SETPCAP "
        "NET_BIND_SERVICE SYS_CHROOT KILL AUDIT_WRITE".split()]

BASE = {
    "ociVersion": "1.0.2",
    "process": {
        "terminal": False,
        "user": {"uid": 0, "gid": 0},
        "args": ["/bin/probe"],
        "env": ["PATH=/sbin:/bin", "A=1"],
        "cwd": "/",
        "capabilities": {name: CAPS for name in ("bounding", "effective", "permitted")},
        "rlimits": [{"type": "RLIMIT_NOFILE", "soft": 1000, "hard": 1024}],
        "noNewPrivileges": True,
    },
    "root": {"path": "rootfs"},
    "hostname": "inside",
    "mounts": [
        {"destination": "/proc", "type": "proc", "source": "proc",
         "options": ["nosuid", "noexec", "nodev"]},
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
        "namespaces": [{"type": name} for name in
                       ("pid", "network", "ipc", "uts", "mount", "cgroup")],
        "resources": {"devices": [{"allow": False, "access": "rwm"}]},
        "maskedPaths": ["/proc/kcore", "/proc/keys", "/proc/latency_stats", "/proc/timer_list",
                        "/proc/sched_debug", "/proc/scsi", "/sys/firmware"],
        "readonlyPaths": ["/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys",
                          "/proc/sysrq-trigger"],
    },
}

if who.AS == "single-id":   # the group of the terminals has no id there
    BASE["mounts"][2]["options"].remove("gid=5")

BASE_COPY = pickle.dumps(BASE)  # faster than copy.deepcopy

NAMESPACE_FILES = {"pid": "pid", "network": "net", "ipc": "ipc", "uts": "uts", "mount": "mnt",
                   "cgroup": "cgroup", "user": "user", "time": "time"}


class Told:
    """What a command said."""

    def __init__(self, code, out, err):
        self.code, self.out, self.err = code, out, err

    def __repr__(self):
        return f"exit {self.code}\n--- stdout\n{self.out[-4000:]}\n--- stderr\n{self.err[-4000:]}"

    @property
    def lines(self):
        return [json.loads(line) for line in self.out.splitlines() if line.startswith("{\"op\"")]

    def line(self, op, path=None):
        for line in self.lines:
            if line["op"] == op and path in (None, line.get("path")):
                return line
        raise AssertionError(f"the probe did not tell of {op} {path}: {self!r}")

    @property
    def report(self):
        return self.line("report")

    def text(self, path):
        line = self.line("read", path)
        assert "data" in line, line
        return line["data"]

    def errno(self, op, path=None):
        """The kernel's word for an operation, None where it was allowed."""
        return self.line(op, path).get("errno")


def owner_of_state(path):
    """Whose the state is: another user's is refused, to root's own calls too."""
    owner = os.stat(path).st_uid if os.geteuid() == 0 and os.path.isdir(path) else 0
    return {"user": owner, "group": owner, "extra_groups": []} if owner else {}


class Runtime:
    """The program under test with a state root of its own."""

    timeout = host.PATIENCE

    def __init__(self, path, root, work):
        self.path, self.root, self.work = path, str(root), str(work)

    def call(self, *args, root=True, globals=(), shell=None, **options):
        """Runs `rt --root ROOT ARGS`; standard output and error go to files, because a container
        may keep them open. shell: what a shell does with the command "$@"."""
        argv = ["/bin/sh", "-c", shell, "sh"] if shell else []
        argv += [self.path] + (["--root", self.root] if root else []) + list(globals)
        if root and not {"user", "preexec_fn"} & set(options):
            options.update(owner_of_state(self.root))
        return self.execute(argv + [str(arg) for arg in args], **options)

    def execute(self, argv, stdin=subprocess.DEVNULL, stdout=None, text=None, timeout=None,
                **options):
        with tempfile.TemporaryFile(dir=self.work) as out, \
                tempfile.TemporaryFile(dir=self.work) as err:
            if text is not None:
                stdin = tempfile.TemporaryFile(dir=self.work)
                stdin.write(text.encode())
                stdin.seek(0)
            argv, options = blocked.start(argv, options)
            process = subprocess.Popen(argv, stdin=stdin, stdout=stdout or out, stderr=err,
                                       **options)
            try:
                # subprocess itself would look in ever longer intervals.
                host.wait_dead(process.pid, timeout or self.timeout)
            except AssertionError:
                process.kill()
                process.wait()
                err.seek(0)
                raise AssertionError(f"{argv} did not end: {err.read().decode()}") from None
            code = process.wait()
            out.seek(0)
            err.seek(0)
            return Told(code if code >= 0 else 128 - code, out.read().decode("utf-8", "replace"),
                        err.read().decode("utf-8", "replace"))

    def state(self, name):
        told = self.call("state", name)
        assert told.code == 0, told
        return json.loads(told.out)


def label(value):
    """A parameter in a test's name: short, and the same in each process."""
    if isinstance(value, (set, frozenset)):
        value = sorted(value, key=str)
    if isinstance(value, (list, tuple)):
        value = " ".join(str(each) for each in value)
    return str(value)[:60]


def probe_args(ops):
    """("report", "stat /x", ["write", "/x", "a b"]) as the probe's arguments."""
    args = []
    for op in ops:
        args += (op.split() if isinstance(op, str) else list(op)) + [";"]
    return args[:-1]


class Container:
    """A bundle in a directory and what is done with it."""

    def __init__(self, runtime, directory, name, probe, cgroups):
        self.rt, self.id, self.cgroups = runtime, name, cgroups
        self.dir = str(directory)
        self.rootfs = os.path.join(self.dir, "rootfs")
        self.probe = os.path.join(self.dir, "probe")   # outside of the root, for hooks
        self.config = pickle.loads(BASE_COPY)
        self.cgroup = f"rt-{name}" if len(name) < 8 else name   # unlike any of the host's
        self.config["linux"]["cgroupsPath"] = f"/{self.cgroup}"
        self.exists, self.pid, self.pipe, self.buffer = False, None, None, b""
        if who.ROOTLESS:
            self.linux["namespaces"].append({"type": "user"})
            for kind in ("uidMappings", "gidMappings"):
                self.linux[kind] = who.mappings()
        for name in ("bin", "proc", "sys", "dev", "etc", "tmp"):
            os.makedirs(os.path.join(self.rootfs, name))
        shutil.copy(probe, self.path("/bin/probe"))
        os.link(self.path("/bin/probe"), self.probe)

    # ---- the bundle

    @property
    def process(self):
        return self.config["process"]

    @property
    def linux(self):
        return self.config["linux"]

    def path(self, inside):
        return self.rootfs + inside

    def file(self, inside, content="", mode=0o644):
        """Makes a file in the root file system."""
        path = self.path(inside)
        os.makedirs(os.path.dirname(path), exist_ok=True)
        with open(path, "w", encoding="utf-8") as file:
            file.write(content)
        os.chmod(path, mode)
        return path

    def beside(self, name, content=None):
        """A file (or a directory where content is None) next to the root file system."""
        path = os.path.join(self.dir, name)
        if content is None:
            os.makedirs(path)
        else:
            with open(path, "w", encoding="utf-8") as file:
                file.write(content)
        return path

    def fifo(self, inside):
        path = self.path(inside)
        os.mkfifo(path)
        return path

    def ops(self, *ops):
        self.process["args"] = ["/bin/probe"] + probe_args(ops)
        return self

    def mount(self, destination, kind="tmpfs", source="tmpfs", options=(), **more):
        entry = {"destination": destination, "type": kind, "source": source}
        if options is not None:
            entry["options"] = list(options)
        entry.update(more)
        self.config["mounts"].append(entry)
        return f"/mounts/{len(self.config['mounts']) - 1}"

    def bind(self, source, destination, *options, **more):
        return self.mount(destination, "bind", source, ("bind",) + options, **more)

    def hook(self, kind, *ops, path=None, **more):
        """Adds a hook that runs the probe with `ops`."""
        entry = {"path": path or self.probe, "args": ["probe"] + probe_args(ops)}
        entry.update(more)
        self.config.setdefault("hooks", {}).setdefault(kind, []).append(entry)

    def hook_reports(self, path):
        """What `hook FILE` wrote: [(report, state)]."""
        if not os.path.exists(path):
            return []
        with open(path, encoding="utf-8") as file:
            reports = [json.loads(line) for line in file]
        return [(report, json.loads(report["state"])) for report in reports]

    def namespace(self, kind, path=None, absent=False):
        """Changes, adds or removes a namespace."""
        spaces = [each for each in self.linux["namespaces"] if each["type"] != kind]
        if not absent:
            spaces.append({"type": kind, **({"path": path} if path else {})})
        self.linux["namespaces"] = spaces

    def join(self, kind, pid):
        """The namespace of that process. Who is not root needs the right that comes with its owner."""
        for each in {kind, "user"} if who.ROOTLESS else {kind}:
            self.namespace(each, f"/proc/{pid}/ns/{NAMESPACE_FILES[each]}")
        if who.ROOTLESS:
            del self.linux["uidMappings"], self.linux["gidMappings"]

    def userns(self, first=None, size=65536):
        """A user namespace of its own, whose root is `first`; the root file system becomes its. Without
        privileges each container has one already."""
        if who.ROOTLESS and first is None:
            return
        first = 100000 if first is None else first
        self.namespace("user")
        for kind in ("uidMappings", "gidMappings"):
            self.linux[kind] = [{"containerID": 0, "hostID": first, "size": size}]
        for directory, _, files in os.walk(self.rootfs):
            for path in [directory] + [os.path.join(directory, each) for each in files]:
                os.lchown(path, first, first)
        os.chown(self.dir, first, first)

    def without_tty_group(self):
        """For a user namespace that maps few ids: the terminals' group, 5, has none there."""
        options = self.config["mounts"][2]["options"]
        self.config["mounts"][2]["options"] = [each for each in options if each != "gid=5"]

    def save(self):
        with open(os.path.join(self.dir, "config.json"), "w", encoding="utf-8") as file:
            file.write(json.dumps(self.config))     # json.dump is slow

    # ---- the commands

    def run(self, *flags, code=0, save=True, **options):
        """`run` in the foreground; the exit code must be `code` (None = any)."""
        if save:
            self.save()
        told = self.rt.call("run", "-b", self.dir, *flags, self.id, **options)
        if code is not None:
            assert told.code == code, told
        return told

    def create(self, *flags, code=0, save=True, verb="create", **options):
        """`create`; the container's standard output is ours to read with line () and rest ()."""
        if save:
            self.save()
        if self.pipe is not None:
            os.close(self.pipe)
        self.pipe, write = os.pipe()
        try:
            told = self.rt.call(verb, "-b", self.dir, *flags, self.id, stdout=write, **options)
        finally:
            os.close(write)
        self.exists = told.code == 0
        if code is not None:
            assert told.code == code, told
        if told.code == 0:
            self.pid = self.state()["pid"]
        return told

    def start(self, code=0):
        told = self.rt.call("start", self.id)
        if code is not None:
            assert told.code == code, told
        return told

    def up(self, *flags, **options):
        """create and start; returns when the probe has printed the line "up"."""
        assert "pause" in self.process["args"] or "until" in self.process["args"] \
            or "await" in self.process["args"]
        at = max(i for i, word in enumerate(self.process["args"])
                 if word in ("pause", "until", "await"))
        self.process["args"][at:at] = ["echo", "up", ";"]
        self.create(*flags, **options)
        self.start()
        return self.lines_until("up")

    def state(self):
        return self.rt.state(self.id)

    def status(self):
        return self.state()["status"]

    def exec(self, *flags, ops=("report",), code=0, **options):
        """`exec` of the probe; the exit code must be `code` (None = any)."""
        told = self.rt.call("exec", *flags, self.id, "/bin/probe", *probe_args(ops), **options)
        if code is not None:
            assert told.code == code, told
        return told

    def kill(self, *args, code=0):
        told = self.rt.call("kill", self.id, *args)
        if code is not None:
            assert told.code == code, told
        return told

    def delete(self, *flags, code=0):
        told = self.rt.call("delete", *flags, self.id)
        if told.code == 0:
            self.exists = False
        if code is not None:
            assert told.code == code, told
        return told

    def wait(self):
        """The exit status of the container's init, which has become our child."""
        return host.reap(self.pid)

    def finish(self):
        """Everything that the container still prints, its end, and delete."""
        told = Told(None, self.rest(), "")
        told.code = self.wait()
        self.delete()
        return told

    # ---- the container's standard output

    def _more(self, end):
        left = max(0, end - time.monotonic())
        if not select.select([self.pipe], [], [], left)[0]:
            raise AssertionError(f"the container is silent; so far: {self.buffer!r}")
        chunk = os.read(self.pipe, 65536)
        self.buffer += chunk
        return bool(chunk)

    def line(self):
        end = time.monotonic() + self.rt.timeout
        while b"\n" not in self.buffer:
            if not self._more(end):
                raise AssertionError(f"the container's output ended: {self.buffer!r}")
        line, _, self.buffer = self.buffer.partition(b"\n")
        return line.decode()

    def lines_until(self, word):
        lines = []
        while (line := self.line()) != word:
            lines.append(line)
        return Told(0, "\n".join(lines), "")

    def rest(self):
        end = time.monotonic() + self.rt.timeout
        while self._more(end):
            pass
        text, self.buffer = self.buffer.decode(), b""
        return text

    def close(self):
        if self.pipe is not None:
            os.close(self.pipe)
            self.pipe = None
