# SPDX-License-Identifier: Apache-2.0
"""The rt that stays in front of a `run` or an `exec` loses no byte and never hangs, whatever its streams
are and whoever reads them; it forwards signals, and tells how the process ended.

Each round is drawn by lot: sizes, delays, kinds of streams. A failure tells the seed.
RT_SEED=N               the same lots once more
RT_PROXY_ROUNDS=N       rounds of each property (default: 10)"""

import collections
import fcntl
import functools
import os
import pty
import random
import select
import signal
import socket
import struct
import subprocess
import termios
import threading
import time

import pytest

import host
from bundle import probe_args

SEED = int(os.environ.get("RT_SEED") or random.SystemRandom().getrandbits(31))
ROUNDS = range(int(os.environ.get("RT_PROXY_ROUNDS", "10")))
BLOCK = 65521
LIMIT = 60
pytestmark = [pytest.mark.own]


@functools.lru_cache(maxsize=4)
def block(seed):
    out, chance = bytearray(), seed
    for _ in range(BLOCK):
        chance = (chance * 1103515245 + 12345) & 0xffffffff
        out.append(chance >> 16 & 0xff)
    return bytes(out)


def stream(seed, size):
    """What the probe's `stream` writes and its `take` wants."""
    return (block(seed) * (size // BLOCK + 1))[:size]


def assert_stream(data, seed, size):
    if data != stream(seed, size):
        wanted = stream(seed, size)
        at = next((i for i, pair in enumerate(zip(data, wanted)) if pair[0] != pair[1]),
                  min(len(data), size))
        raise AssertionError(f"{len(data)} bytes instead of {size}; the first that differs is {at}: "
                             f"{data[at:at + 40]!r} instead of {wanted[at:at + 40]!r}")


@pytest.fixture
def chance(request):
    print(f"RT_SEED={SEED}")    # shown where the test fails
    return random.Random(f"{SEED} {request.node.name}")


def draw_size(chance):
    return chance.choice([0, 1, 2, 4095, 4096, 4097, 65535, 65536, 65537,
                          chance.randrange(1000), chance.randrange(200000), chance.randrange(3000000)])


def dawdle(chance, often):
    """A slow reader or writer."""
    if chance.random() < often:
        time.sleep(chance.random() / 300)


def eat(fd, chance, often=0.1, most=None):
    """All that comes until the other side has closed, or `most` bytes."""
    data = bytearray()
    while most is None or len(data) < most:
        assert select.select([fd], [], [], LIMIT)[0], f"silence after {len(data)} bytes"
        try:
            chunk = os.read(fd, chance.choice([1 << 16, 1 + chance.randrange(5000)]))
        except (ConnectionResetError, OSError):     # EIO: a terminal that nobody has open any more
            chunk = b""
        if not chunk:
            break
        data += chunk
        dawdle(chance, often)
    return bytes(data)


def feed(fd, data, chance, often=0.1):
    at = 0
    while at < len(data):
        assert select.select([], [fd], [], LIMIT)[1], f"nobody takes more than {at} bytes"
        at += os.write(fd, data[at:at + chance.choice([4096, 1 + chance.randrange(1000)])])
        dawdle(chance, often)


class Ends:
    """rt's side of a stream and ours."""

    def __init__(self, theirs, ours):
        self.theirs, self.ours = theirs, ours

    def drop(self, which="theirs"):
        fd = getattr(self, which)
        setattr(self, which, None)
        if fd is not None:
            os.close(fd)


def terminal_pair():
    ours, theirs = pty.openpty()
    mode = termios.tcgetattr(theirs)
    mode[0] = mode[1] = 0       # bytes pass as they are, also with OPOST, which rt leaves on
    mode[3] = 0
    termios.tcsetattr(theirs, termios.TCSANOW, mode)
    return Ends(theirs, ours)


def output_of(kind, chance, work):
    if kind == "pipe":
        ours, theirs = os.pipe()
        fcntl.fcntl(ours, fcntl.F_SETPIPE_SZ, chance.choice([4096, 65536, 1 << 20]))
        return Ends(theirs, ours)
    if kind == "socket":
        theirs, ours = (each.detach() for each in socket.socketpair())
        return Ends(theirs, ours)
    if kind == "terminal":
        return terminal_pair()
    path = os.path.join(work, f"out{chance.random()}")
    return Ends(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND), os.open(path, os.O_RDONLY))


SILENT = ["closed", "null", "empty file", "closed pipe", "silent pipe", "write-only", "half-closed socket"]


def silent_input(kind, work):
    """Standard inputs that never say anything."""
    if kind == "closed":
        return Ends(None, None)
    if kind in ("null", "write-only"):
        return Ends(os.open("/dev/null", os.O_RDONLY if kind == "null" else os.O_WRONLY), None)
    if kind == "empty file":
        return Ends(os.open(os.path.join(work, "empty"), os.O_CREAT | os.O_RDONLY), None)
    if kind == "half-closed socket":
        theirs, ours = socket.socketpair()
        ours.shutdown(socket.SHUT_WR)
        return Ends(theirs.detach(), ours.detach())
    theirs, ours = os.pipe()
    ends = Ends(theirs, ours)
    if kind == "closed pipe":
        ends.drop("ours")
    return ends


class Front:
    """rt in front of the probe with `ops`."""

    def __init__(self, box, verb, terminal, ops, stdin, stdout, session=False):
        self.box = box
        rt = [box.rt.path, "--root", box.rt.root]
        if verb == "run":
            box.ops(*ops)
            box.process["terminal"] = terminal
            box.save()
            argv = rt + ["run", "-b", box.dir, box.id]
        else:
            box.up()
            argv = rt + ["exec"] + ["-t"] * terminal + [box.id, "/bin/probe"] + probe_args(ops)

        def before():
            if stdin.theirs is None:
                os.close(0)
            if session:
                os.setsid()
                fcntl.ioctl(stdin.theirs, termios.TIOCSCTTY, 0)
        self.errors = open(os.path.join(box.dir, "errors"), "w+b")
        self.process = subprocess.Popen(argv, stdin=stdin.theirs, stdout=stdout.theirs, preexec_fn=before,
                                        stderr=self.errors)
        stdin.drop()
        stdout.drop()

    def end(self):
        """The exit status; rt said nothing."""
        code, said = self.ended()
        assert not said, self.said
        return code

    def ended(self):
        """The exit status, and whether rt said something."""
        try:
            code = self.process.wait(LIMIT)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"rt hangs: {host.describe(self.process.pid)} "
                                 f"{host.stat_state(self.process.pid)}") from None
        finally:
            if self.process.poll() is None:
                self.process.kill()
                self.process.wait()
            self.errors.seek(0)
            self.said = self.errors.read()
            self.errors.close()
        return code, bool(self.said)


class Pest(threading.Thread):
    """Stops and continues a process, over and over."""

    def __init__(self, pid, chance):
        super().__init__()
        self.pid, self.chance, self.over = pid, random.Random(chance.random()), threading.Event()

    def run(self):
        while not self.over.is_set():
            for each in (signal.SIGSTOP, signal.SIGCONT):
                os.kill(self.pid, each)
                time.sleep(self.chance.random() / 500)

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        self.over.set()
        self.join()


VERBS = pytest.mark.parametrize("verb", ["run", "exec"])
TERMINAL = pytest.mark.parametrize("terminal", [False, True], ids=["streams", "terminal"])


@pytest.mark.rows("TTY-12", "TTY-13", "EXE-41", "CRT-21")
@pytest.mark.parametrize("number", ROUNDS)
@VERBS
@TERMINAL
def test_no_output_is_lost(new_box, work, chance, verb, terminal, number):
    seed, size, code = chance.randrange(1 << 31), draw_size(chance), chance.randrange(89)
    kind, silent = chance.choice(["pipe", "socket", "terminal", "file"]), chance.choice(SILENT)
    print(f"{size} bytes to a {kind}, {silent} as input, exit {code}")
    out, stdin = output_of(kind, chance, work), silent_input(silent, work)
    raw = ["raw"] if terminal else []
    front = Front(new_box("pause"), verb, terminal,
                  raw + [f"stream {seed} {size} {chance.choice([100, 4096, 60000])}", f"exit {code}"], stdin, out)
    data = eat(out.ours, chance, chance.choice([0, 0.02, 0.3])) if kind != "file" else b""
    assert front.end() == code
    assert_stream(data + (eat(out.ours, chance, 0) if kind == "file" else b""), seed, size)
    out.drop("ours")
    stdin.drop("ours")


@pytest.mark.rows("TTY-12", "TTY-13")
@pytest.mark.parametrize("number", ROUNDS)
@VERBS
@TERMINAL
def test_no_input_is_lost(new_box, work, chance, verb, terminal, number):
    seed, size, code = chance.randrange(1 << 31), draw_size(chance), chance.randrange(89)
    kind = chance.choice(["pipe", "socket", "terminal" if terminal else "file"])
    print(f"{size} bytes from a {kind}, exit {code}")
    if kind == "file":
        path = os.path.join(work, "in")
        with open(path, "wb") as file:
            file.write(stream(seed, size))
        stdin = Ends(os.open(path, os.O_RDONLY), None)
    elif kind == "pipe":
        stdin = Ends(*os.pipe())
    elif kind == "socket":
        stdin = Ends(*(each.detach() for each in socket.socketpair()))
    else:
        stdin = terminal_pair()
    out = output_of("pipe", chance, work)
    front = Front(new_box("pause"), verb, terminal,
                  (["raw"] if terminal else []) +
                  ["echo R", f"take {seed} {size} {chance.choice([1, 100, 60000]) if size < 5000 else 50000}",
                   f"exit {code}"], stdin, out)
    assert eat(out.ours, chance, 0, most=2) == b"R\n"
    if stdin.ours is not None:
        try:
            feed(stdin.ours, stream(seed, size), chance, chance.choice([0, 0.02]))
        except BrokenPipeError:     # it has read all, and has ended
            pass
        except OSError as error:
            assert kind == "terminal", error
    assert front.end() == code
    out.drop("ours")
    stdin.drop("ours")


@pytest.mark.rows("TTY-12", "TTY-13")
@VERBS
def test_a_file_is_typed(new_box, work, chance, verb):
    """A terminal in the container and a file as standard input, to the ^D at its end."""
    lines = [b"line %d of %d" % (number, chance.randrange(1 << 30)) for number in range(chance.randrange(1, 90))]
    path = os.path.join(work, "typed")
    with open(path, "wb") as file:
        file.write(b"\n".join(lines) + b"\n\x04")
    typed = b"".join(line + b"\n" for line in lines)
    out = output_of("pipe", chance, work)
    front = Front(new_box("pause"), verb, True, ["copy", "exit 4"], Ends(os.open(path, os.O_RDONLY), None), out)
    data = eat(out.ours, chance, 0)
    assert front.end() == 4
    assert collections.Counter(data) == collections.Counter(typed + typed), data    # echoed, and copied
    out.drop("ours")


@pytest.mark.rows("TTY-12")
@pytest.mark.parametrize("number", ROUNDS)
@VERBS
@TERMINAL
def test_a_reader_that_goes_away(new_box, work, chance, verb, terminal, number):
    """With a terminal the process does not notice; without one the broken stream is its own."""
    seed, size, code = chance.randrange(1 << 31), draw_size(chance), chance.randrange(89)
    kind, most = chance.choice(["pipe", "socket", "terminal"]), chance.choice([0, 1, 5000, 100000])
    print(f"{size} bytes to a {kind}, of which at most {most} are read, exit {code}")
    out, stdin = output_of(kind, chance, work), silent_input(chance.choice(SILENT), work)
    front = Front(new_box("pause"), verb, terminal,
                  ["raw"] * terminal + [f"stream {seed} {size} 9000", f"exit {code}"], stdin, out)
    data = eat(out.ours, chance, most=min(most, size))
    out.drop("ours")
    ended = front.end()
    assert ended == code or not terminal and ended in (93, 128 + signal.SIGPIPE), ended
    assert stream(seed, size).startswith(data[:len(data)])
    stdin.drop("ours")


@pytest.mark.rows("TTY-12", "CRT-22")
@pytest.mark.parametrize("number", ROUNDS[:4])
@VERBS
@TERMINAL
def test_stopped_and_continued(new_box, work, chance, verb, terminal, number):
    seed, size = chance.randrange(1 << 31), 1 + draw_size(chance)
    out, stdin = output_of("pipe", chance, work), silent_input(chance.choice(SILENT), work)
    front = Front(new_box("pause"), verb, terminal,
                  ["raw"] * terminal + [f"stream {seed} {size} 9000", "exit 3"], stdin, out)
    head = eat(out.ours, chance, 0, most=1)
    with Pest(front.process.pid, chance):
        tail = eat(out.ours, chance, 0.02)
    assert front.end() == 3
    assert_stream(head + tail, seed, size)
    out.drop("ours")
    stdin.drop("ours")


@pytest.mark.rows("TTY-10", "TTY-12")
@VERBS
def test_a_storm_of_sizes(new_box, chance, verb):
    seed, size = chance.randrange(1 << 31), 3000000
    outside = terminal_pair()
    shared = Ends(os.dup(outside.theirs), None)
    slave = os.dup(outside.theirs)
    front = Front(new_box("pause"), verb, True,
                  ["raw", f"stream {seed} {size} 9000", "size 31 131", f"stream {seed} 7 7", "exit 6"],
                  shared, outside, session=True)
    over = threading.Event()
    lots = random.Random(chance.random())

    def storm():
        while not over.is_set():
            resize(lots.randrange(1, 200), lots.randrange(1, 200))
        resize(31, 131)

    def resize(rows, columns):
        fcntl.ioctl(slave, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    weather = threading.Thread(target=storm)
    weather.start()
    data = eat(outside.ours, chance, 0.01, most=size)
    over.set()
    weather.join()
    while len(data) < size + 7:
        data += eat(outside.ours, chance, 0, most=1)
    os.close(slave)
    assert front.end() == 6
    assert data == stream(seed, size) + stream(seed, 7)
    outside.drop("ours")


@pytest.mark.rows("TTY-12")
@pytest.mark.needs("once: the other tests pass on less")
@VERBS
@TERMINAL
def test_a_hundred_megabytes(new_box, work, chance, verb, terminal):
    seed, size = chance.randrange(1 << 31), 100 << 20
    out, stdin = output_of("pipe", chance, work), silent_input("null", work)
    front = Front(new_box("pause"), verb, terminal,
                  ["raw"] * terminal + [f"stream {seed} {size} 65521", "exit 2"], stdin, out)
    data = eat(out.ours, chance, 0)
    assert front.end() == 2
    assert_stream(data, seed, size)
    out.drop("ours")


FATAL = [number for number in sorted(signal.valid_signals()) if number not in (
    signal.SIGKILL, signal.SIGSTOP, signal.SIGTSTP, signal.SIGTTIN, signal.SIGTTOU, signal.SIGCHLD,
    signal.SIGCONT, signal.SIGURG, signal.SIGWINCH)]


@pytest.mark.rows("CRT-22", "CRT-16", "EXE-41")
@VERBS
@TERMINAL
def test_the_exit_status_of_a_forwarded_signal(new_box, work, chance, verb, terminal):
    """Each that ends a process; init without a pid namespace of its own is a process like others."""
    for number in chance.sample(FATAL, 8) + [signal.SIGINT, signal.SIGRTMAX]:
        box = new_box("pause")
        if verb == "run":
            box.namespace("pid", absent=True)
        box.process["rlimits"].append({"type": "RLIMIT_CORE", "soft": 0, "hard": 0})
        out, stdin = output_of("pipe", chance, work), silent_input("null", work)
        front = Front(box, verb, terminal, ["echo up", "pause"], stdin, out)
        assert eat(out.ours, chance, 0, most=3) == b"up\n"
        front.process.send_signal(number)
        assert front.end() == 128 + number
        out.drop("ours")
        if box.exists:
            box.delete("-f")
            box.wait()


@pytest.mark.rows("CRT-22", "CRT-23")
@pytest.mark.parametrize("keys", [b"\x03\x03", b"\x03\x03\x03\x1c\x03"], ids=["twice", "many times"])
def test_interrupted_twice(new_box, chance, keys):
    """^C^C at a terminal that rt's container does not use: the first one ends the container, and
    the second finds rt at cleaning up, or nobody."""
    for _ in range(5):
        box = new_box("trap 2", "trap 3", "echo up", "until 2", "exit 7")
        outside = terminal_pair()
        mode = termios.tcgetattr(outside.theirs)
        mode[3] |= termios.ISIG
        termios.tcsetattr(outside.theirs, termios.TCSANOW, mode)
        shared = Ends(os.dup(outside.theirs), None)
        front = Front(box, "run", False, ["trap 2", "trap 3", "echo up", "until 2", "exit 7"], shared, outside,
                      session=True)
        assert eat(outside.ours, chance, 0, most=3).startswith(b"up")
        for key in keys:
            os.write(outside.ours, bytes([key]))
            dawdle(chance, 0.5)
        assert front.end() in (7, 128 + signal.SIGQUIT)
        assert box.rt.call("state", box.id).code == 1
        outside.drop("ours")


@pytest.mark.rows("CRT-22", "HKS-22")
@pytest.mark.parametrize("kind", ["createRuntime", "poststart", "poststop"])
def test_interrupted_while_a_hook_runs(new_box, work, chance, kind):
    """A signal ends the wait for a hook, and the hook: what was half made is undone, and what is being
    removed is removed."""
    box = new_box()
    gate, told = os.path.join(box.dir, "gate"), os.path.join(box.dir, "told")
    os.mkfifo(gate)
    os.mkfifo(told)
    box.hook(kind, f"append {told} x", f"await {gate}")
    out, stdin = output_of("pipe", chance, work), silent_input("null", work)
    front = Front(box, "run", False, ["echo up", "pause" if kind == "poststart" else "exit 5"], stdin, out)
    assert host.heard(told) == "x\n"
    front.process.send_signal(signal.SIGTERM)
    if kind == "poststop":
        assert front.ended() in ((5, True), (-signal.SIGTERM, True))
    else:
        assert front.ended() == (-signal.SIGTERM, True)
    assert box.rt.call("state", box.id).code == 1
    out.drop("ours")
