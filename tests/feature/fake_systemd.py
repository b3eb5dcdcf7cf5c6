# SPDX-License-Identifier: Apache-2.0
"""fake_systemd: a bus with a systemd on it, as much of it as a container runtime meets, for hosts
that run another init and for what a real one does not do on demand: jobs that fail or never end, names
that are taken, properties that are not known, silence.

    with FakeSystemd (directory) as systemd:
        environment["DBUS_SYSTEM_BUS_ADDRESS"] = systemd.address
        ...
        systemd.calls     [("StartTransientUnit", [...]), ...]
        systemd.units     {"x.scope": {"Delegate": True, ...}}

It makes the cgroups of its units, and moves processes there, as systemd does: in the v2 hierarchy,
and in name=systemd where there is that."""

import contextlib
import errno
import os
import signal
import socket
import threading

import dbus_wire as wire
import host

MANAGER = "org.freedesktop.systemd1.Manager"
NO_SUCH_UNIT = "org.freedesktop.systemd1.NoSuchUnit"
UNIT_EXISTS = "org.freedesktop.systemd1.UnitExists"


class Refusal(Exception):
    def __init__(self, name, text):
        super().__init__(text)
        self.name = name


def slice_path(name):
    if name == "-.slice":
        return ""
    parts = name[:-len(".slice")].split("-")
    return "".join("/" + "-".join(parts[:count + 1]) + ".slice" for count in range(len(parts)))


def write(path, text):
    with open(path, "w", encoding="ascii") as file:
        file.write(text)


class FakeSystemd:
    def __init__(self, directory, cgroups):
        self.address = f"unix:path={directory}/bus"
        self.version = "252.39-fake"
        self.calls, self.units, self.groups = [], {}, {}
        self.taken = {}             # unit: "failed" or "running": it exists already
        self.unknown = set()        # properties that it does not know
        self.job_result = "done"    # None: the job never ends
        self.silent = set()         # members that are not answered; "auth": nobody gets in
        self.hang_up = set()        # members at which the connection breaks
        self.denied = False
        self.lose_answer = False    # the connection breaks in the place of the next answer
        self.on_start = None        # called once the unit is there
        self.lock = threading.RLock()
        self.roots = [root for root in (cgroups.v1.get("name=systemd"), cgroups.v2) if root]
        self.made, self.jobs, self.cgroups = set(), 0, cgroups
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(f"{directory}/bus")
        self.listener.listen(16)
        self.connections = []

    def __enter__(self):
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_):
        for each in [self.listener] + self.connections:
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
            each.close()
        for unit in list(self.groups):
            self._kill(unit)
            self._remove(unit)
        for path in sorted(self.made, key=len, reverse=True):
            with contextlib.suppress(OSError):      # somebody else's by now
                os.rmdir(path)

    def hang_up_once(self):
        self.lose_answer = True

    def called(self, member):
        return [arguments for name, arguments in self.calls if name == member]

    # The bus.

    def _accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection):
        try:
            data = self._authenticate(connection)
            while data is not None:
                parsed = wire.parse(data)
                if parsed:
                    data = data[parsed[4]:]
                    self._dispatch(connection, *parsed[:4])
                    continue
                more = connection.recv(65536)
                data = data + more if more else None
        except OSError:
            pass
        finally:
            connection.close()

    def _authenticate(self, connection):
        data, state = b"", 0
        while state < 3:
            more = connection.recv(4096)
            if not more:
                return None
            data += more
            if "auth" in self.silent:
                continue
            while b"\r\n" in data and state < 3:
                line, data = data.split(b"\r\n", 1)
                line = line.lstrip(b"\0")
                if line.startswith(b"AUTH EXTERNAL"):
                    rest = line.split()[2:]
                    connection.sendall(b"OK 0123456789abcdef0123456789abcdef\r\n" if rest else b"DATA\r\n")
                elif line.startswith(b"DATA"):
                    connection.sendall(b"OK 0123456789abcdef0123456789abcdef\r\n")
                elif line == b"NEGOTIATE_UNIX_FD":
                    connection.sendall(b"ERROR\r\n")
                elif line == b"BEGIN":
                    state = 3
        return data

    def _dispatch(self, connection, kind, serial, fields, values):
        if kind != wire.CALL:
            return
        member = fields[wire.MEMBER]
        common = {wire.REPLY_SERIAL: ("u", serial), wire.DESTINATION: ("s", ":1.7"),
                  wire.SENDER: ("s", "org.freedesktop.DBus" if member in ("Hello", "AddMatch")
                                else ":1.0")}
        self.calls.append((member, values))
        if member in self.hang_up:
            connection.shutdown(socket.SHUT_RDWR)
            return
        if member in self.silent:
            return
        signals = []
        try:
            with self.lock:
                answer = getattr(self, "_" + member)(fields, values, signals)
            reply = wire.message(wire.RETURN, 1, common, *answer)
        except Refusal as refusal:
            common[wire.ERROR_NAME] = ("s", refusal.name)
            reply = wire.message(wire.ERROR, 1, common, "s", str(refusal))
        if self.lose_answer:
            self.lose_answer = False
            connection.shutdown(socket.SHUT_RDWR)
            return
        connection.sendall(reply)
        for each in signals:
            connection.sendall(each)

    def _Hello(self, *_):
        return "s", ":1.7"

    def _AddMatch(self, *_):
        return ()

    def _Subscribe(self, *_):
        return ()

    # systemd.

    def _job(self, unit, signals):
        self.jobs += 1
        path = f"/org/freedesktop/systemd1/job/{self.jobs}"
        if self.job_result:
            signals.append(wire.message(
                wire.SIGNAL, 2, {wire.PATH: ("o", "/org/freedesktop/systemd1"),
                                 wire.INTERFACE: ("s", MANAGER), wire.MEMBER: ("s", "JobRemoved"),
                                 wire.SENDER: ("s", ":1.0")},
                "uoss", self.jobs, path, unit, self.job_result))
        return "o", path

    def _Get(self, fields, values, _):
        interface, name = values
        if name == "Version":
            return "v", ("s", self.version)
        encoded = fields[wire.PATH].rpartition("/")[2]
        if name == "Description":
            assert interface == "org.freedesktop.systemd1.Unit"
            known = {encode(each): found["Description"] for each, found in self.units.items()}
            return "v", ("s", known.get(encoded, "somebody's"))
        unit = [each for each in self.units if encode(each) == encoded][0]
        assert interface.rpartition(".")[2].lower() == unit.rpartition(".")[2]
        return "v", ("s", self.groups[unit])

    def _check(self, properties):
        for name, _ in properties:
            if name in self.unknown:
                raise Refusal("org.freedesktop.DBus.Error.PropertyReadOnly",
                              f"Cannot set property {name}, or unknown property.")

    def _StartTransientUnit(self, _, values, signals):
        unit, mode, properties, _ = values
        assert mode == "fail"
        if self.denied:
            raise Refusal("org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
                          "Interactive authentication required.")
        if unit in self.taken or unit in self.units:
            raise Refusal(UNIT_EXISTS, f"Unit {unit} was already loaded or has a fragment file.")
        self._check(properties)
        found = {name: value for name, (_, value) in properties}
        self.units[unit] = found
        place = slice_path(unit) if unit.endswith(".slice") else f"{slice_path(found['Slice'])}/{unit}"
        self.groups[unit] = place
        for root in self.roots:
            self._make(root, place)
            for pid in found.get("PIDs", []):
                write(f"{root}{place}/cgroup.procs", str(pid))
        if self.on_start:
            self.on_start(unit)
        if self.job_result != "done":
            self._kill(unit)
            self._remove(unit)
            self.taken[unit] = "failed"
        return self._job(unit, signals)

    def _make(self, root, place):
        """The slices above may be another test's, too, which takes them away when it ends, at any moment."""
        while not self._is_made(root, place):
            pass

    def _is_made(self, root, place):
        try:
            self._make_all(root, place)
        except OSError as error:
            if error.errno not in (errno.ENOENT, errno.ENODEV):
                raise
            return False
        return True

    def _make_all(self, root, place):
        path = root
        for name in place.strip("/").split("/"):
            if self.cgroups.layout == "v2":
                with open(f"{path}/cgroup.controllers", encoding="ascii") as file:
                    write(f"{path}/cgroup.subtree_control", " ".join(f"+{x}" for x in file.read().split()))
            path = f"{path}/{name}"
            with contextlib.suppress(FileExistsError):
                os.mkdir(path)
                self.made.add(path)

    def _paths(self, unit):
        """The unit's directories with all below them, the deepest first."""
        for root in self.roots:
            yield from (path for path, _, _ in os.walk(root + self.groups[unit], topdown=False))

    def _kill(self, unit):
        """Until nobody is left: who is just being made may be missing in a list."""
        while pids := self._processes(unit):
            for pid in pids:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
            for pid in pids:
                host.wait_dead(pid)

    def _processes(self, unit):
        pids = set()
        for path in self._paths(unit):
            with contextlib.suppress(OSError), open(f"{path}/cgroup.procs", encoding="ascii") as file:
                pids |= {int(pid) for pid in file}
        return pids - {0}

    def _remove(self, unit):
        for path in list(self._paths(unit)):
            host.until(lambda path=path: host.removed(path), f"rmdir {path}")
        del self.units[unit], self.groups[unit]

    def _known(self, unit):
        if unit not in self.units:
            raise Refusal(NO_SUCH_UNIT, f"Unit {unit} not loaded.")

    def _SetUnitProperties(self, _, values, __):
        unit, runtime, properties = values
        assert runtime is True
        self._known(unit)
        self._check(properties)
        self.units[unit].update({name: value for name, (_, value) in properties})
        return ()

    def _KillUnit(self, _, values, __):
        self._known(values[0])
        assert values[1:] == ["all", signal.SIGKILL]
        self._kill(values[0])
        return ()

    def _StopUnit(self, _, values, signals):
        unit, mode = values
        assert mode == "replace"
        self._known(unit)
        self._kill(unit)
        self._remove(unit)
        return self._job(unit, signals)

    def _ResetFailedUnit(self, _, values, __):
        if self.taken.get(values[0]) == "failed":
            del self.taken[values[0]]
            return ()
        self._known(values[0])
        return ()

    def _AttachProcessesToUnit(self, _, values, __):
        unit, below, pids = values
        self._known(unit)
        for root in self.roots:
            for pid in pids:
                write(f"{root}{self.groups[unit]}{below}/cgroup.procs", str(pid))
        return ()


def encode(name):
    """As sd_bus_path_encode(3)."""
    return "".join(c if c.isalpha() or (c.isdigit() and i) else f"_{ord(c):02x}"
                   for i, c in enumerate(name))
